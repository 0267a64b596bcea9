"""Forest plots: estimates with their intervals, one below the other, and the numbers beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from p4dp_sdk.figures.errors import NotAboveZeroError
from p4dp_sdk.figures.frames import in_language, name, numbers, require, written
from p4dp_sdk.figures.style import (
    GREY,
    WITHHELD,
    Marks,
    colour_of,
    finish_below,
    name_rows,
    new_axes,
    number_axis,
)
from p4dp_sdk.figures.words import MARK

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Interval = tuple[float | None, float | None, float | None]

_LETTERS = 40  # of a line of a label
_LINE = 0.75  # of a row's height, of a line of its label
_NICE = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # of each power of ten, as ticks of a logarithmic axis


def forest(
    frame: pd.DataFrame,
    label: str = "label",
    *,
    estimate: str = "estimate",
    low: str = "low",
    high: str = "high",
    log: bool = False,
    reference: float | None = None,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One point with its interval for each row of `frame`, in its order, and its numbers to the right.

    `log` draws ratios (odds, hazards) on a logarithmic axis around 1; differences stand around 0. `reference`
    moves that line. A row with a withheld estimate is hatched over the whole width; without an interval
    it is a hollow point (the class that others are compared with). Raises NotAboveZeroError where `log` is
    asked of numbers that are no ratios. Returns matplotlib's Axes.
    """
    require(frame, label, estimate, low, high)
    labels = [textwrap.fill(name(each), _LETTERS) for each in frame[label]]
    lines = sum(max(1.0, _LINE * (1 + each.count("\n"))) for each in labels)
    ax, marks = ax or new_axes(round(lines), horizontal=True), Marks.of(frame)
    rows: list[Interval] = list(
        zip(*(numbers(frame[column]) for column in (estimate, low, high)), strict=True)
    )
    if log:
        _set_log(ax, (estimate, low, high), rows)
    ax.axvline((1.0 if log else 0.0) if reference is None else reference, color=GREY, linewidth=1, zorder=0)
    for place, interval in enumerate(rows):
        _draw(ax, place, interval)
    name_rows(ax, labels, horizontal=True)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    _hatch(ax, [place for place, (middle, _low, _high) in enumerate(rows) if middle is None])
    _write(ax, rows)
    if not log:
        number_axis(ax.xaxis, axis)
    ax.set_xlabel(axis)
    finish_below(ax, marks, title=title)
    return ax


def _draw(ax: Axes, place: int, interval: Interval) -> None:
    middle, low, high = interval
    if middle is None:
        return
    colour = colour_of(0)
    if low is None or high is None:
        ax.plot([middle], [place], "s", markerfacecolor="white", color=colour, markersize=6)
        return
    ax.hlines([place], low, high, colors=colour, linewidth=1.6)
    ax.plot([middle], [place], "s", color=colour, markersize=6)


def _set_log(ax: Axes, columns: Sequence[str], rows: Sequence[Interval]) -> None:
    """A logarithmic axis from a little below to a little above what is drawn, 1 included."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    for at, column in enumerate(columns):
        if any(value is not None and value <= 0 for value in (row[at] for row in rows)):
            raise NotAboveZeroError(column)
    known = [value for row in rows for value in row if value is not None] or [1.0]
    low, high = min(*known, 1.0) / 1.2, max(*known, 1.0) * 1.2
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: written(float(value))))


def _ticks(low: float, high: float) -> list[float]:
    import math

    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [nice * 10.0**power for power in powers for nice in _NICE]
    inside = [tick for tick in every if low <= tick <= high]
    few = [tick for tick in inside if f"{tick:e}"[0] in "125" and f"{tick:e}"[2] == "0"]
    fewer = [10.0**power for power in powers if low <= 10.0**power <= high]
    return inside if len(inside) <= 8 else few if len(few) <= 8 else fewer


def _figures(known: Sequence[float]) -> Callable[[float], str]:
    """Writes numbers of one figure with as many decimals: two, or more where all are small."""
    import math

    largest = max(map(abs, known), default=0.0) or 1.0
    decimals = min(6, max(2, 1 - math.floor(math.log10(largest))))
    if largest >= 1000:
        return lambda value: written(float(round(value)))
    return lambda value: in_language(f"{value:.{decimals}f}")


def _hatch(ax: Axes, places: Sequence[int]) -> None:
    """A hatched strip over the whole width: nothing is known of these."""
    low, high = ax.get_xlim()
    for place in places:
        ax.barh([place], [high - low], 0.3, left=low, zorder=0, **WITHHELD)
    ax.set_xlim(low, high)


def _write(ax: Axes, rows: Sequence[Interval]) -> None:
    figures = _figures([value for row in rows for value in row if value is not None])
    for place, (middle, low, high) in enumerate(rows):
        numbers = MARK if middle is None else figures(middle)
        if low is not None and high is not None and middle is not None:
            numbers += f" [{figures(low)} – {figures(high)}]"
        ax.annotate(
            numbers,
            (1.0, place),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            annotation_clip=False,
        )
