"""How a result is drawn: shares as bars with their intervals, counts as bars, a series of counts as a line.
Withheld cells are hatched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from p4dp_sdk.indicators.compile import DATE, PATIENTS, ROWS
from p4dp_sdk.indicators.result import HIGH, LOW, MEASURE, SHARE
from p4dp_sdk.indicators.window import Every
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.result import Result

_TIMES = {DATE, *(every.value for every in Every)}
_NAME = "\u200b"  # the column that names each row, beside those of the table


def draw(result: Result, **options: Any) -> Axes:
    """One bar a group, named by all of its keys; a series without other keys as a line."""
    from p4dp_sdk import plots

    frame = _named(result)
    values = result.title_of(SHARE if result.measure.numerators else _counted(result))
    said = {"title": result.measure.label, "axis": values, **options}
    over_time = len(result.keys) == 1 and result.keys[0] in _TIMES and MEASURE not in result.frame
    if over_time:
        ax = plots.line(frame, _NAME, values, **said)
    else:
        ax = plots.bar(frame, _NAME, values, **{"horizontal": True, **said})
    if result.measure.numerators:
        _draw_intervals(ax, frame, result, upright=over_time or options.get("horizontal") is False)
    return ax


def _counted(result: Result) -> str:
    return PATIENTS if PATIENTS in result.frame else ROWS


def _named(result: Result) -> pd.DataFrame:
    frame = result.titled
    keys = [*result.keys, *([MEASURE] if MEASURE in result.frame else [])]
    names = [result.title_of(key) for key in keys]
    labels = frame[names].astype("string").fillna("—").agg(" · ".join, axis=1) if names else _("Whole")
    frame[_NAME] = labels
    return frame


def _draw_intervals(ax: Axes, frame: pd.DataFrame, result: Result, *, upright: bool) -> None:
    low, high = frame[result.title_of(LOW)], frame[result.title_of(HIGH)]
    places = [place for place, gone in enumerate(low.isna()) if not gone]
    lows, highs = ([float(column.iloc[place]) for place in places] for column in (low, high))
    draw = ax.vlines if upright else ax.hlines
    draw(places, lows, highs, colors="black", linewidth=1.0, alpha=0.8)
    limit, room = (ax.get_ylim, ax.set_ylim) if upright else (ax.get_xlim, ax.set_xlim)
    start, end = limit()
    room(start, max([end, *(1.05 * each for each in highs)]))
