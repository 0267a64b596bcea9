"""Kaplan-Meier curves: steps with their confidence band, and below them how many are still at risk (Pocock,
Clayton & Altman, Lancet 2002;359:1686-1689).

A curve with a step for each person's event tells each person's time: draw what a life table by month or
year gives, never rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from p4dp_sdk.figures.frames import name, numbers, require, require_one_row, written
from p4dp_sdk.figures.style import WITHHELD, Marks, axes_of, colour_of, draft_note, finish_below, number_axis
from p4dp_sdk.figures.words import MARK
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_STUB = 0.035  # of the height: a withheld step
_MOST_TICKS = 9
_LINE = 13.0  # points between two lines of the numbers at risk


@dataclass(frozen=True)
class Curve:
    """One group's rows in the order of time. None stands for a withheld number."""

    label: str
    times: Sequence[float]
    survival: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    at_risk: Sequence[float | None]


def kaplan_meier(
    frame: pd.DataFrame,
    time: str = "time",
    *,
    survival: str = "survival",
    low: str = "low",
    high: str = "high",
    at_risk: str = "at_risk",
    group: str = "group",
    rising: bool = False,
    stepped: bool = True,
    title: str = "",
    axis: str = "",
    unit: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A step curve for each `group` of `frame` (one curve where it has no such column), in percent.

    A row is a time: `survival` from then on (0 to 1), its confidence band `low` to `high`, and how many were
    `at_risk` just before. Band and numbers at risk are drawn where the frame has their columns. Curves start
    at 100 %; `rising` draws a cumulative incidence, which starts at 0. `unit` is that of the time. Where a
    row is withheld the curve stops, and a hatched stub at the foot stands for it. Returns matplotlib's Axes.
    """
    require(frame, time, survival)
    require_one_row(frame, *([group] if group in frame.columns else []), time)
    ax, marks = ax or axes_of((8.0, 5.2)), Marks.of(frame)
    curves = _curves(frame, time, [survival, low, high, at_risk], group)
    start = 0.0 if rising else 1.0
    several = len(curves) > 1
    told = [
        _draw(ax, curve, rank, start, several=several, stepped=stepped) for rank, curve in enumerate(curves)
    ]
    _frame_axes(ax, curves, axis, rising=rising)
    ticks = _ticks(curves)
    ax.set_xticks(ticks, [written(int(tick) if tick == int(tick) else tick) for tick in ticks])
    notes = draft_note(marks, frame[at_risk]) if at_risk in frame.columns else []
    if at_risk in frame.columns:
        _write_at_risk(ax, curves, ticks, unit)
    else:
        ax.set_xlabel(unit)
    handles = [line for line in told if line is not None] if len(curves) > 1 else []
    finish_below(ax, marks, title=title, handles=handles, notes=notes)
    return ax


def _curves(frame: pd.DataFrame, time: str, columns: Sequence[str], group: str) -> list[Curve]:
    labels = [name(each) for each in frame[group]] if group in frame.columns else [""] * len(frame)
    made = []
    for label in dict.fromkeys(labels):
        rows = frame[[each == label for each in labels]].sort_values(time, kind="stable")
        nothing: list[float | None] = [None] * len(rows)
        found = [numbers(rows[column]) if column in rows else nothing for column in columns]
        made.append(Curve(label, [float(each) for each in rows[time]], *found))
    return made


def _draw(ax: Axes, curve: Curve, rank: int, start: float, *, several: bool, stepped: bool) -> Artist | None:
    """The curve from time 0; returns what stands for it in the legend."""
    times, shares = list(curve.times), list(curve.survival)
    low, high = list(curve.low), list(curve.high)
    if not times or times[0] > 0:
        times, shares, low, high = [0.0, *times], [start, *shares], [None, *low], [None, *high]
    step: Literal["steps-post", "default"] = "steps-post" if stepped else "default"
    if stepped:
        _shade(ax, times, list(zip(shares, low, high, strict=True)), rank)
    else:
        ax.fill_between(times, _percent(low), _percent(high), color=colour_of(rank), alpha=0.18, linewidth=0)
    style = ("-", "--", "-.", ":")[rank % 4] if several else "-"
    (line,) = ax.plot(
        times,
        _percent(shares),
        style,
        drawstyle=step,
        color=colour_of(rank),
        label=curve.label,
        linewidth=1.6,
    )
    _hatch(ax, times, shares, rank)
    return line


def _shade(ax: Axes, times: Sequence[float], rows: Sequence[Sequence[float | None]], rank: int) -> None:
    """The confidence band, wherever curve and limits are known: each row's until the next."""
    runs = groupby(range(len(times) - 1), key=lambda at: None not in rows[at])
    for places in [list(some) for known, some in runs if known]:
        corners = [times[at] for at in (*places, places[-1] + 1)]
        low, high = (_percent([rows[at][side] for at in (*places, places[-1])]) for side in (1, 2))
        ax.fill_between(corners, low, high, step="post", color=colour_of(rank), alpha=0.18, linewidth=0)


def _percent(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else 100 * value for value in values]


def _hatch(ax: Axes, times: Sequence[float], shares: Sequence[float | None], rank: int) -> None:
    """A stub at the foot for each run of withheld steps, each group's above those of the one before."""
    from matplotlib.patches import Rectangle

    ends = [*times[1:], times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1.0)]
    runs = groupby(range(len(times)), key=lambda at: shares[at] is None)
    for rows in [list(some) for gone, some in runs if gone]:
        left, right = times[rows[0]], ends[rows[-1]]
        stub = Rectangle(
            (left, rank * _STUB), right - left, _STUB, transform=ax.get_xaxis_transform(), **WITHHELD
        )
        stub.set_edgecolor(colour_of(rank))
        ax.add_patch(stub)


def _frame_axes(ax: Axes, curves: Sequence[Curve], axis: str, *, rising: bool) -> None:
    last = max((curve.times[-1] for curve in curves if curve.times), default=1.0)
    ax.set_xlim(0, (last or 1.0) * 1.02)
    if rising:
        ax.set_ylim(bottom=0)
    else:
        ax.set_ylim(0, 102)
    number_axis(ax.yaxis, axis or "%")


def _ticks(curves: Sequence[Curve]) -> list[float]:
    """Times at which the numbers at risk are written: rows of the frame where these are few."""
    from matplotlib.ticker import MaxNLocator

    times = sorted({0.0, *(time for curve in curves for time in curve.times)})
    if len(times) <= _MOST_TICKS:
        return times
    last = times[-1]
    steps = MaxNLocator(_MOST_TICKS - 1, integer=last > _MOST_TICKS, steps=[1, 2, 2.5, 3, 5, 6, 10])
    return [float(tick) for tick in steps.tick_values(0.0, last) if 0 <= tick <= last]


def _write_at_risk(ax: Axes, curves: Sequence[Curve], ticks: Sequence[float], unit: str) -> None:
    below = -(_LINE * 2.4)
    for text, points, weight in ((unit, below + 4, "normal"), (_("Number at risk"), below - _LINE, "bold")):
        ax.annotate(
            text,
            (0.5 if text is unit else 0.0, 0.0),
            xycoords="axes fraction",
            xytext=(0, points),
            textcoords="offset points",
            ha="center" if text is unit else "left",
            va="center",
            fontweight=weight,
            annotation_clip=False,
        )
    for rank, curve in enumerate(curves):
        points = below - _LINE * (rank + 2.1)
        _write_line(ax, curve, rank, ticks, points)


def _write_line(ax: Axes, curve: Curve, rank: int, ticks: Sequence[float], points: float) -> None:
    texts = [(tick, _at_risk(curve, tick), "center") for tick in ticks]
    for x, text, align in [*texts, (None, curve.label, "right")]:
        ax.annotate(
            text,
            (0.0 if x is None else x, 0.0),
            xycoords="axes fraction" if x is None else ("data", "axes fraction"),
            xytext=(-24 if x is None else 0, points),
            textcoords="offset points",
            ha=align,
            va="center",
            color=colour_of(rank) if x is None else "black",
            fontsize="small",
            annotation_clip=False,
        )


def _at_risk(curve: Curve, tick: float) -> str:
    """How many were at risk just before `tick`: what the first row from then on says."""
    for time, number in zip(curve.times, curve.at_risk, strict=True):
        if time >= tick:
            return MARK if number is None else written(round(number))
    return ""
