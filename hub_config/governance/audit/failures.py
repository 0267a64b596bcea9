"""Why an event could not be recorded. Whoever asked must then refuse: nothing leaves the enclave
unrecorded.
"""


class AuditFailure(Exception):
    """The event was not recorded. The message names the file and the remedy."""


class AuditDiskFull(AuditFailure):
    """No space left for the audit log; earlier events are intact."""


class AuditBroken(AuditFailure):
    """The log on disk is not the one this enclave wrote: `p4dp-enclave audit verify` says where it breaks."""
