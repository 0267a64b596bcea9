"""Objections as frozen values: who, in which numbering, how far. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

EVERY_NUMBERING: Final = "*"
"""Of what was recorded before numberings were told apart: it holds in all, lest it hold in none."""


class Subject(StrEnum):
    PATIENT = "patient"
    PHYSICIAN = "physician"


class ObjectionScope(StrEnum):
    ALL = "all"  # no row of theirs is seen
    FUTURE = "future"  # none dated after the day of the objection is; what was there before stays


@dataclass(frozen=True)
class Objection:
    """One person's, by the dense number they have in `numbering`: a number is one person within one
    numbering only (all that is loaded, or one synthetic source)."""

    id: int
    subject: Subject
    number: int = field(repr=False)
    numbering: str
    scope: ObjectionScope
    recorded_on: date
    lifted_on: date | None

    @property
    def holds(self) -> bool:
        return self.lifted_on is None
