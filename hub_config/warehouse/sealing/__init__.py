"""Local identifiers of patients, sealed so that only the practice they are from can open them.

The only form in which the enclave keeps what a practice calls a patient. Nothing here opens a seal: the
private keys never leave the practices.
"""
