"""Small groups: counts from 1 to the policy's minimum less one, what is left under a total, what a percentage
gives away. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.cells import Cell
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import COUNTING, Role, Roles, RowRole
from hub_config.governance.releases.findings import Rule, Severity

_BLOCKING, _WARNING = Severity.BLOCKING, Severity.WARNING
_SKIPPED: Final = (RowRole.STATISTIC, RowRole.EXTREME, RowRole.BLANK)


def check_counts(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Small counts, zeros, unrounded counts."""
    for at, column in enumerate(roles.columns):
        number = roles.denominators[at]
        if number is not None and marks.small(number):
            marks.add(Rule.SMALL_COUNT, _BLOCKING, -1, at)
        for row, cells in enumerate(grid.rows):
            if is_count(cells[at], column, roles.rows[row], at):
                _check_count(cells[at], row, at, marks)


def is_count(cell: Cell, column: Role, row: RowRole, at: int) -> bool:
    if row in _SKIPPED or cell.whole is None or (cell.percent and cell.count is None):
        return False
    if column in COUNTING:
        return True
    return row is RowRole.COUNT and at > 0 and column not in _NO_COUNTS


_NO_COUNTS: Final = (Role.SHARE, Role.IDENTIFIER, Role.STATISTIC, Role.EXTREME)


def _check_count(cell: Cell, row: int, at: int, marks: Marks) -> None:
    count = cell.whole or 0
    if marks.small(count) or (cell.of is not None and marks.small(cell.of)):
        marks.add(Rule.SMALL_COUNT, _BLOCKING, row, at, min=marks.least, below=marks.least - 1)
    elif cell.of is not None and marks.small(cell.of - count):
        marks.add(Rule.SMALL_COMPLEMENT, _BLOCKING, row, at, below=marks.least - 1)
    elif count == 0:
        marks.add(Rule.ZERO_COUNT, _WARNING, row, at)
    elif marks.rounding and count % marks.rounding:
        marks.add(Rule.UNROUNDED_COUNT, _WARNING, row, at, base=marks.rounding)


def check_complements(grid: Grid, roles: Roles, marks: Marks) -> None:
    """N − n of a row, where N is a column's or a header's."""
    totals = roles.of(Role.TOTAL)
    counts = roles.of(Role.COUNT)
    parts = _parts_of_others(grid, roles)
    for row, cells in enumerate(grid.rows):
        if roles.rows[row] in _SKIPPED:
            continue
        for at in counts:
            whole = cells[at].whole
            total = _total_of(grid, roles, row, at, totals)
            if total is None and at in parts:
                total = cells[parts[at]].whole
            if whole and total is not None and total > whole and marks.small(total - whole):
                marks.add(Rule.SMALL_COMPLEMENT, _BLOCKING, row, at, below=marks.least - 1)


def _parts_of_others(grid: Grid, roles: Roles) -> dict[int, int]:
    """Counts that are part of another column's, since a column of percentages is what divides the two."""
    counts = roles.of(Role.COUNT)
    shares = [(at, scale) for at in roles.of(Role.SHARE) if (scale := _scale(grid, at)) is not None]
    return {
        part: whole
        for part in counts
        for whole in counts
        if part != whole and any(_divides(grid, roles, part, whole, at, scale) for at, scale in shares)
    }


def _divides(grid: Grid, roles: Roles, part: int, whole: int, share: int, scale: float) -> bool:
    rows = [cells for cells, role in zip(grid.rows, roles.rows, strict=True) if role not in _SKIPPED]
    told = [(row[part].whole, row[whole].whole, row[share].number) for row in rows]
    known = [(n, of, each * scale) for n, of, each in told if n is not None and of and each is not None]
    return len(known) > 1 and all(abs(100 * n / of - each) <= 0.6 for n, of, each in known)


def check_steps(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Those who remain, or come together, step by step: the difference of two steps is a count too."""
    for at in roles.of(Role.COUNT, Role.LIKELY_COUNT):
        told = said.words(grid.header[at])
        if not told & (said.REMAINING | said.CUMULATED):
            continue
        severity = _WARNING if told & {"risk", "risque"} else _BLOCKING
        steps = [
            (row, whole) for row, cells in enumerate(grid.rows) if (whole := cells[at].whole) is not None
        ]
        for (_, before), (row, after) in pairwise(steps):
            if marks.small(abs(before - after)):
                marks.add(Rule.SMALL_COMPLEMENT, severity, row, at, below=marks.least - 1)


def _total_of(grid: Grid, roles: Roles, row: int, at: int, totals: list[int]) -> int | None:
    if (told := roles.denominators[at]) is not None:
        return told
    if len(totals) != 1 or totals[0] == at:
        return None
    return grid.rows[row][totals[0]].whole


@dataclass(frozen=True)
class _Share:
    """A percentage with the smallest step its writing shows."""

    percent: float
    step: float


def check_shares(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Percentages: the count behind them, the unanimous ones, those without a denominator."""
    shares = roles.of(Role.SHARE)
    percent = {at: _scale(grid, at) for at in shares}
    groups = _groups_of_shares(grid, roles, percent)
    wholes = {at: _confirmed_total(grid, roles, at) or _only_n(grid) for at in shares}
    for row, cells in enumerate(grid.rows):
        if roles.rows[row] in _SKIPPED:
            continue
        for at in shares:
            scale, cell = percent[at], cells[at]
            if scale is not None and cell.number is not None:
                share = _Share(cell.number * scale, scale * 10.0**-cell.decimals)
                told = (_denominator(grid, roles, row, at), wholes[at], _whole_at(cells, groups.get(at)))
                total = next((number for number in told if number is not None), None)
                _check_share(share, total, row, at, roles, marks)
        for at in roles.of(Role.COUNT):
            if cells[at].share is not None:
                _check_pair(cells[at], roles.denominators[at], row, at, marks)
    if shares and not _has_denominator(grid, roles):
        marks.add(Rule.NO_DENOMINATOR, _WARNING, -1, shares[0])


def _scale(grid: Grid, at: int) -> float | None:
    """What makes percents of the column's numbers: 1, 100, or None where it holds rates per something."""
    told = said.words(grid.header[at])
    if told & {"1000", "10000", "100000", "mille", "incidence", "per", "pour"} and not told & {"100", "cent"}:
        return None
    numbers = [cell.number for cell in grid.column(at) if cell.number is not None]
    if not numbers or min(numbers) < 0 or max(numbers) > 100:
        return None
    fractions = (
        max(numbers) <= 1 and "%" not in grid.header[at] and not any(c.percent for c in grid.column(at))
    )
    if fractions and any(0 < each < 1 for each in numbers):
        return 100.0
    return None if fractions and not told & {"pct", "percent", "pourcentage"} else 1.0


def _whole_at(cells: Sequence[Cell], at: int | None) -> int | None:
    return None if at is None else cells[at].whole


def _denominator(grid: Grid, roles: Roles, row: int, at: int) -> int | None:
    """The N of a percentage by its column or its row."""
    if (told := roles.denominators[at]) is not None:
        return told
    totals = roles.of(Role.TOTAL)
    return grid.rows[row][totals[0]].whole if totals else None


def _groups_of_shares(grid: Grid, roles: Roles, scales: dict[int, float | None]) -> dict[int, int]:
    """Percentages of people to whom something happened, in groups whose size is the only count: « n » and
    « complications (%) »; not « n » and « % », where the percentage is that of the count itself."""
    counts = roles.of(Role.COUNT)
    if len(counts) != 1 or roles.of(Role.TOTAL):
        return {}
    return {
        at: counts[0]
        for at, scale in scales.items()
        if scale is not None
        and (said.words(grid.header[at]) - said.words(grid.header[counts[0]])) & said.HAPPENED
        and not _of_one_whole(grid, roles, counts[0], at, scale)
    }


def _of_one_whole(grid: Grid, roles: Roles, count: int, share: int, scale: float) -> bool:
    """Whether count and percentage give one and the same total in all rows."""
    told = [
        (row[count].whole, (row[share].number or 0) * scale)
        for row, role in zip(grid.rows, roles.rows, strict=True)
        if role not in _SKIPPED
    ]
    wholes = [100 * n / each for n, each in told if n and each]
    return len(wholes) < 2 or max(wholes) <= 1.25 * min(wholes)


def _only_n(grid: Grid) -> int | None:
    """The one « N = 200 » that stands in the title or in a label."""
    texts = (grid.title, *grid.header, *(cell.text for row in grid.rows[:200] for cell in row[:2]))
    told = {number for text in texts if (number := said.denominator_in(text)) is not None}
    return told.pop() if len(told) == 1 else None


def _confirmed_total(grid: Grid, roles: Roles, at: int) -> int | None:
    counts = roles.of(Role.COUNT)
    if len(counts) != 1:
        return None
    total = next(
        (r[counts[0]].whole for r, role in zip(grid.rows, roles.rows, strict=True) if role is RowRole.TOTAL),
        None,
    )
    if not total:
        return None
    pairs = [
        (r[counts[0]].whole, r[at].number)
        for r, role in zip(grid.rows, roles.rows, strict=True)
        if role is RowRole.DATA and r[counts[0]].whole is not None and r[at].number is not None
    ]
    scale = _scale(grid, at) or 1.0
    agree = [abs(100 * (n or 0) / total - (share or 0) * scale) < 1.0 for n, share in pairs]
    return total if agree and all(agree) else None


def _check_share(share: _Share, total: int | None, row: int, at: int, roles: Roles, marks: Marks) -> None:
    if roles.rows[row] is RowRole.TOTAL and share.percent == 100:
        return
    if share.percent in (0.0, 100.0):
        marks.add(Rule.UNANIMOUS, _WARNING, row, at)
        return
    if total is None:
        return
    behind, blur = share.percent * total / 100, share.step * total / 200
    small = any(_few(count, blur, marks) for count in (behind, total - behind))
    if small:
        marks.add(Rule.COUNT_BEHIND_PERCENTAGE, _BLOCKING, row, at, below=marks.least - 1)


def _few(count: float, blur: float, marks: Marks) -> bool:
    """Whether the writing's precision leaves no doubt that the count is small: the interval it leaves lies
    under the minimum, or its middle does and it is narrow."""
    return count + blur < marks.least or (round(count) < marks.least and blur <= 2)


def _check_pair(cell: Cell, total: int | None, row: int, at: int, marks: Marks) -> None:
    """`n (%)`: the N that the two give, and so what is left."""
    share, count = cell.share or 0.0, cell.count or 0
    if share in (0.0, 100.0):
        marks.add(Rule.UNANIMOUS, _WARNING, row, at)
    elif count and not marks.small(count) and (cell.percent or total is not None):
        implied = total if total is not None else count * 100 / share
        blur = 0.0 if total is not None else implied - count * 100 / (share + 0.5 * 10.0**-cell.decimals)
        if implied - count >= 0.5 and _few(implied - count, blur, marks):
            marks.add(Rule.SMALL_COMPLEMENT, _BLOCKING, row, at, below=marks.least - 1)


def _has_denominator(grid: Grid, roles: Roles) -> bool:
    if roles.counts_something or any(number is not None for number in roles.denominators):
        return True
    texts = (grid.title, *(cell.text for row in grid.rows[:200] for cell in row))
    return any(said.denominator_in(text) is not None for text in texts)
