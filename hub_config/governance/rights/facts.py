"""Receipts, practices, rights requests and entries as frozen values; their states as dicts. No I/O, no
clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from hub_config.governance.objections.facts import ObjectionScope, Subject

REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")
"""A reference of whoever keeps the letter or the contract: never a name, a date of birth or an NIR."""
_NIR: Final = re.compile(r"[12][ .]?\d{2}[ .]?(0\d|1[0-2]|[2-9]\d)[ .]?(\d{2}|2[AB])[ .]?\d{3}[ .]?\d{3}")


def is_reference(text: str) -> bool:
    return bool(REFERENCE.fullmatch(text)) and not _NIR.search(text)


# --- objections --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Receipt:
    """That an objection was recorded, and when it took effect. `event` is the hash of its audit event;
    `new` is False where the person was on record already, and so invisible before. `since`
    and `lifted_on`: of the objection, which may be older, and may hold no more."""

    id: str
    subject: Subject
    scope: ObjectionScope
    source: str
    reference: str
    recorded_by: str
    recorded_at: datetime
    effective_at: datetime | None
    event: str
    new: bool
    since: date
    lifted_on: date | None = None
    numbering: str = ""
    number: int = field(repr=False, default=-1)


@dataclass(frozen=True)
class Erasure:
    """Somebody's copies, made in a project up to `held_until`, of rows that an objector's may be among: to
    erase, or erased, as `done_by` says."""

    receipt: str
    project: str
    username: str
    held_until: datetime
    asked_by: str
    asked_at: datetime
    done_by: str | None
    done_at: datetime | None


# --- practices ---------------------------------------------------------------------------------------------


class PracticeState(StrEnum):
    ACTIVE = "active"
    LEFT = "left"


class PracticeStep(StrEnum):
    SOFTWARE = "software"
    LEAVE = "leave"


PRACTICE_TRANSITIONS: Final[Mapping[PracticeState, Mapping[PracticeStep, PracticeState]]] = {
    PracticeState.ACTIVE: {
        PracticeStep.SOFTWARE: PracticeState.ACTIVE,
        PracticeStep.LEAVE: PracticeState.LEFT,
    },
    PracticeState.LEFT: {},  # what was withdrawn stays withdrawn: who comes back enters anew
}


@dataclass(frozen=True)
class Practice:
    """One GP's participation, by the code the AQD gave it. `since`: of the software in use."""

    reference: str
    source: str
    software: str
    state: PracticeState
    entered_on: date
    software_since: date
    left_on: date | None
    receipt: str | None


# --- requests under the GDPR -------------------------------------------------------------------------------


class Right(StrEnum):
    ACCESS = "access"  # art. 15
    RECTIFICATION = "rectification"  # art. 16
    LIMITATION = "limitation"  # art. 18
    OBJECTION = "objection"  # art. 21


ARTICLES: Final[Mapping[Right, int]] = {
    Right.ACCESS: 15,
    Right.RECTIFICATION: 16,
    Right.LIMITATION: 18,
    Right.OBJECTION: 21,
}


class RightState(StrEnum):
    RECEIVED = "received"
    IN_HAND = "in-hand"
    EXTENDED = "extended"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RightStep(StrEnum):
    TAKE = "take"
    EXTEND = "extend"
    ANSWER = "answer"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


_ENDS: Final = {
    RightStep.ANSWER: RightState.ANSWERED,
    RightStep.REFUSE: RightState.REFUSED,
    RightStep.WITHDRAW: RightState.WITHDRAWN,
}
RIGHT_TRANSITIONS: Final[Mapping[RightState, Mapping[RightStep, RightState]]] = {
    RightState.RECEIVED: {
        RightStep.TAKE: RightState.IN_HAND,
        RightStep.EXTEND: RightState.EXTENDED,
        RightStep.WITHDRAW: RightState.WITHDRAWN,
    },
    RightState.IN_HAND: {RightStep.EXTEND: RightState.EXTENDED, **_ENDS},
    RightState.EXTENDED: {**_ENDS},
    RightState.ANSWERED: {},
    RightState.REFUSED: {},
    RightState.WITHDRAWN: {},
}
REASONED: Final = frozenset({RightStep.EXTEND, RightStep.REFUSE})
"""Steps the person must be told the reasons of (art. 12(3) and 12(4))."""


@dataclass(frozen=True)
class RightsRequest:
    id: str
    right: Right
    reference: str
    received_on: date
    due_on: date
    state: RightState
    assigned_to: str
    opened_at: datetime
    closed_on: date | None
    reason: str
    receipt: str | None  # of the objection that answered it

    @property
    def is_open(self) -> bool:
        return bool(RIGHT_TRANSITIONS[self.state])


# --- files that come in ------------------------------------------------------------------------------------


class EntryKind(StrEnum):
    CODE_LIST = "code-list"
    TABLE = "table"
    NOTEBOOK = "notebook"
    SCRIPT = "script"


class EntryState(StrEnum):
    SUBMITTED = "submitted"  # checked, and waits for somebody's look
    ACCEPTED = "accepted"
    REFUSED = "refused"


class EntryStep(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"


ENTRY_TRANSITIONS: Final[Mapping[EntryState, Mapping[EntryStep, EntryState]]] = {
    EntryState.SUBMITTED: {EntryStep.ACCEPT: EntryState.ACCEPTED, EntryStep.REFUSE: EntryState.REFUSED},
    EntryState.ACCEPTED: {},
    EntryState.REFUSED: {},
}


@dataclass(frozen=True)
class Entry:
    """A file somebody wants in a workspace. Its bytes lie under `sha256`; `needs_look`: a table may be joined
    with patients, so somebody else looks at it first."""

    id: str
    project: str
    requester: str
    kind: EntryKind
    name: str
    sha256: str
    size: int
    purpose: str
    state: EntryState
    findings: tuple[str, ...]
    submitted_at: datetime
    looked_by: str | None
    looked_at: datetime | None
    reason: str
