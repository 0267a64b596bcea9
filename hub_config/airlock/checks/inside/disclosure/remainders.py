"""What a count leaves of its whole, where no column is called a total: rows over their total row, cases
beside those they are cases of, `996/1000` in a column of values. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.cells import Cell
from hub_config.airlock.checks.inside.disclosure.counts import is_count
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import Role, Roles, RowRole
from hub_config.governance.releases.findings import Rule, Severity

_SKIPPED: Final = (RowRole.STATISTIC, RowRole.EXTREME, RowRole.BLANK)
_LARGE: Final = 100


def check_remainders(grid: Grid, roles: Roles, marks: Marks) -> None:
    for at in roles.of(Role.COUNT, Role.LIKELY_COUNT):
        masked = any(cell.masked and not cell.empty for cell in grid.column(at))
        for total, parts in _under_totals(grid, roles, at):
            _check_rows(total, parts, at, roles, marks)
            if not masked:
                _check_rest(total, parts, at, marks)
    for part, whole in _pairs(grid, roles):
        for row, cells in enumerate(grid.rows):
            if roles.rows[row] not in _SKIPPED:
                _tell(cells[part].whole, cells[whole].whole, row, part, marks)
    for row, cells in enumerate(grid.rows):
        for at, cell in enumerate(cells):
            if cell.of is not None and at and not is_count(cell, roles.columns[at], roles.rows[row], at):
                _check_fraction(grid, cell, row, at, marks)


_Known = tuple[int, int]  # row, count


def _under_totals(grid: Grid, roles: Roles, at: int) -> Iterator[tuple[_Known, list[_Known]]]:
    """Each total row with the rows it stands under, back to the total before; one above all, with all."""
    parts: list[_Known] = []
    first: _Known | None = None
    for row, cells in enumerate(grid.rows):
        count = cells[at].whole
        if count is None:
            continue
        if roles.rows[row] is RowRole.TOTAL:
            if parts:
                yield (row, count), parts
                parts = []
            elif first is None:
                first = (row, count)
        elif roles.rows[row] in (RowRole.DATA, RowRole.COUNT):
            parts.append((row, count))
    if first is not None and parts:
        yield first, parts


def _check_rows(total: _Known, parts: Sequence[_Known], at: int, roles: Roles, marks: Marks) -> None:
    """Any one part may leave few. Where a column is no count by its name, a total smaller than its parts is
    a mean."""
    added = sum(count for _, count in parts)
    if roles.columns[at] is Role.LIKELY_COUNT and added > total[1]:
        return
    for row, count in parts:
        _tell(count, total[1], row, at, marks)


def _check_rest(total: _Known, parts: Sequence[_Known], at: int, marks: Marks) -> None:
    """All parts together may leave few: the class that no row shows. `totals` looks at the masked ones."""
    rest = total[1] - sum(count for _, count in parts)
    if len(parts) > 1 and marks.small(rest):
        marks.add(Rule.SMALL_COMPLEMENT, Severity.BLOCKING, total[0], at, below=marks.least - 1)


def _pairs(grid: Grid, roles: Roles) -> Iterator[tuple[int, int]]:
    """Columns of cases beside the one of those they are cases of: never more, in most rows."""
    counts = roles.of(Role.COUNT)
    wholes = [at for at in counts if _told(grid, at) & said.WHOLE and not _told(grid, at) & said.CASES]
    if len(wholes) != 1 or roles.of(Role.TOTAL):
        return
    for part in counts:
        if part != wholes[0] and _told(grid, part) & said.CASES:
            both = [(row[part].whole, row[wholes[0]].whole) for row in grid.rows]
            known = [n <= of for n, of in both if n is not None and of is not None]
            if known and 2 * sum(known) >= len(known):
                yield part, wholes[0]


def _told(grid: Grid, at: int) -> frozenset[str]:
    return said.words(grid.header[at])


def _tell(part: int | None, whole: int | None, row: int, at: int, marks: Marks) -> None:
    if part and whole is not None and marks.small(whole - part):
        marks.add(Rule.SMALL_COMPLEMENT, Severity.BLOCKING, row, at, below=marks.least - 1)


def _check_fraction(grid: Grid, cell: Cell, row: int, at: int, marks: Marks) -> None:
    """`996/1000`, but neither a month of a year, a score out of 30, a titre of 1/160, nor a pressure."""
    count, of = cell.count or 0, cell.of or 0
    label = next((each.text for each in grid.rows[row][:at] if each.text), "")
    if not 0 < count <= of or cell.is_month or of < marks.least:
        return
    if (said.words(label) | _told(grid, at)) & said.SCORE or (
        count == 1 and grid.rows[row][at].text.count("/")
    ):
        return
    severity = Severity.BLOCKING if of >= _LARGE else Severity.WARNING
    if marks.small(count):
        marks.add(Rule.SMALL_COUNT, severity, row, at)
    elif marks.small(of - count):
        marks.add(Rule.SMALL_COMPLEMENT, severity, row, at, below=marks.least - 1)
