"""From an identifier as the practice's software writes it to the dense number: one person at a time, for
whoever records an objection. Never the other way, never a list, never by name.

In a source that was loaded, the loading key and the register of its kind give the number (`pseudonyms`).
Synthetic data have no practice software: there the local identifier is the number itself, written with a
check digit so that a slip of one digit, or two digits swapped, names nobody. `P0000042-7` is patient 42,
`M0007-6` physician 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import duckdb

from hub_config.warehouse.centres import NOWHERE
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.snapshot import Snapshot, list_snapshots

LOADED: Final = "mapping "  # how a snapshot names a source that was loaded
_SYNTHETIC: Final = re.compile(r"([PM])(\d{4,9})-(\d)")
_LETTERS: Final = {Kind.PATIENT: ("P", 7), Kind.PHYSICIAN: ("M", 4)}
_LONGEST: Final = 200
# Damm's table: any single slip and any swap of neighbours changes the check digit (H. M. Damm, 2004).
_DAMM: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


class Missing(StrEnum):
    """Why an identifier leads to nobody."""

    NO_SOURCE = "no-source"  # no snapshot is made of it
    BAD_ID = "bad-id"  # not as this source writes them
    UNKNOWN = "unknown"  # nobody of that identifier was ever loaded
    INVENTED = "invented"  # the source's GPs are invented: they have no identifier


@dataclass(frozen=True)
class Found:
    """A person's number, within which numbering it is theirs, and the snapshots they are in: none where the
    data they came with are gone."""

    number: int
    snapshots: tuple[int, ...]
    numbering: str


def sources(warehouse: Path) -> list[str]:
    """What the snapshots are made of, newest first, each once."""
    made = reversed(list_snapshots(warehouse))
    return list(dict.fromkeys(source for each in made for source in _sources(each)))


def _sources(snapshot: Snapshot) -> tuple[str, ...]:
    """Of a snapshot of several loaded sources, each; of another, what it is made of."""
    return snapshot.manifest.sources or (snapshot.manifest.source,)


def is_made_of(snapshot: Snapshot, source: str) -> bool:
    return source in (*_sources(snapshot), snapshot.manifest.source)


def numbering_of(snapshot: Snapshot, kind: Kind) -> str:
    """Within which the numbers of this kind are each one person's."""
    manifest = snapshot.manifest
    return manifest.physician_numbering if kind is Kind.PHYSICIAN else manifest.numbering


def find(warehouse: Path, keys: Path, source: str, kind: Kind, identifier: str) -> Found | Missing:
    """Who is called so in `source`. Raises PseudonymProblem or UnsafeKey where the key can't be used."""
    of_it = [each for each in list_snapshots(warehouse) if is_made_of(each, source)]
    text = identifier.strip()
    if not of_it:
        return Missing.NO_SOURCE
    if not text or len(text) > _LONGEST or not text.isprintable():
        return Missing.BAD_ID
    if kind is Kind.PHYSICIAN and of_it[-1].manifest.invented:
        return Missing.INVENTED
    synthetic = all(each.manifest.synthetic for each in of_it)
    number = _spelled(kind, text) if synthetic else _registered(keys, source, kind, text)
    if isinstance(number, Missing):
        return number
    held = tuple(each.number for each in of_it if _holds(each, kind, number))
    if synthetic and not held:
        return Missing.UNKNOWN
    return Found(number, held, numbering_of(of_it[-1], kind))


def synthetic_id(kind: Kind, number: int) -> str:
    """The local identifier of a synthetic person."""
    letter, width = _LETTERS[kind]
    digits = f"{number:0{width}d}"
    return f"{letter}{digits}-{_check(digits)}"


def _spelled(kind: Kind, text: str) -> int | Missing:
    match = _SYNTHETIC.fullmatch(text.upper())
    if match is None or match[1] != _LETTERS[kind][0] or str(_check(match[2])) != match[3]:
        return Missing.BAD_ID
    return int(match[2])


def _check(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return interim


def _registered(keys: Path, source: str, kind: Kind, text: str) -> int | Missing:
    pseudonyms = Pseudonyms.open(keys)
    if kind is Kind.PHYSICIAN and not (keys / f"{Kind.PHYSICIAN}s.register").exists():
        return Missing.INVENTED
    (number,) = pseudonyms.known(kind, source.removeprefix(LOADED), [text])
    return Missing.UNKNOWN if number is None else number


def _holds(snapshot: Snapshot, kind: Kind, number: int) -> bool:
    table, column = ("patients", "patient_no") if kind is Kind.PATIENT else ("physicians", "physician_no")
    return bool(_count(snapshot, f"SELECT count(*) FROM {table} WHERE {column} = ?", [number]))  # noqa: S608


def centres_of(snapshot: Snapshot, kind: Kind, number: int) -> frozenset[str]:
    """The centres whose rows name this person, `NOWHERE` for rows without one: a grant limited to others
    never showed them."""
    column = "patient_no" if kind is Kind.PATIENT else "physician_no"
    with closing(duckdb.connect(str(snapshot.database), read_only=True)) as connection:
        rows = connection.execute(
            f"SELECT DISTINCT centre_id FROM patients WHERE {column} = ?",  # noqa: S608
            [number],
        ).fetchall()
    return frozenset(NOWHERE if centre is None else str(centre) for (centre,) in rows)


def _count(snapshot: Snapshot, query: str, values: Iterable[int]) -> int:
    with closing(duckdb.connect(str(snapshot.database), read_only=True)) as connection:
        row = connection.execute(query, list(values)).fetchone()
    return int(row[0]) if row else 0
