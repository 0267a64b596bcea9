"""Masked cells that a subtraction gives back: alone under a total, in one step or in several. Pure.

Rows and columns of a table that has totals are equations; whichever has one unknown is solved, and what it
gives is put into the others, until nothing more is found. A line of several unknowns gives them away too when
only one filling fits: all at their least, or all at their most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import Role, Roles, RowRole
from hub_config.governance.releases.findings import Rule, Severity

_Place = tuple[int, int]


@dataclass(frozen=True)
class _Line:
    """`total` is the sum of `parts`."""

    parts: tuple[_Place, ...]
    total: _Place


def check_totals(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Each masked cell that can be computed, once. Totals that do not add up are no equations."""
    known = _known(grid, roles)
    masked = {place for place, value in known.items() if value is None}
    if not masked:
        return
    lines = [line for line in (*_columns(grid, roles), *_rows(grid, roles)) if _adds_up(line, known)]
    for row, at in sorted(_solved(lines, known, marks.least)):
        marks.add(Rule.RECOMPUTABLE_CELL, Severity.BLOCKING, row, at)


def _known(grid: Grid, roles: Roles) -> dict[_Place, int | None]:
    """Every counting cell's value, None where it is masked."""
    counting = roles.of(Role.COUNT, Role.TOTAL, Role.LIKELY_COUNT)
    return {
        (row, at): cells[at].whole
        for row, cells in enumerate(grid.rows)
        for at in counting
        if roles.rows[row] in (RowRole.DATA, RowRole.TOTAL)
        and (cells[at].whole is not None or cells[at].masked)
    }


def _columns(grid: Grid, roles: Roles) -> Iterator[_Line]:
    """A total row sums the rows above it, back to the total before; the last may sum all."""
    for at in roles.of(Role.COUNT, Role.TOTAL, Role.LIKELY_COUNT):
        parts: list[_Place] = []
        for row, role in enumerate(roles.rows):
            if role is RowRole.TOTAL and parts:
                yield _Line(tuple(parts), (row, at))
                parts = []
            elif role is RowRole.DATA:
                parts.append((row, at))
        if parts and RowRole.TOTAL in roles.rows[:1]:
            yield _Line(tuple(parts), (0, at))


def _rows(grid: Grid, roles: Roles) -> Iterator[_Line]:
    """One total column sums the other counting columns of its row."""
    totals = roles.of(Role.TOTAL)
    others = roles.of(Role.COUNT, Role.LIKELY_COUNT)
    if len(totals) != 1 or len(others) < 2:
        return
    for row, role in enumerate(roles.rows):
        if role in (RowRole.DATA, RowRole.TOTAL):
            yield _Line(tuple((row, at) for at in others), (row, totals[0]))


def _adds_up(line: _Line, known: dict[_Place, int | None]) -> bool:
    """Whether the line can be an equation: its cells are known or masked, and nothing exceeds the total."""
    if any(place not in known for place in (*line.parts, line.total)):
        return False
    total = known[line.total]
    parts = [known[place] for place in line.parts]
    told = sum(value or 0 for value in parts)
    if total is None:
        return True
    return told == total if None not in parts else told <= total


def _solved(lines: list[_Line], known: dict[_Place, int | None], least: int) -> set[_Place]:
    values = dict(known)
    solved: set[_Place] = set()
    for _ in range(len(known) + 1):
        found = {place: value for line in lines for place, value in _fill(line, values, least)}
        if not found:
            return solved
        values |= found
        solved |= found.keys()
    return solved


def _fill(line: _Line, values: dict[_Place, int | None], least: int) -> Iterator[tuple[_Place, int]]:
    unknown = [place for place in line.parts if values[place] is None]
    total = values[line.total]
    told = sum(values[place] or 0 for place in line.parts)
    if total is None:
        if not unknown:
            yield line.total, told
        return
    rest = total - told
    if len(unknown) == 1:
        yield unknown[0], rest
    elif unknown and rest in (len(unknown), len(unknown) * (least - 1)):
        yield from ((place, rest // len(unknown)) for place in unknown)
