"""Who may do what at the desk. One predicate, for the menu, the button and the action. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hub_config.governance.roles import Person, Role


class Act(StrEnum):
    READ_LOG = "read-log"
    HANDLE_RIGHTS = "handle-rights"
    RECORD_PARTICIPATION = "record-participation"
    SEE_RECEIPT = "see-receipt"
    TRACE_OBJECTOR = "trace-objector"  # which workspaces held their rows
    SEE_RECONTACT = "see-recontact"
    KEEP_KEYS = "keep-keys"
    CONFIRM_KEYS = "confirm-keys"
    HAND_LISTS = "hand-lists"  # sealed, to practices


WHO: Final[Mapping[Act, frozenset[Role]]] = {
    Act.READ_LOG: frozenset({Role.DPO}),
    Act.HANDLE_RIGHTS: frozenset({Role.DPO}),
    Act.RECORD_PARTICIPATION: frozenset({Role.AQD, Role.DPO}),
    Act.SEE_RECEIPT: frozenset({Role.AQD, Role.DPO}),
    Act.TRACE_OBJECTOR: frozenset({Role.DPO}),
    Act.SEE_RECONTACT: frozenset({Role.AQD, Role.DPO, Role.MEDECIN_DIM, Role.CSE}),
    Act.KEEP_KEYS: frozenset({Role.AQD}),
    Act.CONFIRM_KEYS: frozenset({Role.AQD, Role.DPO}),
    Act.HAND_LISTS: frozenset({Role.AQD}),
}


def may(person: Person, act: Act) -> bool:
    return bool(person.roles & WHO[act])
