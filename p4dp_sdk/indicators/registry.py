"""All measures by their French id, and the dashboards that group them.

A module of measures has `MEASURES` and `DASHBOARDS`; it is listed in `_ROOMS`. Nothing is computed when they
are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from p4dp_sdk.indicators.board import Board
from p4dp_sdk.indicators.errors import UnknownIndicatorError
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.measure import Dashboard, Measure

if TYPE_CHECKING:
    from p4dp_sdk.workspace import Workspace

_ROOMS: Final = ("general", "clinical", "addiction", "polypharmacy", "codes", "activity", "log")


@cache
def measures() -> Mapping[str, Measure]:
    """Every measure there is, by its id."""
    found: dict[str, Measure] = {}
    for room in _ROOMS:
        for measure in import_module(f"p4dp_sdk.indicators.{room}").MEASURES:
            if measure.id in found:
                raise ValueError(f"two measures are called {measure.id!r}")
            found[measure.id] = measure
    return found


@cache
def dashboards() -> Mapping[str, Dashboard]:
    """Every dashboard, by its id."""
    return {
        board.id: board
        for room in _ROOMS
        for board in import_module(f"p4dp_sdk.indicators.{room}").DASHBOARDS
    }


class Indicators(Mapping[str, Indicator]):
    """`ws.indicators`: each measure on the project's tables, by its French id."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getitem__(self, name: str) -> Indicator:
        if name not in measures():
            raise UnknownIndicatorError(name, measures())
        return self.of(measures()[name])

    def of(self, measure: Measure) -> Indicator:
        """A measure of one's own on the project's tables."""
        said = self._workspace.whoami
        return Indicator(
            measure,
            self._workspace.tables,
            date.fromisoformat(said.reference_date),
            date.fromisoformat(said.first_date),
            date.fromisoformat(said.last_date),
            self._workspace,
        )

    def dashboard(self, name: str) -> Board:
        """The indicators of one dashboard: "diabete", "general", "polymedication"…"""
        if name not in dashboards():
            raise UnknownIndicatorError(name, dashboards())
        return Board(self[each] for each in dashboards()[name].measures)

    def __iter__(self) -> Iterator[str]:
        return iter(measures())

    def __len__(self) -> int:
        return len(measures())

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return "\n".join(
            line
            for board in dashboards().values()
            for line in (board.label, *(f"  {name:<34} {measures()[name].label}" for name in board.measures))
        )

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.locale import translate as _

        rows = [
            (board.label, f'ws.indicators["{name}"]', measures()[name].label)
            for board in dashboards().values()
            for name in board.measures
        ]
        return markup.table([_("Dashboard"), _("Indicator"), _("Content")], rows)
