"""How a result is drawn: shares as bars with their intervals, counts as bars, a series as lines; of two
divisions, the second side by side. Withheld cells are hatched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.indicators.compile import AGE, DATE, PATIENTS, ROWS
from p4dp_sdk.indicators.result import HIGH, LOW, MEASURE, SHARE
from p4dp_sdk.indicators.window import Every
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from p4dp_sdk.indicators.result import Result

_TIMES = {DATE, *(every.value for every in Every)}
_NAME = "\u200b"  # the column that names each row, beside those of the table
_MOST_BESIDE = 8  # groups that stand side by side
_LONG = 12  # letters of a name that needs a line of its own
_LINE = 0.085  # of the figure's height, of a line of its legend
_WIDTH = 0.8  # of all bars of a row, as in `plots.bar`


def draw(result: Result, **options: Any) -> Axes:
    """A row a group; a series over time as lines. `options` are those of `plots.bar`, or of `plots.line`."""
    rows, beside = _divisions(result)
    values = result.title_of(SHARE if result.measure.numerators else _counted(result))
    drawn = {name: _wide(result, rows, beside, name) for name in (values, *_limits(result))}
    said = {"title": result.measure.label, "axis": values, **options}
    if AGE in rows or beside == AGE:
        drawn = _without_unknown(drawn, values)
    ax, upright = _drawn(drawn[values], rows, values, said)
    if result.measure.numerators:
        low, high = (drawn[name] for name in _limits(result))
        _draw_intervals(ax, low, high, upright, in_time=_in_time(rows))
        if drawn[values].drop(columns=_NAME).isna().all(axis=None):
            (ax.set_ylim if upright else ax.set_xlim)(0, 100)  # nothing to read: no scale of its own
    return ax


def _without_unknown(drawn: dict[str, pd.DataFrame], values: str) -> dict[str, pd.DataFrame]:
    """Without the class of those whose age is not known, where nothing of it is shown: a hatched bar would
    say that there are some. The table keeps it."""
    table = drawn[values]
    unknown = table[_NAME] == _("not recorded")
    gone = unknown & table.drop(columns=_NAME).isna().all(axis=1)
    return {name: _kept(each, ~gone) for name, each in drawn.items()}


def _kept(table: pd.DataFrame, rows: Any) -> pd.DataFrame:
    made: pd.DataFrame = table[rows].reset_index(drop=True)
    made.attrs = dict(table.attrs)
    return made


def _drawn(table: pd.DataFrame, rows: Sequence[str], values: str, said: dict[str, Any]) -> tuple[Axes, bool]:
    """The figure, and whether its bars stand upright."""
    from p4dp_sdk import plots

    columns = [name for name in table.columns if name != _NAME]
    if _in_time(rows):
        return plots.line(table, _NAME, columns, **said), True
    wide = len(columns) > 1 or len(table) <= _MOST_BESIDE
    lying = AGE not in rows and (any(len(name) > _LONG for name in table[_NAME]) or not wide)
    said = {"horizontal": lying, **said}
    return plots.bar(table, _NAME, columns, **said), not said["horizontal"]


def _divisions(result: Result) -> tuple[list[str], str]:
    """The keys that name rows, and the one whose groups stand beside each other, if any."""
    keys = [*result.keys, *([MEASURE] if MEASURE in result.frame else [])]
    if len(keys) < 2 or result.frame[keys[-1]].nunique() > _MOST_BESIDE:
        return keys, ""
    return keys[:-1], keys[-1]


def _in_time(rows: Sequence[str]) -> bool:
    return len(rows) == 1 and rows[0] in _TIMES


def _limits(result: Result) -> tuple[str, ...]:
    return (result.title_of(LOW), result.title_of(HIGH)) if result.measure.numerators else ()


def _counted(result: Result) -> str:
    return PATIENTS if PATIENTS in result.frame and ROWS not in result.frame else ROWS


def _wide(result: Result, rows: Sequence[str], beside: str, values: str) -> pd.DataFrame:
    """A row a name, and a column for each group that stands beside the others; of none, the values' own."""
    frame = result.titled
    names = [result.title_of(key) for key in rows]
    frame[_NAME] = frame[names].astype("string").fillna("—").agg(" · ".join, axis=1) if names else _("Whole")
    if not beside:
        return frame[[_NAME, values]]
    across = frame[result.title_of(beside)].astype("string").fillna("—")
    order = list(dict.fromkeys(frame[_NAME]))
    made = frame[[_NAME]].drop_duplicates().reset_index(drop=True)
    for group in dict.fromkeys(across):
        part = frame[across == group].set_index(_NAME)[values]
        made[group] = part.reindex(order).array
    made.attrs = dict(frame.attrs)
    return made


def _draw_intervals(ax: Axes, low: pd.DataFrame, high: pd.DataFrame, upright: bool, *, in_time: bool) -> None:
    draw = ax.vlines if upright else ax.hlines
    pairs = list(zip(*([side[name] for name in side if name != _NAME] for side in (low, high)), strict=True))
    width, furthest = 0.0 if in_time else _WIDTH / len(pairs), 0.0
    for rank, (lows, highs) in enumerate(pairs):
        shift = (rank - (len(pairs) - 1) / 2) * width
        known = [row for row, gone in enumerate(lows.isna()) if not gone]
        starts, ends = ([float(side.iloc[row]) for row in known] for side in (lows, highs))
        draw([row + shift for row in known], starts, ends, colors="black", linewidth=1.0, alpha=0.8)
        furthest = max([furthest, *ends])
    limit, room = (ax.get_ylim, ax.set_ylim) if upright else (ax.get_xlim, ax.set_xlim)
    start, end = limit()
    room(start, max(end, 1.05 * furthest / (1.0 - _LINE * _legend(ax) * upright)))


def _legend(ax: Axes) -> int:
    """How many lines the legend has."""
    legend = ax.get_legend()
    return 0 if legend is None else len(legend.get_texts())
