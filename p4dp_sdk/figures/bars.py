"""Bars of a protected result: one for each row, or a group of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.style import (
    WITHHELD,
    Marks,
    colour_of,
    draw_error,
    finish,
    name_rows,
    new_axes,
    sign_snapped,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def bar(
    frame: pd.DataFrame,
    category: str,
    values: str | Sequence[str],
    *,
    labels: str | None = None,
    horizontal: bool = False,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One bar (or group of bars) for each row of `frame`, in its order.

    `category` names the rows, `labels` a column to name them with instead; `values` one or more numeric
    columns; `axis` is the title of the value axis. A missing value is drawn as withheld: hatched, at a height
    that tells nothing. Counts of a draft carry a thin line of ± their error. Returns matplotlib's Axes, to go
    on with.
    """
    columns = [values] if isinstance(values, str) else list(values)
    ax, marks = ax or new_axes(len(frame), horizontal), Marks.of(frame)
    width = 0.8 / len(columns)
    for rank, column in enumerate(columns):
        places = [row + (rank - (len(columns) - 1) / 2) * width for row in range(len(frame))]
        draw_bars(
            ax, places, frame[column], marks, width=width, colour=colour_of(rank), horizontal=horizontal
        )
    name_rows(ax, [str(name) for name in frame[labels or category]], horizontal)
    handles = ax.get_legend_handles_labels()[0]
    named = handles if len(columns) > 1 or frame[columns].isna().any(axis=None) else []
    finish(ax, marks, title=title, axis=axis, horizontal=horizontal, handles=named)
    return ax


def draw_bars(
    ax: Axes,
    places: Sequence[float],
    series: pd.Series[Any],
    marks: Marks,
    *,
    width: float,
    colour: str,
    horizontal: bool = False,
) -> None:
    """One bar for each value of `series`, with its marks."""
    draw = ax.barh if horizontal else ax.bar
    known = [(p, float(v)) for p, v, gone in zip(places, series, series.isna(), strict=True) if not gone]
    at, heights = [place for place, _value in known], [value for _place, value in known]
    draw(at, heights, width, color=colour, label=str(series.name))
    draw_error(ax, at, heights, marks.error_of(series), horizontal=horizontal)
    gone = [place for place, missing in zip(places, series.isna(), strict=True) if missing]
    if gone:
        draw(gone, [marks.height(series)] * len(gone), width, **WITHHELD)
    signed = [row for row in marks.snapped.get(str(series.name), ()) if not series.isna().iloc[row]]
    sign_snapped(ax, [places[r] for r in signed], [float(series.iloc[r]) for r in signed], horizontal)
