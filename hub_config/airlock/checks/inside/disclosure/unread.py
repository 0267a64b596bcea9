"""Cells of counts that no rule can read, and masks that say more than the policy lets them. Pure."""

from __future__ import annotations

from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.cells import Cell
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import COUNTING, Role, Roles, RowRole
from hub_config.governance.releases.findings import Rule, Severity

_SKIPPED: Final = (RowRole.STATISTIC, RowRole.EXTREME, RowRole.BLANK)


def check_unread(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Every cell of a column of counts is a number, a mask or a statistic, or somebody looks at it."""
    for at in roles.of(*COUNTING):
        column = grid.column(at)
        counts = any(cell.whole is not None for cell in column)
        for row, cell in enumerate(column):
            if roles.rows[row] in _SKIPPED or cell.empty or not cell.text:
                continue
            if cell.bounds is not None:
                _check_bounds(cell.bounds, row, at, marks)
            elif cell.statistic:
                _check_estimate(grid, roles, row, at, marks)
            elif not cell.is_read and (counts or _has_figure(cell)):
                marks.add(Rule.UNREAD_CELL, Severity.WARNING, row, at, min=marks.least)


def _check_bounds(bounds: tuple[int, int], row: int, at: int, marks: Marks) -> None:
    """A mask says 1 to the minimum less one, or more; closer bounds are a small count, nearly told."""
    if 1 < bounds[0] < marks.least < bounds[1] // marks.least:
        marks.add(Rule.UNREAD_CELL, Severity.WARNING, row, at, min=marks.least)
    elif is_narrow(bounds, marks.least):
        marks.add(Rule.NARROW_MASK, Severity.BLOCKING, row, at, below=marks.least - 1, min=marks.least)


def is_narrow(bounds: tuple[int, int], least: int) -> bool:
    low, high = bounds
    return high < least - 1 or (low > 1 and high < least)


def _check_estimate(grid: Grid, roles: Roles, row: int, at: int, marks: Marks) -> None:
    """`7 [5-9]`: a mean with its spread, or a count with its interval, where nothing else tells."""
    cell = grid.rows[row][at]
    head = cell.text.replace("\u00a0", " ").split("(")[0].split("[")[0].split("±")[0].split("+/-")[0].strip()
    if not head.isdecimal() or not marks.small(int(head)):
        return
    label = next((each.text for each in grid.rows[row][:at] if each.text), "")
    told = said.words(label) | said.words(grid.header[at])
    if not told & said.STATISTIC and roles.columns[at] is Role.COUNT:
        marks.add(Rule.SMALL_COUNT, Severity.WARNING, row, at)


def _has_figure(cell: Cell) -> bool:
    return any(each.isnumeric() for each in cell.text)
