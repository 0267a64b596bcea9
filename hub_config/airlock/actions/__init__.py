"""Use cases of the airlock: one function each, one transaction of the caller's session, one audit event.

`drafting` is the requester's, `reviewing` the physicians', `releasing` the gate's, `tending` what the service
does by itself. The caller commits, by leaving `store.change()`.
"""
