"""Two tables that count the same things, side by side: what differs between them, cell by cell. Pure.

The texts of cells are compared as a person reads them. A row is known by its labels: its cells in columns of
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

Row = Sequence[str]
Key = tuple[str, ...]

_MARKS: Final = frozenset(
    {"", "<na>", "na", "nan", "none", "null", "<11", "masqué", "[masqué]", "·", "–", "-"}
)
FEW: Final = 10  # a difference of so many people or fewer could name them
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]")
_NUMBER: Final = re.compile(r"[-+−]?\d+([.,]\d+)?%?")


@dataclass(frozen=True)
class Table:
    """As a preview shows it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Change:
    """One cell: what it says now, what it said, the difference where both are numbers. None: no such row."""

    now: str | None
    before: str | None
    difference: Decimal | None = None

    @property
    def same(self) -> bool:
        return self.now == self.before

    @property
    def small(self) -> bool:
        """Whether the difference could be that of a few people."""
        whole = self.difference is not None and self.difference == self.difference.to_integral_value()
        return whole and self.difference is not None and 0 < abs(self.difference) <= FEW


@dataclass(frozen=True)
class Line:
    labels: Key
    cells: tuple[Change, ...]

    @property
    def same(self) -> bool:
        return all(cell.same for cell in self.cells)


@dataclass(frozen=True)
class Comparison:
    """`lines` in the order of the table now, then those that are gone."""

    labels: tuple[str, ...]
    measures: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def equal(self) -> bool:
        return all(line.same for line in self.lines)

    @property
    def small(self) -> int:
        """How many cells differ by a few."""
        return sum(cell.small for line in self.lines for cell in line.cells)

    @property
    def changed(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if not line.same)

    @property
    def unchanged(self) -> int:
        return len(self.lines) - len(self.changed)


def compare(now: Table, before: Table) -> Comparison | None:
    """None if the two don't have the same columns, or rows can't be told apart by their labels."""
    if now.header != before.header or not now.header:
        return None
    labels = _label_columns(now, before)
    measures = [c for c in range(len(now.header)) if c not in labels]
    ours, theirs = _by_labels(now, labels), _by_labels(before, labels)
    if ours is None or theirs is None:
        return None
    keys = list(dict.fromkeys([*ours, *theirs]))
    return Comparison(
        labels=tuple(now.header[c] for c in labels),
        measures=tuple(now.header[c] for c in measures),
        lines=tuple(Line(key, tuple(_changes(ours.get(key), theirs.get(key), measures))) for key in keys),
    )


def number(text: str) -> Decimal | None:
    """The number that a French or an English reader sees in `text`; None if it is none."""
    bare = _SPACES.sub("", text)
    if not _NUMBER.fullmatch(bare):
        return None
    try:
        return Decimal(bare.rstrip("%").replace("−", "-").replace(",", "."))
    except InvalidOperation:
        return None


def _changes(now: Row | None, before: Row | None, measures: Sequence[int]) -> Iterator[Change]:
    for column in measures:
        new, old = now[column] if now else None, before[column] if before else None
        first, second = number(new or ""), number(old or "")
        known = first is not None and second is not None
        yield Change(new, old, first - second if known and first is not None and second is not None else None)


def _label_columns(now: Table, before: Table) -> list[int]:
    """Columns of words; where these don't tell rows apart (years, ages), the first others that do as well."""
    rows, width = [*now.rows, *before.rows], len(now.header)
    words = [c for c in range(width) if _is_words([row[c] for row in rows])]
    numbers = [c for c in range(width) if c not in words]
    for more in range(len(numbers)):
        labels = sorted([*words, *numbers[:more]])
        if all(_by_labels(table, labels) is not None for table in (now, before)):
            return labels
    return words


def _is_words(cells: Sequence[str]) -> bool:
    """Whether most cells that say something say no number. Marks of withheld cells say nothing."""
    said = [cell for cell in cells if _SPACES.sub("", cell).lower() not in _MARKS]
    return 2 * sum(number(cell) is not None for cell in said) < len(said)


def _by_labels(table: Table, labels: Sequence[int]) -> dict[Key, Row] | None:
    found: dict[Key, Row] = {tuple(row[c] for c in labels): row for row in table.rows}
    return found if len(found) == len(table.rows) else None
