"""The gateway: the only holder of the warehouse. Answers one question at a time from one workspace, or
refuses it.

Believes nothing a notebook says: the socket a request arrives on says whose workspace it is, the hub says
whose token it carries, the governance store says what the project may see now. Nothing leaves before its
audit event is on disk. `app` is HTTP only, `actions` are the use cases, `rules` decide without I/O.
"""
