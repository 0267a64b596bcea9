"""Use cases of the airlock: one function each, one transaction of the caller's session, one audit event.

`drafting` and `explaining` are the requester's, `reviewing` the physicians', `releasing` the gate's;
`tending` is what the service does by itself. The caller commits, by leaving `store.change()`.
"""
