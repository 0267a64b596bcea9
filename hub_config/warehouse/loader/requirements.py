"""What a staged value must be before it is believed, as data. `validation` makes Pandera schemas of them.

A value staged as `x` stands beside the text it was read from, `x text`, and, where it is wanted on some rows
only, beside `x asked`. Each requirement names the source column and the rule under which a row that breaks it
is set aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hub_config.warehouse.loader.rules import Rule


@dataclass(frozen=True)
class Needed:
    """Not empty; where `conditional`, on the rows that ask for it."""

    name: str
    column: str
    rule: Rule
    conditional: bool = False


@dataclass(frozen=True)
class Readable:
    """What was written could be read as the value's type."""

    name: str
    column: str
    rule: Rule


@dataclass(frozen=True)
class Within:
    """Inclusive."""

    name: str
    column: str
    rule: Rule
    low: float | date
    high: float | date


@dataclass(frozen=True)
class Known:
    """The text is one of these."""

    name: str
    column: str
    rule: Rule
    codes: frozenset[str]


@dataclass(frozen=True)
class Holds:
    """The staged condition `name` is not false. For rules that relate a row to others."""

    name: str
    column: str
    rule: Rule


Requirement = Needed | Readable | Within | Known | Holds


def text_of(name: str) -> str:
    return f"{name} text"


def asked_of(name: str) -> str:
    return f"{name} asked"
