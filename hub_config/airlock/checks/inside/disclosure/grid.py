"""A table as its checks see it: a header, rows of cells, and where in the file they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub_config.airlock.checks.inside.disclosure.cells import Cell, read_cell
from hub_config.governance.releases.findings import Place

CELLS_CHECKED: Final = 400_000


@dataclass(frozen=True)
class Grid:
    """`first_row`: the number that people give to the first of `rows`; `sheet` where there are several."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    first_row: int = 2
    sheet: int | None = None
    title: str = ""
    line: int | None = None  # of a text, where the table's header stands
    has_header: bool = True

    @property
    def width(self) -> int:
        return len(self.header)

    def column(self, number: int) -> tuple[Cell, ...]:
        return tuple(row[number] for row in self.rows)

    def place(self, row: int | None, column: int | None) -> Place:
        """Row and column from 0, row -1 the header."""
        at = None if row is None else (self.first_row + row or None)  # no row 0: a header without a line
        across = None if column is None else column + 1
        what = self.header[column].strip()[:60] if column is not None else ""
        what = what if what.isprintable() else ""
        if self.line is not None and at is not None:
            return Place(sheet=self.sheet, line=at, column=across, what=what)
        return Place(sheet=self.sheet, row=at, column=across, what=what)


def grid_of(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    first_row: int = 2,
    sheet: int | None = None,
    title: str = "",
    line: int | None = None,
    has_header: bool = True,
) -> Grid:
    """Every row as wide as the widest; no more cells than `CELLS_CHECKED`."""
    listed = list(rows)
    width = max([len(header), *map(len, listed[:CELLS_CHECKED])], default=0)
    most = max(1, CELLS_CHECKED // max(width, 1))
    blank = read_cell("")
    return Grid(
        header=(*header, *[""] * (width - len(header))),
        rows=tuple((*map(read_cell, row), *[blank] * (width - len(row))) for row in listed[:most]),
        first_row=first_row,
        sheet=sheet,
        title=title,
        line=line,
        has_header=has_header,
    )
