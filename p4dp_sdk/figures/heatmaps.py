"""Heat maps: a number for each pair of groups, as a colour and, where there is room, written out.

The colours are those of cividis, of even steps to the eye and the same to readers with and without a colour
vision deficiency (Nuñez, Anderton & Renslow, PLoS ONE 2018;13:e0199239). A withheld cell has no colour: it
is hatched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.frames import in_order, name, number, require, require_one_row, written
from p4dp_sdk.figures.style import WITHHELD, Marks, as_written, axes_of, draft_note, finish_below, number_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize

_COLOURS = "cividis"
_MOST_WRITTEN = 14  # columns of numbers that can be read side by side
_DARK = 0.5  # below this share of the scale, a number is written in white


def heatmap(
    frame: pd.DataFrame,
    rows: str,
    columns: str,
    values: str,
    *,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A coloured cell for each row of `frame`, which has one for each of `rows` and `columns`.

    `values` is the number drawn, `axis` what it is (beside the scale of colours). Classes of numbers stand in
    their order, other groups as they come; a pair that has no row is left blank. Raises NotOneRowEachError
    where the frame has further groups. Returns matplotlib's Axes.
    """
    require(frame, values)
    require_one_row(frame, rows, columns)
    down, across = in_order(frame[rows].tolist()), in_order(frame[columns].tolist())
    size = max(5.0, min(14.0, 0.62 * len(across) + 3)), max(2.6, 0.32 * len(down) + 1.8)
    ax, marks = ax or axes_of(size), Marks.of(frame)
    cells = {
        (down.index(name(a)), across.index(name(b))): place
        for place, (a, b) in enumerate(zip(frame[rows], frame[columns], strict=True))
    }
    known = {at: number(frame[values].iloc[place]) for at, place in cells.items()}
    mesh = _colour(ax, known, (len(down), len(across)))
    _hatch(ax, [at for at, value in known.items() if value is None])
    if len(across) <= _MOST_WRITTEN:
        snapped = marks.snapped.get(values, frozenset())
        _write(ax, mesh, frame[values], cells, {at for at, place in cells.items() if place in snapped})
    _name_cells(ax, down, across)
    if any(value is not None for value in known.values()):
        _scale(ax, mesh, axis)
    finish_below(ax, marks, title=title, notes=draft_note(marks, frame[values]))
    ax.spines[:].set_visible(False)
    return ax


def _colour(ax: Axes, known: dict[tuple[int, int], float | None], shape: tuple[int, int]) -> QuadMesh:
    import numpy as np

    shown = np.full(shape, np.nan)
    for at, value in known.items():
        shown[at] = np.nan if value is None else value
    scale = _scale_of([value for value in known.values() if value is not None])
    cells = np.ma.masked_invalid(shown)
    return ax.pcolormesh(cells, cmap=_COLOURS, norm=scale, edgecolors="white", linewidth=1.0)


def _scale_of(known: Sequence[float]) -> Normalize:
    """From the least to the greatest; with no number, or one only, a scale all the same."""
    from matplotlib.colors import Normalize

    low, high = min(known, default=0.0), max(known, default=1.0)
    return Normalize(low, high) if low < high else Normalize(min(low, 0.0), max(high, 0.0) or 1.0)


def _hatch(ax: Axes, gone: list[tuple[int, int]]) -> None:
    from matplotlib.patches import Rectangle

    for row, column in gone:
        ax.add_patch(Rectangle((column + 0.04, row + 0.04), 0.92, 0.92, **WITHHELD))


def _write(
    ax: Axes,
    mesh: QuadMesh,
    series: pd.Series[Any],
    cells: dict[tuple[int, int], int],
    signed: set[tuple[int, int]],
) -> None:
    import pandas as pd

    from p4dp_sdk.figures.words import SNAPPED

    share: Any = mesh.norm
    decimals = _decimals(series)
    for (row, column), place in cells.items():
        value = series.iloc[place]
        if pd.isna(value):
            continue
        sign = f"{SNAPPED} " if (row, column) in signed else ""
        text = sign + written(round(float(value), decimals) if decimals else value)
        colour = "white" if share(float(value)) < _DARK else "black"
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize="small")


def _decimals(series: pd.Series[Any]) -> int:
    """How many give numbers that are no counts three figures or so; 0 where they are to stand as they are."""
    from pandas.api.types import is_float_dtype

    largest = float(series.abs().max()) if series.notna().any() else 0.0
    if not is_float_dtype(series.dtype) or not largest:
        return 0
    return max(1, 2 - math.floor(math.log10(largest)))


def _name_cells(ax: Axes, down: list[str], across: list[str]) -> None:
    room = 8 if len(across) <= _MOST_WRITTEN else 3
    turned = any(len(label) > room for label in across)
    ax.set_xticks(
        [place + 0.5 for place in range(len(across))],
        across,
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
    )
    ax.set_yticks([place + 0.5 for place in range(len(down))], down)
    ax.tick_params(length=0)
    ax.invert_yaxis()
    ax.set_xlim(0, len(across))
    ax.set_ylim(len(down), 0)


def _scale(ax: Axes, mesh: QuadMesh, axis: str) -> None:
    bar = ax.figure.colorbar(mesh, ax=ax, fraction=0.05, pad=0.02)
    bar.outline.set_visible(False)
    number_axis(bar.ax.yaxis, axis)
    as_written(bar.ax)
