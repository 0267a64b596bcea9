"""Use cases of the register: one function each, one transaction of the caller's, one audit event or more."""
