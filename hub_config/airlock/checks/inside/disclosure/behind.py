"""Percentages whose whole is told elsewhere than in a column of theirs: in the row's label, the header of a
mixed column, a row of N, the size of the group, or the other rows of a count that is masked here. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.cells import Cell
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import Role, Roles, RowRole
from hub_config.governance.releases.findings import Rule, Severity

_SKIPPED: Final = (RowRole.STATISTIC, RowRole.EXTREME, RowRole.BLANK)
_N: Final = frozenset({"n", "effectif", "effectifs", "nombre", "patients", "total", "ensemble"})
_AGREE: Final = 0.02
_RATE: Final = re.compile(r"(pour|per|/)\s*1([ .,\u00a0\u202f]?0){3}|mille|‰|person", re.IGNORECASE)


def check_behind(grid: Grid, roles: Roles, marks: Marks) -> None:
    sizes = _row_of_sizes(grid, roles)
    for row, cells in enumerate(grid.rows):
        if roles.rows[row] in _SKIPPED:
            continue
        of_row = _size_in(cells)
        for at, cell in enumerate(cells):
            if cell.percent and cell.number is not None and at:
                total = of_row or roles.denominators[at] or sizes.get(at)
                if total and few_behind(cell.number, cell.decimals, total, marks.least):
                    _add(marks, row, at)
    for at in roles.of(Role.COUNT, Role.LIKELY_COUNT):
        _check_masked(grid, roles, at, marks)
    _check_groups(grid, roles, marks)


def few_behind(percent: float, decimals: int, total: int, least: int) -> bool:
    """Whether the percentage, as exactly as it is written, leaves few on either side."""
    behind, blur = percent * total / 100, 10.0**-decimals * total / 200
    return 0 < percent < 100 and any(
        count + blur < least or (round(count) < least and blur <= 2) for count in (behind, total - behind)
    )


def _add(marks: Marks, row: int, at: int, severity: Severity = Severity.BLOCKING) -> None:
    marks.add(Rule.COUNT_BEHIND_PERCENTAGE, severity, row, at, below=marks.least - 1)


def _size_in(cells: Sequence[Cell]) -> int | None:
    told = (said.denominator_in(cell.text) for cell in cells[:3] if cell.text)
    return next((number for number in told if number), None)


def _row_of_sizes(grid: Grid, roles: Roles) -> dict[int, int]:
    """The N of each column, where a row « N » tells it."""
    for row, cells in enumerate(grid.rows):
        label = next((cell.text for cell in cells[:2] if cell.text), "")
        if said.words(label) and said.words(label) <= _N and roles.rows[row] not in _SKIPPED:
            return {at: cell.whole for at, cell in enumerate(cells) if at and cell.whole and not cell.percent}
    return {}


def _check_masked(grid: Grid, roles: Roles, at: int, marks: Marks) -> None:
    """A masked count beside its own percentage, in its cell or in the next column."""
    shares = [each for each in roles.of(Role.SHARE) if at < each <= at + 2][:1]
    whole = roles.denominators[at] or _whole_of(grid, roles, at, shares)
    for row, cells in enumerate(grid.rows):
        cell = cells[at]
        if not cell.masked or cell.empty or roles.rows[row] in _SKIPPED:
            continue
        beside = [(each, cells[each]) for each in shares if cells[each].number is not None]
        told = [(at, cell.share)] if cell.share is not None else [(each, one.number) for each, one in beside]
        for place, percent in told:
            if whole is None:
                _add(marks, row, place, Severity.WARNING)
            elif percent and few_behind(percent, cells[place].decimals, round(whole), marks.least):
                _add(marks, row, place)


def _whole_of(grid: Grid, roles: Roles, at: int, shares: Sequence[int]) -> float | None:
    """The one whole that counts and percentages of the other rows give."""
    wholes = [whole for _, whole in _implied(grid, roles, at, shares)]
    if not wholes or max(wholes) > 1.05 * min(wholes):
        return None
    return sum(wholes) / len(wholes)


def _implied(grid: Grid, roles: Roles, at: int, shares: Sequence[int]) -> Iterator[tuple[int, float]]:
    for row, cells in enumerate(grid.rows):
        percent = cells[at].share if cells[at].share is not None else None
        if percent is None and shares:
            percent = cells[shares[0]].number
        count = cells[at].whole
        if count and percent and percent > 1 and roles.rows[row] not in _SKIPPED:
            yield row, 100 * count / percent


def _check_groups(grid: Grid, roles: Roles, marks: Marks) -> None:
    """« n » and « % » without a word of what is counted: the percentage is the count's own where other rows
    have the same whole, else it may be one of the group."""
    counts, shares = roles.of(Role.COUNT), roles.of(Role.SHARE)
    if len(counts) != 1 or roles.of(Role.TOTAL) or len(shares) != 1 or roles.denominators[shares[0]]:
        return
    count, share = counts[0], shares[0]
    name = grid.header[share]
    if count > share or said.words(name) & said.CHANGE or _RATE.search(name):
        return
    told = [
        (row, cells[count].whole or 0, cells[share])
        for row, cells in enumerate(grid.rows)
        if roles.rows[row] in (RowRole.DATA, RowRole.COUNT) and cells[count].whole and cells[share].number
    ]
    totals = [
        float(cells[count].whole or 0)
        for row, cells in enumerate(grid.rows)
        if roles.rows[row] is RowRole.TOTAL
    ]
    wholes = sorted([100 * size / (cell.number or 1.0) for _, size, cell in told] + totals)
    for row, size, cell in told:
        percent = cell.number or 0.0
        own = 100 * size / percent
        near = max(_AGREE, 10.0**-cell.decimals / percent) * own
        if bisect_right(wholes, own + near) - bisect_left(wholes, own - near) > 1:  # another than its own
            continue
        if size >= marks.least and few_behind(percent, cell.decimals, size, marks.least):
            _add(marks, row, share, Severity.WARNING)
