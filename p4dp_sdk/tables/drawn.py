"""The figures that a publication table draws of itself: `table.plot.bar()`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.figures.errors import NotBornSafeError, TooFewGroupsError
from p4dp_sdk.figures.spec import BadSpec, Choice, Kind, Part, Spec
from p4dp_sdk.locale import language
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.publication import Shape

if TYPE_CHECKING:
    from p4dp_sdk.tables.figure import SafeFigure
    from p4dp_sdk.tables.safe import SafeTable

Names = str | Sequence[str] | None


@dataclass(frozen=True)
class Plots:
    """What `table.plot` offers. Each takes the table's groups and its counts unless told otherwise; where it
    has none, its first number. (Years and patients don't share an axis.)

    What they give is born safe: nothing in it but the table. Each takes `titled=False`, and what is named in
    its signature; words, colours or limits of one's own are for `figure.axes`, or for `p4dp.plots`.
    """

    table: SafeTable

    def bar(
        self, category: Names = None, values: Names = None, *, horizontal: bool = False, **more: Any
    ) -> SafeFigure:
        """Bars, one for each row or a group of them; withheld cells are hatched."""
        parts = {Part.CATEGORY: self._category(category), Part.VALUES: self._values(values)}
        return self._figure(Kind.BAR, parts, {Choice.HORIZONTAL: horizontal}, more)

    def line(self, category: Names = None, values: Names = None, **more: Any) -> SafeFigure:
        """Lines over ordered groups (months, ages)."""
        parts = {Part.CATEGORY: self._category(category), Part.VALUES: self._values(values)}
        return self._figure(Kind.LINE, parts, {}, more)

    def histogram(self, classes: Names = None, values: str | None = None, **more: Any) -> SafeFigure:
        """Touching bars of classes of numbers."""
        parts = {Part.CATEGORY: self._category(classes), Part.VALUES: self._values(values)[:1]}
        return self._figure(Kind.HISTOGRAM, parts, {}, more)

    def pyramid(
        self, age: str | None = None, sex: str | None = None, values: str | None = None, **more: Any
    ) -> SafeFigure:
        """Two groups back to back, by age."""
        groups = self._two_groups(age, sex)
        across = sex or ("sex" if "sex" in groups else groups[-1])
        down = age or next((name for name in groups if name != across), groups[0])
        parts = {Part.AGE: (down,), Part.SEX: (across,), Part.VALUES: self._values(values)[:1]}
        return self._figure(Kind.PYRAMID, parts, {}, more)

    def heatmap(
        self, rows: str | None = None, columns: str | None = None, values: str | None = None, **more: Any
    ) -> SafeFigure:
        """A coloured cell for each pair of groups."""
        groups = self._two_groups(rows, columns)
        down = rows or next(name for name in groups if name != columns)
        across = columns or next(name for name in groups if name != down)
        parts = {Part.ROWS: (down,), Part.COLUMNS: (across,), Part.VALUES: self._values(values)[:1]}
        return self._figure(Kind.HEATMAP, parts, {}, more)

    def funnel(self, unit: Names = None, *, numerator: str, denominator: str, **more: Any) -> SafeFigure:
        """Each unit's share against its size, with the limits that chance allows."""
        parts = {
            Part.CATEGORY: self._category(unit),
            Part.NUMERATOR: self._known(numerator),
            Part.DENOMINATOR: self._known(denominator),
        }
        return self._figure(Kind.FUNNEL, parts, {}, more)

    def forest(
        self,
        label: Names = None,
        *,
        estimate: str = "estimate",
        low: str = "low",
        high: str = "high",
        log: bool = False,
        **more: Any,
    ) -> SafeFigure:
        """Estimates with their intervals; ratios on a logarithmic axis with `log`."""
        named = {Part.ESTIMATE: estimate, Part.LOW: low, Part.HIGH: high}
        parts = {part: self._known(name) for part, name in named.items()}
        return self._figure(
            Kind.FOREST, {Part.CATEGORY: self._category(label), **parts}, {Choice.LOG: log}, more
        )

    def kaplan_meier(
        self, time: str = "time", *, rising: bool = False, stepped: bool = True, **more: Any
    ) -> SafeFigure:
        """A survival curve of a life table: its columns survival, low, high, at_risk and group, where it has
        them; others by name (`survival="…"`)."""
        named = {part: more.pop(name, name) for name, part in _OF_CURVES.items()}
        there = {part: (name,) for part, name in named.items() if name in self._columns}
        parts = {Part.TIME: self._known(time), Part.SURVIVAL: self._known(named[Part.SURVIVAL]), **there}
        return self._figure(
            Kind.KAPLAN_MEIER, parts, {Choice.RISING: rising, Choice.SMOOTH: not stepped}, more
        )

    def flow_chart(
        self, step: str = "step", *, n: str = "n", excluded: str = "excluded", **more: Any
    ) -> SafeFigure:
        """Who entered a study, and who was set aside."""
        named = {Part.STEP: step, Part.COUNT: n, Part.EXCLUDED: excluded}
        return self._figure(
            Kind.FLOW_CHART, {part: self._known(each) for part, each in named.items()}, {}, more
        )

    # what is drawn, of which columns

    def _figure(
        self,
        kind: Kind,
        parts: Mapping[Part, tuple[str, ...]],
        chosen: Mapping[Choice, bool],
        more: dict[str, Any],
    ) -> SafeFigure:
        from p4dp_sdk.tables.figure import SafeFigure

        chosen = {**chosen, Choice.UNTITLED: not more.pop("titled", True)}
        if more:
            raise NotBornSafeError(N_("it has words, numbers or axes of your own"))
        choices = frozenset(choice for choice, made in chosen.items() if made)
        try:
            return SafeFigure(self.table, Spec(kind, parts, choices, language()))
        except BadSpec as problem:
            raise NotBornSafeError(str(problem)) from None

    @property
    def _columns(self) -> list[str]:
        return [column.name for column in self.table.statement.columns]

    @property
    def _labels(self) -> list[str]:
        return [column.name for column in self.table.statement.columns if not column.protected]

    def _known(self, *names: str) -> tuple[str, ...]:
        for name in names:
            if name not in self._columns:
                raise UnknownNameError(name, self._columns)
        return names

    def _category(self, asked: Names) -> tuple[str, ...]:
        """What names the rows: those asked, else all groups of the table."""
        return self._known(*([asked] if isinstance(asked, str) else asked or self._labels))

    def _values(self, asked: Names) -> tuple[str, ...]:
        """The numbers drawn: those asked, else the counts, else the first number."""
        columns = [column for column in self.table.statement.columns if column.protected]
        counts = [column.name for column in columns if column.shape is Shape.INTEGER]
        usual = counts or [column.name for column in columns[:1]]
        return self._known(*([asked] if isinstance(asked, str) else asked or usual))

    def _two_groups(self, *asked: str | None) -> list[str]:
        """The table's groups, of which a figure of two needs two."""
        labels = self._labels
        for name in asked:
            if name is not None and name not in labels:
                raise UnknownNameError(name, labels)
        if len(labels) < 2:
            raise TooFewGroupsError(labels)
        return labels


_OF_CURVES = {
    "survival": Part.SURVIVAL,
    "low": Part.LOW,
    "high": Part.HIGH,
    "at_risk": Part.AT_RISK,
    "group": Part.GROUP,
}
