"""Groups against what chance allows: funnel limits for proportions.

Spiegelhalter (2005), Funnel plots for comparing institutional performance, Stat Med 24:1185–1202: exact
binomial limits around the whole's share (appendix A.1.1, interpolated between whole numbers), at 95 % and
99.8 %. Overdispersion is estimated from z-scores, the outer tenth of each side drawn in (winsorised), and
named where it exceeds what chance gives: then groups outside of the limits are to be expected, and the funnel
says little of any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.errors import TooLittleShownError
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LIMITS: Final = {"95": 0.95, "99_8": 0.998}
_WINSORISED: Final = 0.1
_LEAST_GROUPS: Final = 3


@dataclass(frozen=True)
class Funnel:
    """`frame`: a row a group, with `denominator`, `numerator`, `share`, `target` (the share of all shown
    groups), `z`, `low_95`, `high_95`, `low_99_8`, `high_99_8`, `outside` ("", "95 %" or "99.8 %").
    `overdispersion` is about 1 where only chance is at work."""

    frame: pd.DataFrame
    unit: str
    overdispersion: float

    @property
    def overdispersed(self) -> bool:
        """Whether groups differ by more than chance: above 1 + 2 √(2/groups)."""
        return self.overdispersion > 1 + 2 * math.sqrt(2 / int(self.frame["z"].notna().sum()))

    @property
    def remarks(self) -> list[str]:
        told = [
            _("What chance gives around {target} %: limits at 95 %, 99.8 %.").format(
                target=f"{100 * float(self.frame['target'].iloc[0]):.1f}"
            )
        ]
        if self.overdispersed:
            told.append(
                _(
                    "Overdispersion ({factor}): groups differ by more than chance, as they do where patients "
                    "or recording differ. A point outside says nothing by itself."
                ).format(factor=f"{self.overdispersion:.1f}")
            )
        return told

    def plot(self, **options: Any) -> Axes:
        """The funnel, drawn."""
        from p4dp_sdk import plots

        whole, part = _("Denominator"), _("Numerator")
        frame = self.frame.rename(columns={"denominator": whole, "numerator": part})
        return plots.funnel(frame, unit=self.unit, numerator=part, denominator=whole, **options)

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.tables.display import html

        return f"{html(self.frame) or ''}{markup.notes(self.remarks)}"


def funnel(frame: pd.DataFrame, unit: str) -> Funnel:
    """The funnel of a tidy frame of one measure. Groups with a withheld number keep their row, without
    limits. Raises TooLittleShownError where fewer than three groups are shown."""
    table = frame[[unit, "denominator", "numerator"]].copy()
    known = (
        table["denominator"].notna() & table["numerator"].notna() & (table["denominator"] > 0).fillna(False)
    )
    if int(known.sum()) < _LEAST_GROUPS:
        raise TooLittleShownError
    numbers = table[known]
    target = min(float(numbers["numerator"].sum()) / float(numbers["denominator"].sum()), 1.0)
    rows = [
        _row(n, d, target) if shown else {}
        for n, d, shown in zip(table["numerator"], table["denominator"], known, strict=True)
    ]
    for name in ("share", "z", *(f"{side}_{level}" for level in LIMITS for side in ("low", "high"))):
        table[name] = _column([row.get(name) for row in rows])
    table["target"] = target
    table["outside"] = [_outside(row) for row in rows]
    table.attrs = dict(frame.attrs)
    return Funnel(table, unit, overdispersion([row["z"] for row in rows if row]))


def limits(target: float, denominator: int, level: float) -> tuple[float, float]:
    """Exact binomial limits of a share around `target` in a group of this size, interpolated."""
    tail = (1 - level) / 2
    low, high = (_quantile(p, denominator, target) for p in (tail, 1 - tail))
    return max(0.0, low), min(1.0, high)


def overdispersion(scores: list[float]) -> float:
    """The mean of squared z-scores, winsorised at a tenth on either side (Spiegelhalter 2005, A.3.2)."""
    import numpy as np

    values = np.sort(np.asarray(scores, dtype=float))
    low, high = np.quantile(values, [_WINSORISED, 1 - _WINSORISED])
    return float(np.mean(np.clip(values, low, high) ** 2))


def _quantile(p: float, size: int, target: float) -> float:
    from scipy.stats import binom

    if target in (0.0, 1.0):
        return target
    least = int(binom.ppf(p, size, target))
    at, below = float(binom.cdf(least, size, target)), float(binom.cdf(least - 1, size, target))
    return (least - (at - p) / (at - below)) / size


def _row(numerator: Any, denominator: Any, target: float) -> dict[str, float]:
    size = int(denominator)
    share = min(float(numerator) / size, 1.0)
    spread = math.sqrt(target * (1 - target) / size)
    row = {"share": share, "z": (share - target) / spread if spread else 0.0}
    for name, level in LIMITS.items():
        row[f"low_{name}"], row[f"high_{name}"] = limits(target, size, level)
    return row


def _outside(row: dict[str, float]) -> str:
    if not row:
        return ""
    if not row["low_99_8"] <= row["share"] <= row["high_99_8"]:
        return "99.8 %"
    return "" if row["low_95"] <= row["share"] <= row["high_95"] else "95 %"


def _column(values: list[float | None]) -> Any:
    import pandas as pd

    return pd.array(values, dtype="Float64")
