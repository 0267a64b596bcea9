"""What moved between two snapshots of one population: a decision on two profiles, no I/O.

A column that empties, a rule that fires more often, a table or centre that shrinks: each is a `Move`, the
largest first. Growth of a table is what daily loads are for, and no move.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def moves(before: Profile, after: Profile, tolerance: Tolerance) -> list[Move]:
    """What moved by more than `tolerance`, tables first and their centres after them, the largest first."""
    found = [move for table in before.tables for move in _of_table(table, before, after, tolerance)]
    return sorted(found, key=lambda move: (move.centre is not None, -move.size, move.table, move.name))


def _of_table(table: str, before: Profile, after: Profile, tolerance: Tolerance) -> Iterator[Move]:
    old, new = before.tables[table], after.tables.get(table)
    if new is None:
        yield Move(table, What.GONE, table, old.all.rows, 0)
        return
    yield from _of_counts(table, None, old.all, new.all, tolerance)
    for centre, counts in old.centres.items():
        if centre not in new.centres:
            yield Move(table, What.GONE, table, counts.rows, 0, centre)
        else:
            yield from _of_counts(table, centre, counts, new.centres[centre], tolerance)


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
