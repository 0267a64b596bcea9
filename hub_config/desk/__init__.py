"""The desk of those who answer for people's data: the log for the DPO, rights requests, participation and
withdrawals, the inbound airlock.

Pages for the register's process, which composes them: `routers()`, `MENU`, `GUEST`, `UPLOADS`, `state(…)`,
`upkeep(…)`. The desk reads the governance store, the audit log and, to find a number from a practice-local
identifier, the warehouse's registers. It shows no value of the data, and keeps no identity.
"""

from hub_config.desk.composition import GUEST, MENU, UPLOADS, routers, state, upkeep

__all__ = ["GUEST", "MENU", "UPLOADS", "routers", "state", "upkeep"]
