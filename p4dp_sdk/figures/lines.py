"""Lines of a protected result: a series over time, with a gap and a hatched mark where a cell is withheld."""

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


def line(
    frame: pd.DataFrame,
    category: str,
    values: str | Sequence[str],
    *,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One line for each column of `values`, over the rows of `frame` in its order.

    `category` (a year, a month, a week) names the rows; `axis` is the title of the value axis. A withheld
    cell interrupts the line. Counts of a draft carry a thin line of ± their error. Returns matplotlib's Axes.
    """
    columns = [values] if isinstance(values, str) else list(values)
    ax, marks = ax or new_axes(len(frame)), Marks.of(frame)
    for rank, column in enumerate(columns):
        _draw(ax, frame[column], marks, colour_of(rank))
    name_rows(ax, [_name(value) for value in frame[category]])
    if not (frame[columns] < 0).any(axis=None):
        ax.set_ylim(bottom=0)
    named = ax.get_legend_handles_labels()[0] if len(columns) > 1 else []
    finish(ax, marks, title=title, axis=axis, handles=named)
    return ax


def _draw(ax: Axes, series: pd.Series[Any], marks: Marks, colour: str) -> None:
    numbers = [float("nan") if gone else float(v) for v, gone in zip(series, series.isna(), strict=True)]
    ax.plot(range(len(numbers)), numbers, color=colour, marker="o", markersize=3, label=str(series.name))
    known = [row for row, value in enumerate(numbers) if value == value]
    draw_error(ax, known, [numbers[row] for row in known], marks.error_of(series))
    gone = [row for row, value in enumerate(numbers) if value != value]
    if gone:
        ax.bar(gone, [marks.height(series)] * len(gone), 0.6, **WITHHELD)
    signed = [row for row in marks.snapped.get(str(series.name), ()) if row in known]
    sign_snapped(ax, signed, [numbers[row] for row in signed])


def _name(value: Any) -> str:
    return str(value.isoformat())[:10] if hasattr(value, "isoformat") else str(value)
