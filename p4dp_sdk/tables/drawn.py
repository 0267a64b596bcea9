"""The figures that a publication table draws of itself: `table.plot.bar()`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.figures.errors import TooFewGroupsError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.tables.safe import SafeTable


@dataclass(frozen=True)
class Plots:
    """What `table.plot` offers. Each takes the table's groups and its counts unless told otherwise; where it
    has none, its first number. (Years and patients don't share an axis.)"""

    table: SafeTable

    def bar(
        self, category: str | None = None, values: str | Sequence[str] | None = None, **options: Any
    ) -> Axes:
        """Bars, withheld cells hatched. `options` are those of `p4dp.plots.bar`."""
        from p4dp_sdk import plots

        return plots.bar(*self._chosen(category, values), **self._titled(options))

    def line(
        self, category: str | None = None, values: str | Sequence[str] | None = None, **options: Any
    ) -> Axes:
        """Lines over ordered groups (months, ages). `options` are those of `p4dp.plots.line`."""
        from p4dp_sdk import plots

        return plots.line(*self._chosen(category, values), **self._titled(options))

    def histogram(self, classes: str | None = None, values: str | None = None, **options: Any) -> Axes:
        """Touching bars of classes of numbers. `options` are those of `p4dp.plots.histogram`."""
        from p4dp_sdk import plots

        frame, category, (first, *_others) = self._chosen(classes, values)
        return plots.histogram(frame, category, first, **self._titled(options))

    def pyramid(
        self, age: str | None = None, sex: str | None = None, values: str | None = None, **options: Any
    ) -> Axes:
        """Two groups back to back, by age. `options` are those of `p4dp.plots.pyramid`."""
        from p4dp_sdk import plots

        groups = self._groups(age, sex)
        across = sex or ("sex" if "sex" in groups else groups[-1])
        down = age or next((name for name in groups if name != across), groups[0])
        frame, _category, (first, *_others) = self._chosen(down, values)
        return plots.pyramid(frame, down, across, first, **self._titled(options))

    def heatmap(
        self, rows: str | None = None, columns: str | None = None, values: str | None = None, **options: Any
    ) -> Axes:
        """A coloured cell for each pair of groups. `options` are those of `p4dp.plots.heatmap`."""
        from p4dp_sdk import plots

        groups = self._groups(rows, columns)
        down = rows or next(name for name in groups if name != columns)
        across = columns or next(name for name in groups if name != down)
        frame, _category, (first, *_others) = self._chosen(down, values)
        return plots.heatmap(frame, down, across, first, **self._titled(options))

    def funnel(self, unit: str | None = None, *, numerator: str, denominator: str, **options: Any) -> Axes:
        """Each unit's share against its size. `options` are those of `p4dp.plots.funnel`."""
        from p4dp_sdk import plots

        frame, category, _values = self._chosen(unit, [numerator, denominator])
        chosen = self._titled(options)
        return plots.funnel(frame, category, numerator=numerator, denominator=denominator, **chosen)

    def forest(self, label: str | None = None, **options: Any) -> Axes:
        """Estimates with their intervals. `options` are those of `p4dp.plots.forest`."""
        from p4dp_sdk import plots

        frame, category, _values = self._chosen(label, None)
        return plots.forest(frame, category, **self._titled(options))

    def kaplan_meier(self, time: str = "time", **options: Any) -> Axes:
        """A survival curve, of a life table. `options` are those of `p4dp.plots.kaplan_meier`."""
        from p4dp_sdk import plots

        return plots.kaplan_meier(self.table.frame, time, **self._titled(options))

    def flow_chart(self, step: str = "step", **options: Any) -> Axes:
        """Who entered a study, and who was set aside. `options` are those of `p4dp.plots.flow_chart`."""
        from p4dp_sdk import plots

        return plots.flow_chart(self.table.frame, step, **self._titled(options))

    def _groups(self, *asked: str | None) -> list[str]:
        """The table's groups, of which a figure of two needs two."""
        labels = [column.name for column in self.table.statement.columns if not column.protected]
        for name in asked:
            if name is not None and name not in labels:
                raise UnknownNameError(name, labels)
        if len(labels) < 2:
            raise TooFewGroupsError(labels)
        return labels

    def _chosen(
        self, category: str | None, values: str | Sequence[str] | None
    ) -> tuple[pd.DataFrame, str, list[str]]:
        """What is drawn. Rows of several groups are named by all of them."""
        from p4dp_sdk.wire.publication import Shape

        columns = self.table.statement.columns
        labels = [column.name for column in columns if not column.protected]
        numbers = [column.name for column in columns if column.protected]
        counts = [column.name for column in columns if column.protected and column.shape is Shape.INTEGER]
        frame, together = self.table.frame, " · ".join(labels)
        if category is None and together not in frame:
            frame[together] = frame[labels].astype("string").agg(" · ".join, axis=1)
        asked = [
            category or together,
            *([values] if isinstance(values, str) else values or counts or numbers[:1]),
        ]
        for name in asked:
            if name not in frame:
                raise UnknownNameError(name, labels + numbers)
        return frame, asked[0], asked[1:]

    def _titled(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"title": self.table.title, **options}
