"""What moved between two snapshots of one population: a decision on two profiles, no I/O.

A column that empties, a rule that fires more often, a table or centre that shrinks: each is a `Move`, the
largest first. Growth of a table is what daily loads are for, and no move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hub_config.warehouse.quality.profile import Counts, Profile


class What(StrEnum):
    ROWS = "rows"
    FILLED = "filled"
    RULE = "rule"
    GONE = "gone"  # a table or a centre of one that is there no more


@dataclass(frozen=True)
class Tolerance:
    """Shares beyond which something has moved: of rows lost, of rows filled, of rows a rule fires on."""

    rows: float = 0.05
    filled: float = 0.05
    rule: float = 0.005

    @classmethod
    def of_points(cls, points: float) -> Tolerance:
        """`points` of 100 for rows and columns, a tenth of them for rules, which fire on few."""
        return cls(points / 100, points / 100, points / 1000)


@dataclass(frozen=True)
class Move:
    """`before` and `after` are shares of the rows (of ROWS and GONE: numbers of rows). No `centre`: the whole
    table."""

    table: str
    what: What
    name: str
    before: float
    after: float
    centre: str | None = None

    @property
    def size(self) -> float:
        if self.what in (What.ROWS, What.GONE):
            return 1 - self.after / self.before
        return abs(self.after - self.before)


def together(*merged: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """By centre, the code that it is compared under: whatever either snapshot merged is compared as one, and
    under "" not at all, since the rows of some of it stand in no centre. `merged` is that of manifests."""
    under: dict[str, str] = {}
    for code, members in (merge for each in merged for merge in each.items()):
        joined = {code, *members}
        codes = {under[centre] for centre in joined if centre in under}
        joined |= {centre for centre, into in under.items() if into in codes}
        under |= dict.fromkeys(joined, "" if "" in joined else code)
    return under


def moves(
    before: Profile, after: Profile, tolerance: Tolerance, under: Mapping[str, str] | None = None
) -> list[Move]:
    """What moved by more than `tolerance`, tables first and their centres after them, the largest first.
    `under` are the centres that are compared `together`."""
    found = [
        move for table in before.tables for move in _of_table(table, before, after, tolerance, under or {})
    ]
    return sorted(found, key=lambda move: (move.centre is not None, -move.size, move.table, move.name))


def _of_table(
    table: str, before: Profile, after: Profile, tolerance: Tolerance, under: Mapping[str, str]
) -> Iterator[Move]:
    old, new = before.tables[table], after.tables.get(table)
    if new is None:
        yield Move(table, What.GONE, table, old.all.rows, 0)
        return
    yield from _of_counts(table, None, old.all, new.all, tolerance)
    there = _folded(new.centres, under)
    for centre, counts in _folded(old.centres, under).items():
        if centre not in there:
            yield Move(table, What.GONE, table, counts.rows, 0, centre)
        else:
            yield from _of_counts(table, centre, counts, there[centre], tolerance)


def _folded(centres: Mapping[str, Counts], under: Mapping[str, str]) -> Mapping[str, Counts]:
    folded: dict[str, Counts] = {}
    for centre, counts in centres.items():
        if code := under.get(centre, centre):
            folded[code] = _sum(folded[code], counts) if code in folded else counts
    return folded


def _sum(one: Counts, other: Counts) -> Counts:
    filled, rules = Counter(one.filled), Counter(one.rules)
    filled.update(other.filled)
    rules.update(other.rules)
    return Counts(one.rows + other.rows, filled, rules)


def _of_counts(
    table: str, centre: str | None, old: Counts, new: Counts, tolerance: Tolerance
) -> Iterator[Move]:
    if new.rows < old.rows and _apart(new.rows / old.rows, 1) > tolerance.rows:
        yield Move(table, What.ROWS, table, old.rows, new.rows, centre)
    for column in sorted({*old.filled, *new.filled}):
        shares = old.share_filled(column), new.share_filled(column)
        if _apart(*shares) > tolerance.filled:
            yield Move(table, What.FILLED, column, *shares, centre)
    for code in sorted({*old.rules, *new.rules}):
        shares = old.share_fired(code), new.share_fired(code)
        if _apart(*shares) > tolerance.rule:
            yield Move(table, What.RULE, code, *shares, centre)


def _apart(one: float, other: float) -> float:
    """Without the last digits of a binary fraction: 5 points are not more than 5 points."""
    return round(abs(one - other), 9)
