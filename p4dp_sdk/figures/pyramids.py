"""Age pyramids: two groups back to back, men to the left and women to the right, the youngest at the foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.errors import TwoSidesError
from p4dp_sdk.figures.frames import in_order, name, require, require_one_row
from p4dp_sdk.figures.style import (
    WITHHELD,
    Marks,
    axes_of,
    colour_of,
    draw_error,
    finish_below,
    number_axis,
    sign_snapped,
    thousands,
)
from p4dp_sdk.locale import translate as _
from p4dp_sdk.wire.messages import N_

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LEFT_AND_RIGHT = ("M", "F")
_SEXES: Mapping[str, str] = {"M": N_("Men"), "F": N_("Women")}


def pyramid(
    frame: pd.DataFrame,
    age: str = "age_band",
    sex: str = "sex",
    values: str = "n",
    *,
    title: str = "",
    axis: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A pyramid of `frame`, which has one row for each class of `age` and group of `sex`.

    `values` is the number drawn. The codes M and F stand to the left and to the right, whatever their order,
    and other sexes are named below; two other groups (urban, rural) stand as they come. A withheld cell is
    hatched, at a length that tells nothing. Raises NotOneRowEachError where the frame has further groups,
    TwoSidesError where there are more than two sides. Returns matplotlib's Axes.
    """
    require(frame, age, sex, values)
    require_one_row(frame, age, sex)
    sides, left_out = _sides(frame, sex)
    classes = in_order(frame[age].tolist())
    ax, marks = ax or axes_of((8.0, max(3.2, 0.3 * len(classes) + 1.6))), Marks.of(frame)
    places = {label: place for place, label in enumerate(classes)}
    at = [places[name(label)] for label in frame[age]]
    for rank, side in enumerate(sides):
        rows = [row for row, label in enumerate(frame[sex]) if name(label) == side]
        _side(ax, frame[values], marks, rows, [at[row] for row in rows], rank)
    ax.set_yticks(range(len(classes)), classes)
    spare = max(0.6, 2.5 - len(classes) / 2)
    ax.set_ylim(-spare, len(classes) - 1 + spare)
    _mirror(ax, axis)
    _name_sides(ax, sides)
    finish_below(ax, marks, handles=_not_drawn(left_out))
    ax.set_title(title, loc="left", pad=24, parse_math=False)
    return ax


def _sides(frame: pd.DataFrame, sex: str) -> tuple[Sequence[str], Sequence[str]]:
    """What stands to the left and to the right, and what has no side."""
    groups = [name(label) for label in frame[sex].drop_duplicates()]
    if set(groups) & set(_LEFT_AND_RIGHT):
        return _LEFT_AND_RIGHT, [group for group in groups if group not in _LEFT_AND_RIGHT]
    if len(groups) > 2:
        raise TwoSidesError(sex, len(groups))
    return groups, ()


def _side(
    ax: Axes, series: pd.Series[Any], marks: Marks, rows: Sequence[int], at: Sequence[int], rank: int
) -> None:
    sign = 2 * rank - 1
    gone = [place for row, place in zip(rows, at, strict=True) if series.isna().iloc[row]]
    known = [(row, place) for row, place in zip(rows, at, strict=True) if not series.isna().iloc[row]]
    places, lengths = (
        [place for _row, place in known],
        [sign * float(series.iloc[row]) for row, _place in known],
    )
    ax.barh(places, lengths, 0.86, color=colour_of(rank))
    draw_error(ax, places, lengths, marks.error_of(series), horizontal=True)
    if gone:
        ax.barh(gone, [sign * marks.height(series)] * len(gone), 0.86, **WITHHELD)
    snapped = marks.snapped.get(str(series.name), frozenset())
    signed = [place for place, (row, _at) in enumerate(known) if row in snapped]
    sign_snapped(ax, [places[i] for i in signed], [lengths[i] for i in signed], horizontal=True)


def _mirror(ax: Axes, axis: str) -> None:
    """Both sides to one scale, and no number below 0."""
    from matplotlib.ticker import FuncFormatter

    furthest = max(abs(limit) for limit in ax.get_xlim())
    ax.set_xlim(-furthest, furthest)
    number_axis(ax.xaxis, axis)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: thousands(abs(value))))
    ax.axvline(0, color="black", linewidth=0.8)


def _name_sides(ax: Axes, sides: Sequence[str]) -> None:
    for rank, side in enumerate(sides):
        ax.text(
            0.25 + 0.5 * rank,
            1.01,
            _(_SEXES.get(side, side)) if side else "—",
            transform=ax.transAxes,
            ha="center",
            va="bottom",
            color=colour_of(rank),
            fontweight="bold",
        )


def _not_drawn(groups: Sequence[str]) -> list[Artist]:
    from matplotlib.lines import Line2D

    label = _("not drawn: {groups}").format(groups=", ".join(groups))
    return [Line2D([], [], linestyle="", label=label)] if groups else []
