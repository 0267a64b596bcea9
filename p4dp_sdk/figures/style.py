"""How all figures look, and what their marks say: withheld cells are hatched, those of an earlier answer
carry a sign, a draft shows by how much its counts may be off. Matplotlib is imported when drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Okabe & Ito 2008, told apart by colour-blind readers: blue, orange, green, vermilion, sky blue, purple
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
GREY = "#777777"
WITHHELD: dict[str, Any] = {"facecolor": "white", "edgecolor": GREY, "hatch": "////", "linewidth": 0.8}
ERROR = "p4dp-error"  # the group id of what draws the error of a draft
OURS = "p4dp-figure"  # the group id of a figure with one drawing of ours
_DEFAULT_THRESHOLD = 11
STUB = 0.04  # of the largest value: the height of a withheld mean or share
_MOST_LABELS = 24
_MOST_LETTERS = 60  # of all labels together, in a row


@dataclass(frozen=True)
class Marks:
    """What a frame's disclosure asks a figure to show. `snapped` are row positions by column; `error` is the
    standard deviation of a blurred count, 0 where counts are exact."""

    threshold: int = _DEFAULT_THRESHOLD
    published: bool = False
    error: float = 0.0
    error_text: str = ""
    snapped: Mapping[str, frozenset[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Marks:
        from p4dp_sdk.figures.attached import Protection, disclosure_in
        from p4dp_sdk.figures.snapped import snapped_rows
        from p4dp_sdk.figures.words import plus_or_minus

        disclosure = disclosure_in(frame)
        if disclosure is None:
            return cls()
        blurred = disclosure.protection in (Protection.EXPLORATION, Protection.NOISE)
        return cls(
            disclosure.min_patients,
            disclosure.protection == Protection.PUBLICATION,
            disclosure.error if blurred else 0.0,
            plus_or_minus(disclosure) if blurred else "",
            snapped_rows(frame, disclosure),
        )

    def height(self, series: pd.Series[Any]) -> float:
        """How high a withheld cell of `series` is drawn. It tells nothing of the value."""
        from pandas.api.types import is_float_dtype

        if not is_float_dtype(series.dtype):
            return float(self.threshold - 1)
        return STUB * (float(series.abs().max()) if series.notna().any() else 100.0)

    def error_of(self, series: pd.Series[Any]) -> float:
        """By how much values of `series` may be off; known of counts only."""
        from pandas.api.types import is_integer_dtype

        return self.error if is_integer_dtype(series.dtype) else 0.0


def colour_of(rank: int) -> str:
    return PALETTE[rank % len(PALETTE)]


def new_axes(rows: int, horizontal: bool = False) -> Axes:
    if horizontal:
        return axes_of((8.0, max(2.5, 0.34 * rows + 1)))
    return axes_of((max(5.0, min(12.0, 0.5 * rows + 2)), 4.0))


def axes_of(size: tuple[float, float]) -> Axes:
    """Axes of a figure of their own, `size` in inches."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=size, layout="constrained")
    figure.set_gid(OURS)
    return ax


def sign_snapped(
    ax: Axes, places: Sequence[float], values: Sequence[float], horizontal: bool = False
) -> None:
    """The sign of an earlier answer beside the cells at `places`, away from 0."""
    from p4dp_sdk.figures.words import SNAPPED

    for place, value in zip(places, values, strict=True):
        side = -1 if value < 0 else 1
        ax.annotate(
            SNAPPED,
            (value, place) if horizontal else (place, value),
            xytext=(5 * side, 0) if horizontal else (0, 4),
            textcoords="offset points",
            ha=("left" if side > 0 else "right") if horizontal else "center",
            va="center" if horizontal else "bottom",
            color=GREY,
            fontsize="small",
        )


def name_rows(
    ax: Axes, names: Sequence[str], horizontal: bool = False, places: Sequence[float] | None = None
) -> None:
    """One tick a row; every second, third… only, where there would be too many to read."""
    places = places or range(len(names))
    if horizontal:
        ax.set_yticks(places, names)
        ax.invert_yaxis()
        return
    step = -(-len(names) // _MOST_LABELS)
    shown = names[::step]
    crowded = sum(len(name) for name in shown) > _MOST_LETTERS
    room = 2 * _MOST_LETTERS / max(len(shown), 1)  # of two neighbours
    crowded |= any(len(one) + len(other) > room for one, other in pairwise(shown))
    ax.set_xticks(
        places[::step],
        shown,
        rotation=45 if crowded else 0,
        ha="right" if crowded else "center",
    )


def finish(
    ax: Axes,
    marks: Marks,
    *,
    title: str = "",
    axis: str = "",
    horizontal: bool = False,
    handles: Sequence[Artist] = (),
) -> None:
    """Title, number format, and a legend of `handles` and of the marks that were drawn."""
    number_axis(ax.xaxis if horizontal else ax.yaxis, axis)
    ax.set_title(title, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    told = [*handles, *_marks_drawn(ax, marks)]
    if told and horizontal and is_ours(ax):
        as_written(ax.figure.legend(handles=told, frameon=False, loc="outside lower left"))
    elif told:
        if not horizontal:  # room for the legend above what is drawn
            low, high = ax.get_ylim()
            ax.set_ylim(low, high + (high - low) * 0.08 * len(told))
        ax.legend(handles=told, frameon=False)
    as_written(ax)


def finish_below(
    ax: Axes, marks: Marks, *, title: str = "", handles: Sequence[Artist] = (), notes: Sequence[Artist] = ()
) -> None:
    """Title, and below the figure the legend: where nothing that is drawn can be in its way. On Axes that
    stand in a figure of the person's own, the legend is inside of them."""
    ax.set_title(title, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    told = [*handles, *_marks_drawn(ax, marks), *notes]
    if told and is_ours(ax):
        legend = ax.figure.legend(handles=told, frameon=False, loc="outside lower left")
        as_written(legend)
    elif told:
        ax.legend(handles=told, frameon=False)
    as_written(ax)


def is_ours(ax: Axes) -> bool:
    """Whether the whole figure was made by `new_axes`."""
    return ax.figure.get_gid() == OURS


def number_axis(drawn: Axis, label: str) -> None:
    """Numbers as the person writes them, and what they are."""
    from matplotlib.ticker import FuncFormatter

    drawn.set_major_formatter(FuncFormatter(lambda value, _place: thousands(value)))
    drawn.set_label_text(label)


def as_written(drawn: Artist) -> None:
    """No text is read as a formula: a label with two dollar signs is a label."""
    from matplotlib.text import Text

    for text in drawn.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)


def _marks_drawn(ax: Axes, marks: Marks) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from p4dp_sdk.figures.words import SNAPPED, withheld_label

    told: list[Artist] = []
    if any(patch.get_hatch() for patch in ax.patches):
        told.append(Patch(label=withheld_label(marks.threshold, published=marks.published), **WITHHELD))
    if any(SNAPPED in text.get_text() for text in ax.texts):
        label = _("rounded to an earlier answer")
        told.append(Line2D([], [], linestyle="", marker=r"$\approx$", color=GREY, label=label))
    if any(drawn.get_gid() == ERROR for drawn in ax.collections):
        label = _("{error} (draft)").format(error=marks.error_text)
        told.append(Line2D([], [], linestyle="", marker="|", markersize=10, color="black", label=label))
    return told


def draft_note(marks: Marks, series: pd.Series[Any]) -> list[Artist]:
    """For the legend of a figure that writes its numbers: by how much those of a draft may be off."""
    from matplotlib.lines import Line2D

    if not marks.error_of(series):
        return []
    label = _("{error} (draft)").format(error=marks.error_text)
    return [Line2D([], [], linestyle="", label=label)]


def draw_error(
    ax: Axes,
    places: Sequence[float],
    values: Sequence[float],
    error: float | Sequence[float],
    *,
    horizontal: bool = False,
) -> None:
    """A thin whisker of ± `error` (one for all, or one for each) at each value; nothing where counts are
    exact."""
    errors = [error] * len(values) if isinstance(error, int | float) else list(error)
    if not any(errors):
        return
    low = [value - off for value, off in zip(values, errors, strict=True)]
    high = [value + off for value, off in zip(values, errors, strict=True)]
    draw = ax.hlines if horizontal else ax.vlines
    draw(places, low, high, colors="black", linewidth=0.8, alpha=0.6, gid=ERROR)


def thousands(value: float) -> str:
    """A number of an axis, in the person's language."""
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,g}"
    return text if language() is Language.ENGLISH else text.replace(",", "\u202f").replace(".", ",")
