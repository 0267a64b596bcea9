"""The figures that a publication table draws of itself: `table.plot.bar()`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import UnknownNameError

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
