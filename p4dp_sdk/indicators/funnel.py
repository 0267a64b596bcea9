"""Groups against what chance allows: funnel limits for proportions.

Spiegelhalter (2005), Funnel plots for comparing institutional performance, Stat Med 24:1185–1202: exact
binomial limits around the whole's share (appendix A.1.1, interpolated between whole numbers), at 95 % and
99.8 %. Overdispersion is estimated from z-scores, the outer tenth of each side drawn in (winsorised), and
named where it exceeds what chance gives: then groups outside of the limits are to be expected, and the funnel
says little of any of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.figures.chance import limits
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.result import Result

LIMITS: Final = {"95": 0.95, "99_8": 0.998}
_WINSORISED: Final = 0.1
_LEAST_GROUPS: Final = 3


@dataclass(frozen=True)
class Funnel:
    """`frame`: a row a group, with `denominator`, `numerator`, `share`, `target` (the share of all shown
    groups), `z`, `low_95`, `high_95`, `low_99_8`, `high_99_8`, `outside` ("", "95 %" or "99.8 %").
    `overdispersion` is about 1 where only chance is at work; None where too few groups are shown for
    limits."""

    frame: pd.DataFrame
    unit: str
    overdispersion: float | None
    result: Result | None = None

    @property
    def overdispersed(self) -> bool:
        """Whether groups differ by more than chance: above 1 + 2 √(2/groups)."""
        groups = int(self.frame["z"].notna().sum())
        return self.overdispersion is not None and self.overdispersion > 1 + 2 * math.sqrt(2 / groups)

    @property
    def remarks(self) -> list[str]:
        if self.overdispersion is None:
            return [_("Too few groups are shown for limits: at least three are needed.")]
        target = _number(100 * float(self.frame["target"].iloc[0]))
        told = [_("What chance gives around {target} %: limits at 95 %, 99.8 %.").format(target=target)]
        if self.overdispersed:
            text = _(
                "Overdispersion ({factor}): groups differ by more than chance, as they do where patients "
                "or recording differ. A point outside says nothing by itself."
            )
            told.append(text.format(factor=_number(self.overdispersion)))
        return told

    def plot(self, highlight: str | None = None, **options: Any) -> Axes:
        """The funnel, with the group `highlight` named; bars where too few groups are shown for limits."""
        from p4dp_sdk import plots

        if self.overdispersion is None and self.result is not None:
            return self.result.plot(**options)
        frame, names, said = self.frame.copy(), self._names, self._titles
        frame[self.unit] = frame[self.unit].map(lambda code: names.get(code, code))
        marked = names.get(highlight, highlight) if highlight else None
        return plots.funnel(frame, unit=self.unit, highlight=marked, **{**said, **options})

    @property
    def _names(self) -> Mapping[str, str]:
        return {} if self.result is None else self.result.names.get(self.unit, {})

    @property
    def _titles(self) -> dict[str, str]:
        if self.result is None:
            return {}
        measure = self.result.measure
        return {"title": measure.label, "axis": _("Share (%)"), "size": measure.name_of("denominator")}

    @property
    def titled(self) -> pd.DataFrame:
        """The frame as people read it: shares and limits in per cent."""
        names, frame = self._names, self.frame
        made = frame[[self.unit, "denominator", "numerator"]].copy()
        made[self.unit] = made[self.unit].map(lambda code: names.get(code, code))
        made[_("Share (%)")] = (100 * frame["share"]).round(1)
        for level, told in (("95", "95 %"), ("99_8", _("99.8 %"))):
            pairs = zip(frame[f"low_{level}"], frame[f"high_{level}"], strict=True)
            made[_("Limits {level}").format(level=told)] = [_range(low, high) for low, high in pairs]
        made[_("Outside of")] = [_(each) if each else "—" for each in frame["outside"]]
        titles = {self.unit: _("Centre"), "denominator": _("Denominator"), "numerator": _("Numerator")}
        return made.rename(columns=titles)

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.indicators.shown import plain

        return f"{plain(self.titled)}{markup.notes(self.remarks)}"


def funnel(frame: pd.DataFrame, unit: str) -> Funnel:
    """The funnel of a tidy frame of one measure. Groups with a withheld number keep their row, without
    limits; where fewer than three groups are shown, none has."""
    table = frame[[unit, "denominator", "numerator"]].copy()
    known = (
        table["denominator"].notna() & table["numerator"].notna() & (table["denominator"] > 0).fillna(False)
    )
    enough = int(known.sum()) >= _LEAST_GROUPS
    target = _whole(table[known]) if enough else None
    rows = [
        _row(n, d, target) if shown else {}
        for n, d, shown in zip(table["numerator"], table["denominator"], known, strict=True)
    ]
    for name in ("share", "z", *(f"{side}_{level}" for level in LIMITS for side in ("low", "high"))):
        table[name] = _column([row.get(name) for row in rows])
    table["target"] = _column([target] * len(table))
    table["outside"] = [_outside(row) for row in rows]
    table.attrs = dict(frame.attrs)
    scores = [row["z"] for row in rows if "z" in row]
    return Funnel(table, unit, overdispersion(scores) if enough else None)


def overdispersion(scores: list[float]) -> float:
    """The mean of squared z-scores, winsorised at a tenth on either side (Spiegelhalter 2005, A.3.2)."""
    import numpy as np

    values = np.sort(np.asarray(scores, dtype=float))
    low, high = np.quantile(values, [_WINSORISED, 1 - _WINSORISED])
    return float(np.mean(np.clip(values, low, high) ** 2))


def _whole(numbers: pd.DataFrame) -> float:
    return min(float(numbers["numerator"].sum()) / float(numbers["denominator"].sum()), 1.0)


def _number(value: float) -> str:
    shown = f"{value:.1f}"
    return shown if language() is Language.ENGLISH else shown.replace(".", ",")


def _range(low: Any, high: Any) -> str:
    import pandas as pd

    return "—" if pd.isna(low) else f"{_number(100 * low)} – {_number(100 * high)}"


def _row(numerator: Any, denominator: Any, target: float | None) -> dict[str, float]:
    size = int(denominator)
    share = min(float(numerator) / size, 1.0)
    if target is None:
        return {"share": share}
    spread = math.sqrt(target * (1 - target) / size)
    row = {"share": share, "z": (share - target) / spread if spread else 0.0}
    for name, level in LIMITS.items():
        row[f"low_{name}"], row[f"high_{name}"] = limits(target, size, level)
    return row


def _outside(row: dict[str, float]) -> str:
    if "z" not in row:
        return ""
    if not row["low_99_8"] <= row["share"] <= row["high_99_8"]:
        return N_("99.8 %")
    return "" if row["low_95"] <= row["share"] <= row["high_95"] else "95 %"


def _column(values: list[float | None]) -> Any:
    import pandas as pd

    return pd.array(values, dtype="Float64")
