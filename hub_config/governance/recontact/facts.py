"""Keys of practices and requests of re-contact as frozen values; the states of a request as one dict; who may
do what with it. No I/O, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub_config.governance.roles import Role

LONGEST_PROTOCOL: Final = 4000
LONGEST_TITLE: Final = 120
MOST_PATIENTS: Final = 20_000  # of one request: more is no list to go through in a consultation
MOST_OPEN: Final = 3  # requests of one project that still hold a list
MOST_A_YEAR: Final = 12
KEPT: Final = timedelta(days=180)  # a list is older than what it says of people then
LEAST_ROOM: Final = 25  # seals and blanks in the file of a practice that nobody is sought of


class RequestState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    ANNOUNCED = "announced"  # practices may have their files
    REFUSED = "refused"
    CLOSED = "closed"


class RequestStep(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    ANNOUNCE = "announce"
    CLOSE = "close"
    EXPIRE = "expire"  # by itself, when the list is too old or its project is closed


REQUEST_TRANSITIONS: Final[Mapping[RequestState, Mapping[RequestStep, RequestState]]] = {
    RequestState.REQUESTED: {
        RequestStep.APPROVE: RequestState.APPROVED,
        RequestStep.REFUSE: RequestState.REFUSED,
        RequestStep.CLOSE: RequestState.CLOSED,
        RequestStep.EXPIRE: RequestState.CLOSED,
    },
    RequestState.APPROVED: {
        RequestStep.ANNOUNCE: RequestState.ANNOUNCED,
        RequestStep.CLOSE: RequestState.CLOSED,
        RequestStep.EXPIRE: RequestState.CLOSED,
    },
    RequestState.ANNOUNCED: {
        RequestStep.CLOSE: RequestState.CLOSED,
        RequestStep.EXPIRE: RequestState.CLOSED,
    },
    RequestState.REFUSED: {},
    RequestState.CLOSED: {},
}
"""Where a step is not there, the list is gone."""

TAKEN_BY: Final[Mapping[RequestStep, frozenset[Role]]] = {
    RequestStep.APPROVE: frozenset({Role.MEDECIN_DIM, Role.CSE}),
    RequestStep.REFUSE: frozenset({Role.MEDECIN_DIM, Role.CSE}),
    RequestStep.ANNOUNCE: frozenset({Role.AQD}),
    RequestStep.CLOSE: frozenset({Role.AQD, Role.DPO}),
    RequestStep.EXPIRE: frozenset(),
}


@dataclass(frozen=True)
class PracticeKey:
    """The public key of one GP's practice. Lists are sealed with it once somebody else than who recorded it
    has heard the fingerprint, too. `ended_at`: another took its place."""

    id: str
    practice: str
    source: str
    numbering: str
    physician_no: int = field(repr=False)
    public_key: str = field(repr=False)
    fingerprint: str
    recorded_by: str
    recorded_at: datetime
    confirmed_by: str | None
    ended_at: datetime | None

    @property
    def in_force(self) -> bool:
        return self.confirmed_by is not None and self.ended_at is None


@dataclass(frozen=True)
class RecontactRequest:
    """What a project asks practices to do. `patients`: the protected number that the project was told.
    `definition`: whom it selects, as the gateway read it, of the catalogue's `tables`."""

    id: str
    project: str
    requested_by: str
    title: str
    protocol: str
    numbering: str
    synthetic: bool
    patients: int
    state: RequestState
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    definition: str
    tables: tuple[str, ...]

    @property
    def holds_list(self) -> bool:
        return bool(REQUEST_TRANSITIONS[self.state])

    def open_until(self) -> datetime:
        return self.requested_at + KEPT


@dataclass(frozen=True)
class Handed:
    """What one practice's file holds: its patients, less who objected by now, and `room` for them all."""

    patients: tuple[int, ...] = field(repr=False)
    room: int


@dataclass(frozen=True)
class Listed:
    """One patient of a list, by dense number, and their own GP."""

    patient_no: int = field(repr=False)
    physician_no: int | None = field(repr=False)


def room_for(listed: int, request: str, physician_no: int) -> int:
    """How many seals and blanks the file of one GP's practice has for as long as the request lives: of
    `listed` when it was made, whoever objects later.

    25 to 49, doubled until all fit. Where the steps lie is drawn anew for each request and practice, after
    its project chose whom to seek: so nobody makes up a list that one person more brings over a step.
    """
    drawn = hashlib.sha256(f"{request} {physician_no}".encode()).digest()
    room = LEAST_ROOM + int.from_bytes(drawn) % LEAST_ROOM
    while room < listed:
        room *= 2
    return room
