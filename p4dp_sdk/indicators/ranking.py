"""The codes that occur most, and one's own beside the whole base.

The first of a long list are chosen among the numbers that are shown: a draft may exchange neighbours. Shares
are of all rows of the period, those of withheld codes too, so that they don't depend on what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.compile import ROWS
from p4dp_sdk.indicators.measure import Measure, Tables
from p4dp_sdk.indicators.window import Window
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.result import Result

TOP: Final = 20
_OWN, _BASE = "own_share", "base_share"


@dataclass(frozen=True)
class Comparison:
    """`frame`: a row a code, those that are one's own most often first: `own_rows`, `own_share`, `base_rows`,
    `base_share`, `ratio` (own share by that of the base). A withheld number leaves `<NA>`."""

    frame: pd.DataFrame
    by: str
    label: str

    def plot(self, **options: Any) -> Axes:
        """Both shares of each code, side by side."""
        from p4dp_sdk import plots

        shares = {_("Mine (%)"): 100 * self.frame[_OWN], _("Whole base (%)"): 100 * self.frame[_BASE]}
        said = {"title": self.label, "axis": "%", **options}
        return plots.bar(self.frame.assign(**shares), self.by, list(shares), labels="label", **said)

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.indicators.shown import plain

        shown = self.frame.drop(columns=self.by).rename(
            columns={
                "label": _("code"),
                "own_rows": _("Mine"),
                _OWN: _("Mine (%)"),
                "base_rows": _("Whole base"),
                _BASE: _("Whole base (%)"),
                "ratio": _("Ratio"),
            }
        )
        for name in (_("Mine (%)"), _("Whole base (%)")):
            shown[name] = (100 * shown[name]).round(1)
        shown[_("Ratio")] = shown[_("Ratio")].round(2)
        return markup.heading(self.label) + plain(shown)


def first(expression: ir.Table, by: str, n: int) -> ir.Table:
    """The `n` groups with most rows; of equal ones, those first by name."""
    import ibis

    return expression.order_by(ibis.desc(ROWS), by).limit(n)


def only(measure: Measure, by: str, codes: Sequence[str]) -> Measure:
    """The measure of rows with one of these codes: a table of twenty groups is protected sooner than one of
    all codes."""

    def population(tables: Tables, window: Window) -> Any:
        units = measure.population(tables, window)
        return units.filter(units[by].isin(list(codes)))

    return replace(measure, population=population)


def compared(own: Result, own_total: Result, base: Result, base_total: Result, by: str) -> Comparison:
    """One's own codes beside those of the base. `own` is ranked; totals are of all codes."""
    import pandas as pd

    mine = own.counts[[by, ROWS]].rename(columns={ROWS: "own_rows"})
    theirs = base.counts[[by, ROWS]].rename(columns={ROWS: "base_rows"})
    both = mine.merge(theirs, on=by, how="left").reset_index(drop=True)
    both[_OWN] = both["own_rows"] / _whole(own_total)
    both[_BASE] = both["base_rows"] / _whole(base_total)
    both["ratio"] = (both[_OWN] / both[_BASE]).astype("Float64")
    names = own.names.get(by, {})
    both.insert(1, "label", pd.Series([names.get(code, code) for code in both[by]], dtype="string"))
    return Comparison(both, by, own.measure.label)


def _whole(total: Result) -> Any:
    return total.counts[ROWS].iloc[0]
