"""What somebody is in the warehouse, as frozen values. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """As what somebody has rows of their own."""

    INTERN = "intern"  # the consultations of their own log
    PHYSICIAN = "physician"  # a GP: their practice's rows
    TRAINER = "trainer"  # a maître de stage: the logs of the interns they supervise


@dataclass(frozen=True)
class Link:
    """That the person who logs in as `username` is `number` in the snapshots made of `source`.

    A number means something within one source only: the loader numbers the GPs of a vendor's files for good,
    and another source's number 3 is somebody else. `standing` says what it is the number of: an intern, or a
    GP.
    """

    username: str
    source: str
    standing: Standing
    number: int
