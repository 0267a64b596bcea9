"""Bars of a protected result. A withheld cell is a hatched bar as high as the threshold: it is somewhere
below, no more is known. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Okabe & Ito 2008, told apart by colour-blind readers: blue, orange, green, vermilion, sky blue, purple
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
_DEFAULT_THRESHOLD = 11
_WITHHELD: dict[str, Any] = {"facecolor": "white", "edgecolor": "#777777", "hatch": "////", "linewidth": 0.8}


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
    columns; `axis` is the title of the value axis. A missing value is drawn as withheld. Returns matplotlib's
    Axes, to go on with.
    """
    columns = [values] if isinstance(values, str) else list(values)
    ax = ax or _new_axes(len(frame), horizontal)
    threshold = _threshold(frame)
    width = 0.8 / len(columns)
    for rank, column in enumerate(columns):
        places = [row + (rank - (len(columns) - 1) / 2) * width for row in range(len(frame))]
        _draw(ax, places, frame[column], width, PALETTE[rank % len(PALETTE)], column, threshold, horizontal)
    _name_rows(ax, [str(name) for name in frame[labels or category]], horizontal)
    _finish(
        ax,
        title,
        axis,
        threshold,
        horizontal,
        legend=len(columns) > 1 or bool(frame[columns].isna().any(axis=None)),
    )
    return ax


def _draw(
    ax: Axes,
    places: list[float],
    series: pd.Series[Any],
    width: float,
    colour: str,
    name: str,
    threshold: int,
    horizontal: bool,
) -> None:
    draw = ax.barh if horizontal else ax.bar
    known = [
        (place, float(v)) for place, v, gone in zip(places, series, series.isna(), strict=True) if not gone
    ]
    gone = [place for place, missing in zip(places, series.isna(), strict=True) if missing]
    draw([p for p, _v in known], [v for _p, v in known], width, color=colour, label=name)
    if gone:
        draw(gone, [threshold - 1] * len(gone), width, **_WITHHELD)


def _new_axes(rows: int, horizontal: bool) -> Axes:
    import matplotlib.pyplot as plt

    size = (8.0, max(2.5, 0.34 * rows + 1)) if horizontal else (max(5.0, min(12.0, 0.5 * rows + 2)), 4.0)
    _figure, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def _threshold(frame: pd.DataFrame) -> int:
    from p4dp_sdk.backend.results import disclosure_in

    disclosure = disclosure_in(frame)
    return disclosure.min_patients if disclosure else _DEFAULT_THRESHOLD


def _name_rows(ax: Axes, names: list[str], horizontal: bool) -> None:
    if horizontal:
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
    else:
        crowded = sum(len(name) for name in names) > 60
        ax.set_xticks(
            range(len(names)), names, rotation=45 if crowded else 0, ha="right" if crowded else "center"
        )


def _finish(ax: Axes, title: str, axis: str, threshold: int, horizontal: bool, *, legend: bool) -> None:
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter

    values = ax.xaxis if horizontal else ax.yaxis
    values.set_major_formatter(FuncFormatter(lambda value, _place: _thousands(value)))
    values.set_label_text(axis)
    ax.set_title(title, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        handles, _names = ax.get_legend_handles_labels()
        withheld = Patch(label=_("withheld number (< {patients})").format(patients=threshold), **_WITHHELD)
        hatched = any(patch.get_hatch() for patch in ax.patches)
        ax.legend(handles=[*handles, withheld] if hatched else handles, frameon=False)


def _thousands(value: float) -> str:
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,g}"
    return text if language() is Language.ENGLISH else text.replace(",", "\u202f").replace(".", ",")
