"""Direct standardisation by age and sex: each group's share as it would be in one standard population.

Rate = Σ wᵢ xᵢ/nᵢ over strata of age and sex, weights summing to one. Interval: Fay & Feuer (1997), Stat Med
16:791–801 (gamma), made for rates of few events; of frequent conditions it is somewhat too wide. The European
Standard Population 2013 is Eurostat's (RA-13-028), the same for both sexes.

A stratum that is withheld or empty in a group has no rate. Its weight is shared out among the others, as long
as they hold nine tenths of the whole; below that nothing is given: the gap would decide the result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.result import Result

# European Standard Population 2013, by 5-year age group, of 100,000 (the first five years in one)
ESP2013: Final = (
    5000, 5500, 5500, 5500, 6000, 6000, 6500, 7000, 7000, 7000,
    7000, 6500, 6000, 5500, 5000, 4000, 2500, 1500, 800, 200,
)  # fmt: skip
LEAST_COVERED: Final = 0.9
_OLDEST: Final = 5 * len(ESP2013)
_STRATA: Final = ["sex", "age_band"]


class Standard(StrEnum):
    """Whose ages and sexes all groups are given."""

    BASE = "base"  # the denominators of the whole base
    ESP2013 = "esp2013"


@dataclass(frozen=True)
class Rate:
    """A standardised share, its interval, and how much of the standard's weight it rests on."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Standardised:
    """`frame`: a row a group, with its crude `denominator`, `numerator` and `crude` share where all its
    strata are shown, the standardised `share`, `low`, `high`, and `covered`, the part of the standard's
    weight whose strata are shown."""

    frame: pd.DataFrame
    by: str
    standard: Standard
    crude: Result | None = None

    @property
    def remarks(self) -> list[str]:
        names = {
            Standard.BASE: _("the whole base"),
            Standard.ESP2013: _("the European Standard Population 2013"),
        }
        return [
            _("Standardised by age and sex to {standard}; intervals by Fay and Feuer (1997).").format(
                standard=names[self.standard]
            ),
            _("Nothing is given where withheld strata hold more than a tenth of the standard."),
        ]

    @property
    def titled(self) -> pd.DataFrame:
        """The frame as people read it: crude and standardised shares in per cent."""
        import pandas as pd

        frame = self.frame
        made = pd.DataFrame({_("Centre"): [self._name(code) for code in frame[self.by]]})
        if self.crude is not None:
            shares = self.crude.frame.set_index(self.by)["share"].reindex(frame[self.by])
            made[_("Crude share (%)")] = (100 * shares).round(1).array
        titles = {"share": _("Standardised share (%)"), "low": _("Low (95 %)"), "high": _("High (95 %)")}
        for column, title in titles.items():
            made[title] = (100 * frame[column]).round(1).array
        made[_("Standard covered (%)")] = (100 * frame["covered"]).round(0).astype("Int64").array
        return made

    def plot(self, **options: Any) -> Axes:
        """Standardised shares with their intervals, one below the other."""
        from p4dp_sdk import plots

        frame = self.frame[[self.by, "share", "low", "high"]].copy()
        frame[self.by] = [self._name(code) for code in frame[self.by]]
        for name in ("share", "low", "high"):
            frame[name] = (100 * frame[name]).round(1)
        title = "" if self.crude is None else self.crude.measure.label
        said = {"title": title, "axis": _("Standardised share (%)"), **options}
        return plots.forest(frame, self.by, estimate="share", **said)

    def _name(self, code: Any) -> Any:
        names = {} if self.crude is None else self.crude.names.get(self.by, {})
        return names.get(code, code)

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup
        from p4dp_sdk.indicators.shown import plain

        return f"{plain(self.titled)}{markup.notes(self.remarks)}"


def standardised(
    frame: pd.DataFrame, whole: pd.DataFrame, by: str, standard: Standard | str = Standard.BASE
) -> Standardised:
    """Standardised shares of the groups of `by`. `frame` is tidy, of one measure, by group, sex and age band;
    `whole` the same without the group. A group of which too little is shown has no share."""
    chosen = Standard(standard)
    weights = _weights(whole, chosen)
    rows = [_row(name, part, weights, by) for name, part in frame.groupby(by, dropna=False, sort=True)]
    table = _frame(rows, by)
    table.attrs = dict(frame.attrs)
    return Standardised(table, by, chosen)


def fay_feuer(events: Sequence[float], people: Sequence[float], weights: Sequence[float]) -> Rate:
    """The directly standardised rate of strata and its 95 % interval. Weights are taken relative to their
    sum."""
    from scipy.stats import chi2

    parts = [weight / sum(weights) / n for weight, n in zip(weights, people, strict=True)]
    rate = sum(part * x for part, x in zip(parts, events, strict=True))
    variance = sum(part**2 * x for part, x in zip(parts, events, strict=True))
    most = max(parts)
    low = 0.0 if not rate else variance / (2 * rate) * chi2.ppf(0.025, 2 * rate**2 / variance)
    above, spread = rate + most, variance + most**2
    high = spread / (2 * above) * chi2.ppf(0.975, 2 * above**2 / spread)
    return Rate(float(rate), float(low), float(high))


def esp2013(age_band: str) -> float:
    """The standard's people in a class such as "10-19" or "90+"; ValueError where its limits are no multiples
    of five."""
    low, _dash, high = age_band.rstrip("+").partition("-")
    start, end = int(low), int(high) + 1 if high else _OLDEST
    if start % 5 or end % 5 or not 0 <= start < end <= _OLDEST:
        raise ValueError(f"no class of the European Standard Population: {age_band!r}")
    return float(sum(ESP2013[start // 5 : end // 5]))


def _weights(whole: pd.DataFrame, standard: Standard) -> Mapping[tuple[Any, ...], float]:
    """The standard's people in each stratum in which the base has anybody."""
    known = whole[whole["denominator"].notna() & (whole["denominator"] > 0).fillna(False)]
    strata = [tuple(row) for row in known[_STRATA].itertuples(index=False)]
    numbers = known["denominator"].tolist()
    if standard is Standard.BASE:
        return dict(zip(strata, map(float, numbers), strict=True))
    return {stratum: esp2013(str(stratum[1])) for stratum in strata if _is_class(stratum[1])}


def _is_class(label: Any) -> bool:
    return isinstance(label, str) and label[:2].isdigit()


def _row(name: Any, part: pd.DataFrame, weights: Mapping[tuple[Any, ...], float], by: str) -> dict[str, Any]:
    strata = [
        (x, n, weights[stratum])
        for stratum, n, x in zip(
            part[_STRATA].itertuples(index=False, name=None),
            part["denominator"],
            part["numerator"],
            strict=True,
        )
        if stratum in weights and _known(n) and _known(x) and n > 0
    ]
    covered = sum(weight for _x, _n, weight in strata) / sum(weights.values()) if weights else 0.0
    found = _rate(strata) if covered >= LEAST_COVERED else None
    whole = math.isclose(covered, 1.0)
    return {
        by: name,
        "denominator": int(sum(n for _x, n, _w in strata)) if whole else None,
        "numerator": int(sum(x for x, _n, _w in strata)) if whole else None,
        "share": found.share if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "covered": covered,
    }


def _rate(strata: Sequence[tuple[float, float, float]]) -> Rate:
    """Of blurred numbers too: a numerator above its denominator counts as all of it."""
    events = [min(max(float(x), 0.0), float(n)) for x, n, _w in strata]
    people, weights = [float(n) for _x, n, _w in strata], [w for _x, _n, w in strata]
    rate = fay_feuer(events, people, weights)
    return Rate(rate.share, rate.low, min(rate.high, 1.0))


def _known(value: Any) -> bool:
    import pandas as pd

    return not pd.isna(value)


def _frame(rows: list[dict[str, Any]], by: str) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows)
    kinds = {
        "denominator": "Int64",
        "numerator": "Int64",
        **dict.fromkeys(("share", "low", "high"), "Float64"),
    }
    return frame.astype(kinds)
