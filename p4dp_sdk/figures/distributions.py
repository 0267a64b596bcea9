"""Histograms and box plots, drawn from protected counts and quantiles: nobody's own value is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.bars import draw_bars
from p4dp_sdk.figures.style import GREY, STUB, WITHHELD, Marks, colour_of, finish, name_rows, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FIVE = ("p05", "p25", "p50", "p75", "p95")


def histogram(
    frame: pd.DataFrame,
    classes: str | None = None,
    values: str | None = None,
    *,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Touching bars of the classes of `frame`, as `p4dp.histogram` or a class of `age_bands` or `value_bands`
    gives them; those without a limit ("not recorded") stand apart, in grey.

    `classes` names the column of classes (the first column if not given), `values` the counts (the last).
    Classes are drawn equally wide: give limits at equal distances for a true picture. Returns matplotlib's
    Axes.
    """
    from p4dp_sdk.figures.labels import starts_at

    classes, values = classes or str(frame.columns[0]), values or str(frame.columns[-1])
    starts = [starts_at(label) for label in frame[classes]]
    order = sorted((start, row) for row, start in enumerate(starts) if start is not None)
    apart = [row for row, start in enumerate(starts) if start is None]
    rows = [row for _start, row in order]
    ax, marks = ax or new_axes(len(frame)), Marks.of(frame)
    _touching(ax, frame[values], marks, rows, first=0)
    _touching(ax, frame[values], marks, apart, first=len(rows) + 1)
    places = [*range(len(rows)), *(len(rows) + 1 + place for place in range(len(apart)))]
    name_rows(ax, [_name(frame[classes].iloc[row]) for row in (*rows, *apart)], places=places)
    finish(ax, marks, title=title, axis=axis)
    return ax


def box(
    frame: pd.DataFrame,
    category: str | None = None,
    *,
    quantiles: Sequence[str] = _FIVE,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A box for each row of `frame`: from 25 % to 75 % of the patients, a line at the median, whiskers from
    5 % to 95 %. Never a minimum, a maximum or a single patient.

    `quantiles` are the five columns, in rising order, as `p4dp.quantiles` gives them; `category` names the
    rows (the groups of the question if not given). A withheld whisker is a hatched stub; without 25 % or
    75 % the place is hatched. Returns matplotlib's Axes.
    """
    ax, marks = ax or new_axes(len(frame)), Marks.of(frame)
    lowest, lower, middle, upper, highest = ([_known(v) for v in frame[name]] for name in quantiles)
    known = [
        value for column in (lowest, lower, middle, upper, highest) for value in column if value is not None
    ]
    stub = (max(known) - min(known)) * STUB if known else 0.0
    for row, five in enumerate(zip(lowest, lower, middle, upper, highest, strict=True)):
        _box(ax, row, five, stub)
    name_rows(ax, [" · ".join(map(_name, row)) for row in zip(*_groups(frame, category), strict=True)])
    ax.set_xlim(-0.6, len(frame) - 0.4)
    _hatch(ax, [row for row, (a, b) in enumerate(zip(lower, upper, strict=True)) if a is None or b is None])
    finish(ax, marks, title=title, axis=axis)
    return ax


def _touching(ax: Axes, series: pd.Series[Any], marks: Marks, rows: Sequence[int], first: int) -> None:
    if not rows:
        return
    part = series.iloc[list(rows)]
    signed = {
        name: frozenset(place for place, row in enumerate(rows) if row in some)
        for name, some in marks.snapped.items()
    }
    colour = colour_of(0) if first == 0 else GREY
    here = Marks(marks.threshold, marks.published, marks.error, marks.error_text, signed)
    draw_bars(ax, [first + place for place in range(len(rows))], part, here, width=0.98, colour=colour)


def _box(ax: Axes, row: int, five: Sequence[float | None], stub: float) -> None:
    lowest, lower, middle, upper, highest = five
    colour = colour_of(0)
    if lower is not None and upper is not None:
        ax.bar([row], [upper - lower], 0.5, bottom=lower, color=colour, alpha=0.35, edgecolor=colour)
    if middle is not None:
        ax.hlines([middle], row - 0.25, row + 0.25, colors=colour, linewidth=2)
    for start, end in ((lower, lowest), (upper, highest)):
        if start is not None and end is not None:
            ax.vlines([row], start, end, colors=colour, linewidth=1.2)
            ax.hlines([end], row - 0.1, row + 0.1, colors=colour, linewidth=1.2)
        elif start is not None:
            ax.bar([row], [stub if start == upper else -stub], 0.2, bottom=start, **WITHHELD)


def _hatch(ax: Axes, rows: Sequence[int]) -> None:
    """A narrow hatched band over the whole height: nothing is known of these."""
    low, high = ax.get_ylim()
    if rows:
        ax.bar(rows, [high - low] * len(rows), 0.2, bottom=low, zorder=0, **WITHHELD)


def _groups(frame: pd.DataFrame, category: str | None) -> Sequence[Sequence[Any]]:
    """What names each row: `category`, else the question's groups; nothing where there are none."""
    from p4dp_sdk.figures.attached import disclosure_in

    disclosure = disclosure_in(frame)
    asked = [category] if category else [*(disclosure.key_columns if disclosure else ())]
    found = [frame[name].tolist() for name in asked if category or name in frame]
    return found or [[""] * len(frame)]


def _known(value: Any) -> float | None:
    import pandas as pd

    return None if pd.isna(value) else float(value)


def _name(value: Any) -> str:
    import pandas as pd

    return "—" if pd.isna(value) else str(value)
