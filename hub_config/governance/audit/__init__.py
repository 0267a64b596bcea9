"""The audit chain: an append-only, hash-chained, signed record of who did what. Never a value of the data.

`AuditChain(directory, keys).append(event)` records one event durably; `verify(directory, keys)` finds the
first break; `reading.newest` is a page of it, `retention.prune` drops what is too old, `anchors` notes its
end outside. Events say from where, by `place.acting_from` at a program's door.
"""

from hub_config.governance.audit.chain import AuditChain
from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.failures import AuditBroken, AuditDiskFull, AuditFailure
from hub_config.governance.audit.place import AtAddress, acting_from
from hub_config.governance.audit.verification import Break, Verification, read_records, verify

__all__ = [
    "AtAddress",
    "AuditBroken",
    "AuditChain",
    "AuditDiskFull",
    "AuditEvent",
    "AuditFailure",
    "Break",
    "Decision",
    "Verification",
    "acting_from",
    "read_records",
    "verify",
]
