"""A rate over time beside its epidemic threshold, week by week; month by month where the small weeks are
withheld.

Weeks that are withheld are low ones. A baseline fitted without them would stand too high, and hide the next
epidemic; so where more than a fifth of the past weeks is withheld, no weekly threshold is given, and months
are asked instead. Where these are withheld too, there is none, and the figure says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, assert_never

from p4dp_sdk.indicators.epidemic import Epidemic, baseline, epidemics
from p4dp_sdk.indicators.errors import BadPeriodError
from p4dp_sdk.indicators.window import Every
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.result import Result

LEAST_SHOWN: Final = 0.8  # of the past periods
LEAST_PAST: Final = {Every.WEEK: 104, Every.MONTH: 24}
RUN: Final = {Every.WEEK: 2, Every.MONTH: 1}  # periods above the threshold that make an epidemic
_LOW, _HIGH = "expected", "threshold"


@dataclass(frozen=True)
class Watched:
    """`frame`: a row a period, with its `share` (the rate), and where there is a baseline `expected`,
    `threshold` and `epidemic`. `found` are the runs above the threshold from `since` on; None where there is
    no threshold. `result` is the answer that it rests on."""

    frame: pd.DataFrame
    found: tuple[Epidemic, ...] | None
    since: date
    step: Every
    result: Result

    @property
    def remarks(self) -> list[str]:
        weekly = self.step is Every.WEEK
        withheld, all_ = int(self.frame["share"].isna().sum()), len(self.frame)
        told = [] if weekly else [_("By month: too many weeks are withheld for a weekly threshold.")]
        told.append(_("{n} of {all} periods are withheld: low ones, not zero.").format(n=withheld, all=all_))
        if self.found is None:
            return [*told, _("No threshold: too few past periods are shown to fit one.")]
        text = _("Threshold: upper 95 % limit of the expected rate (Serfling), fitted before {since}.")
        return [*told, text.format(since=_written(self.since)), *map(self._said, self.found or [])]

    def _said(self, run: Epidemic) -> str:
        text = _("Above the threshold: {first} to {last}.")
        return text.format(first=_written(run.start), last=_written(run.end))

    def plot(self, **options: Any) -> Axes:
        """The rate, what is expected, and the threshold; periods above it are marked, withheld ones
        hatched."""
        from p4dp_sdk import plots

        rate, expected, limit = self.result.title_of("share"), _("expected"), _("threshold")
        titles = {"share": rate, _LOW: expected, _HIGH: limit}
        shown = self.frame.rename(columns=titles)
        columns = [rate] if self.found is None else [rate, expected, limit]
        said = {"title": self.result.measure.label, "axis": rate, **options}
        ax = plots.line(shown, self.step.value, columns, **said)
        for run in self.found or ():
            days = list(self.frame[self.step.value])
            ax.axvspan(days.index(run.start) - 0.5, days.index(run.end) + 0.5, color="#D55E00", alpha=0.15)
        return ax

    def _repr_html_(self) -> str:
        from p4dp_sdk import markup

        return markup.notes([*self.result.remarks[:1], *self.remarks])

    def __repr__(self) -> str:
        return "\n".join([*self.result.remarks[:1], *self.remarks])


def watched(ask: Callable[[Every], Result], since: date) -> Watched:
    """The rate by week, or else by month, with a threshold where enough of the past is shown. `ask` gives the
    answer by a step."""
    weekly = _fitted(ask(Every.WEEK), since, Every.WEEK)
    if weekly.found is not None:
        return weekly
    monthly = _fitted(ask(Every.MONTH), since, Every.MONTH)
    return weekly if monthly.found is None else monthly


def _fitted(result: Result, since: date, step: Every) -> Watched:
    days, values = _series(result.frame, step)
    past = [(day, value) for day, value in zip(days, values, strict=True) if day < since]
    if not past:
        raise BadPeriodError(since)
    frame = _frame(step, days, values)
    known = sum(not math.isnan(value) for _day, value in past)
    if known < LEAST_PAST[step] or known < LEAST_SHOWN * len(past):
        return Watched(frame, None, since, step, result)
    fitted = baseline([day for day, _v in past], [value for _d, value in past], least=LEAST_PAST[step])
    limits = fitted.threshold(days)
    later = [
        max(limit, math.inf if day < since else -math.inf) for day, limit in zip(days, limits, strict=True)
    ]
    found = epidemics(days, values, later, run_of=RUN[step])
    frame = frame.assign(expected=fitted.expected(days), threshold=limits)
    frame["epidemic"] = [any(run.start <= day <= run.end for run in found) for day in days]
    return Watched(frame, tuple(found), since, step, result)


def _frame(step: Every, days: Sequence[date], values: Sequence[float]) -> pd.DataFrame:
    import pandas as pd

    shares = pd.array([None if math.isnan(value) else value for value in values], dtype="Float64")
    return pd.DataFrame({step.value: days, "share": shares})


def _series(frame: pd.DataFrame, step: Every) -> tuple[list[date], list[float]]:
    """The rates without holes: NaN where a period is withheld or has no row. The last and the first may be
    parts of a period, and are left out."""
    import pandas as pd

    match step:
        case Every.WEEK:
            frequency = "W-MON"
        case Every.MONTH:
            frequency = "MS"
        case Every.YEAR:
            frequency = "YS"
        case _:
            assert_never(step)
    days = pd.to_datetime(frame[step.value])
    known = pd.Series(frame["share"].astype("Float64").to_numpy(dtype=float, na_value=math.nan), index=days)
    filled = known.sort_index().reindex(pd.date_range(days.min(), days.max(), freq=frequency))
    inside = filled.iloc[1:-1] if step is Every.WEEK else filled
    return [stamp.date() for stamp in inside.index], [float(value) for value in inside]


def _written(on: date) -> str:
    from p4dp_sdk.indicators.result import written

    return written(on)
