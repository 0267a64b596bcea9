"""Epidemic threshold of a weekly series: periodic regression on weeks without epidemic.

Serfling (1963), Public Health Rep 78:494–506, as French surveillance uses it (Costagliola et al. 1991, Am J
Public Health 81:97–99; choices as in Pelat et al. 2007, BMC Med Inform Decis Mak 7:29): trend, yearly and
half-yearly waves are fitted by least squares to past weeks, the highest left out; the threshold is the upper
limit of the prediction; an epidemic is two weeks in a row or more above it. Weeks that are not known are
neither fitted nor counted, and end no epidemic by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from p4dp_sdk.indicators.errors import TooLittleShownError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEFT_OUT: Final = 0.15  # of the highest past weeks: those of epidemics (Pelat et al. 2007)
ONE_SIDED_95: Final = 1.6448536269514722
RUN: Final = 2  # weeks in a row above the threshold make an epidemic
LEAST_WEEKS: Final = 104
_YEAR: Final = 365.25


@dataclass(frozen=True)
class Baseline:
    """What is expected of a week without epidemic. `origin` is day 0 of the trend."""

    origin: date
    coefficients: tuple[float, ...]
    deviation: float
    weeks: int

    def expected(self, weeks: Sequence[date]) -> Floats:
        import numpy as np

        found: Floats = _waves(weeks, self.origin) @ np.asarray(self.coefficients)
        return found

    def threshold(self, weeks: Sequence[date]) -> Floats:
        """The one-sided 95 % limit of the prediction."""
        return self.expected(weeks) + ONE_SIDED_95 * self.deviation


@dataclass(frozen=True)
class Epidemic:
    """From the first week above the threshold to the last."""

    start: date
    end: date
    weeks: int


def baseline(
    weeks: Sequence[date], values: Sequence[float], *, left_out: float = LEFT_OUT, least: int = LEAST_WEEKS
) -> Baseline:
    """The baseline of a past series; NaN are weeks (months, with 24 as `least`) that are not known.

    Raises TooLittleShownError with fewer known than `least`, two years: a year's wave can't be told from a
    trend.
    """
    import numpy as np

    observed = np.asarray(values, dtype=float)
    known = np.isfinite(observed)
    if int(known.sum()) < least:
        raise TooLittleShownError
    calm = known & (observed <= np.quantile(observed[known], 1 - left_out))
    origin = min(weeks)
    design = _waves(weeks, origin)[calm]
    found, *_rest = np.linalg.lstsq(design, observed[calm], rcond=None)
    residual = observed[calm] - design @ found
    freedom = len(residual) - design.shape[1]
    deviation = math.sqrt(float(residual @ residual) / freedom)
    return Baseline(origin, tuple(float(each) for each in found), deviation, int(calm.sum()))


def epidemics(
    weeks: Sequence[date], values: Sequence[float], threshold: Sequence[float], run_of: int = RUN
) -> list[Epidemic]:
    """Runs of two known weeks (`run_of`) or more above the threshold. A week that is not known is passed
    over."""
    found: list[Epidemic] = []
    run: list[date] = []
    for week, value, limit in zip(weeks, values, threshold, strict=True):
        if math.isnan(value):
            continue
        if value > limit:
            run.append(week)
            continue
        found += _ended(run, run_of)
        run = []
    return found + _ended(run, run_of)


def watch(frame: pd.DataFrame, *, since: date, week: str = "week", value: str = "share") -> pd.DataFrame:
    """A weekly frame with `expected`, `threshold` and `epidemic`, the baseline fitted on the weeks before
    `since`. Weeks that the frame leaves out come back as not known."""
    import pandas as pd

    series = _filled(frame, week, value)
    past = [day for day in series.index if day < since]
    fitted = baseline(past, series.loc[past].tolist())
    days, values = list(series.index), series.tolist()
    limits = fitted.threshold(days)
    above = epidemics(days, values, limits.tolist())
    inside = [any(e.start <= day <= e.end for e in above) for day in days]
    return pd.DataFrame(
        {
            week: days,
            value: values,
            "expected": fitted.expected(days),
            "threshold": limits,
            "epidemic": inside,
        }
    )


def _ended(run: list[date], least: int) -> list[Epidemic]:
    return [Epidemic(run[0], run[-1], len(run))] if len(run) >= least else []


def _waves(weeks: Sequence[date], origin: date) -> Floats:
    """Constant, trend, and sine and cosine of a year and of half a year."""
    import numpy as np

    years = np.array([(week - origin).days / _YEAR for week in weeks])
    turns = [2 * math.pi * years * times for times in (1, 2)]
    return np.column_stack(
        [np.ones_like(years), years, *(wave(turn) for turn in turns for wave in (np.sin, np.cos))]
    )


def _filled(frame: pd.DataFrame, week: str, value: str) -> pd.Series[Any]:
    """The series by week, without holes: NaN where nothing is known."""
    import pandas as pd

    days = pd.to_datetime(frame[week])
    known = pd.Series(frame[value].astype("Float64").to_numpy(dtype=float, na_value=math.nan), index=days)
    whole = pd.date_range(days.min(), days.max(), freq="7D")
    filled = known.sort_index().reindex(whole)
    filled.index = pd.Index([stamp.date() for stamp in whole], dtype=object)
    return filled
