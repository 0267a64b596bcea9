"""Minima and maxima, residuals, models that give their data away. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from hub_config.airlock.checks.inside.disclosure import vocabulary as said
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.roles import Role, Roles, RowRole
from hub_config.governance.releases.findings import Rule, Severity

LEAST_FREEDOM: Final = 10
_BLOCKING: Final = Severity.BLOCKING
_MANY: Final = 30


def check_extremes(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Columns and rows of minima and maxima, but not the bounds of classes."""
    columns = roles.of(Role.EXTREME)
    if columns and not _bounds_of_classes(grid, columns):
        for at in columns:
            if any(cell.number is not None for cell in grid.column(at)):
                meant = said.words(grid.header[at]) & said.PLAUSIBLE
                marks.add(Rule.EXTREME_VALUE, Severity.WARNING if meant else _BLOCKING, -1, at)
    severity = Severity.WARNING if _lists_settings(grid) else _BLOCKING
    for row, role in enumerate(roles.rows):
        if role is RowRole.EXTREME and any(cell.number is not None for cell in grid.rows[row]):
            marks.add(Rule.EXTREME_VALUE, severity, row, None)


def _lists_settings(grid: Grid) -> bool:
    """Names and values of an analysis's settings, a seed and thresholds among them: a minimum is a choice."""
    if grid.width != 2 or len(grid.rows) > _MANY:
        return False
    told = {word for row in grid.rows for word in said.words(row[0].text) & said.CONFIGURED}
    return len(told) >= 3


def _bounds_of_classes(grid: Grid, columns: Sequence[int]) -> bool:
    """A lower and an upper bound whose rows follow on one another without overlap."""
    if len(columns) != 2 or len(grid.rows) < 2:
        return False
    pairs = [(row[columns[0]].number, row[columns[1]].number) for row in grid.rows]
    known = [(low, high) for low, high in pairs if low is not None and high is not None]
    if len(known) < 2 or any(low > high for low, high in known):
        return False
    return all(high <= low and low - high <= 1 for (_, high), (low, _) in pairwise(known))


def check_models(grid: Grid, roles: Roles, marks: Marks) -> None:
    """Residuals and fitted values one an observation; few degrees of freedom; a fit that is the data."""
    for at, name in enumerate(grid.header):
        told = said.words(name)
        if _is_freedom(told):
            _check_freedom(grid, [(row, at) for row in range(len(grid.rows))], marks)
        elif told & said.RESIDUAL or (
            told & said.FITTED and len(grid.rows) >= _MANY and not roles.counts_something
        ):
            if len(grid.rows) >= _FEW:
                marks.add(Rule.RESIDUALS, _BLOCKING, -1, at)
        elif told & _FIT:
            _check_fit(grid, [(row, at) for row in range(len(grid.rows))], marks)
    for row, cells in enumerate(grid.rows):
        told = said.words(next((cell.text for cell in cells[:2] if cell.text and cell.number is None), ""))
        places = [(row, at) for at in range(grid.width)]
        if _is_freedom(told):
            _check_freedom(grid, places, marks)
        elif told & _FIT and len(told) <= 3:
            _check_fit(grid, places, marks)


_FEW: Final = 5
_FIT: Final = frozenset({"r2", "rsquared", "squared", "r²"})


def _is_freedom(told: frozenset[str]) -> bool:
    return bool(told & said.FREEDOM) and bool(told & (said.RESIDUAL | {"denom", "error", "erreur"}))


def _check_freedom(grid: Grid, places: Sequence[tuple[int, int]], marks: Marks) -> None:
    for row, at in places:
        number = grid.rows[row][at].number
        if number is not None and number <= 0:
            marks.add(Rule.SATURATED_MODEL, _BLOCKING, row, at)
        elif number is not None and number < LEAST_FREEDOM:
            marks.add(Rule.FEW_DEGREES_OF_FREEDOM, _BLOCKING, row, at)


def _check_fit(grid: Grid, places: Sequence[tuple[int, int]], marks: Marks) -> None:
    for row, at in places:
        number = grid.rows[row][at].number
        if number is not None and 0.9999 <= number <= 1:
            marks.add(Rule.SATURATED_MODEL, _BLOCKING, row, at)
