"""The figures of the pages: heat maps of shares, and bars of what changed. Told apart without colours, too:
`cividis` grows darker evenly, numbers stand in the cells that have room, and what became less is hatched."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from hub_config.warehouse.pages.language import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MORE, LESS = "#0072B2", "#D55E00"  # blue and vermilion of Okabe & Ito 2008
_NUMBERED: Final = 12  # so many columns leave room for numbers
_TICKS: Final = 30
_LABEL: Final = 42  # characters of one of two lines
_WIDEST: Final = 10.5  # inches: what the page shows without making letters smaller
_SCALES: Final = (0.1, 0.2, 0.5, 1.0)  # a bar of more than +100 % ends there, and says its number


@dataclass(frozen=True)
class Heat:
    """`cells` are shares of 1, a row of them for each of `rows`. `dark_is_many`: else few are dark, so that
    what to look at is dark on every map."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[float]]
    by: str
    unit: str
    top: float  # the share at the end of the scale, which begins at 0
    dark_is_many: bool


def heat(drawn: Heat, words: Words) -> Figure:
    from matplotlib.figure import Figure

    wide = min(5.5 + 0.5 * len(drawn.columns), _WIDEST)
    figure = Figure(figsize=(wide, 1.6 + 0.36 * len(drawn.rows)), layout="constrained")
    axes = figure.subplots()
    percents = [[100 * share for share in row] for row in drawn.cells]
    colours = "cividis_r" if drawn.dark_is_many else "cividis"
    image = axes.imshow(percents, aspect="auto", cmap=colours, vmin=0, vmax=100 * drawn.top)
    every = -(-len(drawn.columns) // _TICKS)
    upright = len(drawn.columns) <= _NUMBERED
    axes.set_xticks(
        range(0, len(drawn.columns), every), list(drawn.columns)[::every],
        rotation=0 if upright else 90, fontsize=9,
    )  # fmt: skip
    axes.set_yticks(range(len(drawn.rows)), [_short(row) for row in drawn.rows], fontsize=9)
    axes.set_xlabel(drawn.by)
    if upright:
        _numbers(axes, percents, 100 * drawn.top, drawn.dark_is_many, words)
    bar = figure.colorbar(image, ax=axes, ticks=[drawn.top * step for step in (0, 25, 50, 75, 100)])
    bar.ax.set_yticklabels([words.round_percent(drawn.top * step / 100) for step in (0, 25, 50, 75, 100)])
    bar.set_label(drawn.unit)
    return figure


def _numbers(
    axes: Axes, percents: Sequence[Sequence[float]], top: float, dark_is_many: bool, words: Words
) -> None:
    for y, row in enumerate(percents):
        for x, percent in enumerate(row):
            is_dark = (percent > top / 2) is dark_is_many
            told = words.percent(percent / 100).removesuffix("\N{NO-BREAK SPACE}%")
            axes.text(x, y, told, ha="center", va="center", fontsize=9, color="white" if is_dark else "black")


@dataclass(frozen=True)
class Moved:
    """A count that was not nothing: by how much of it, as a share, and what is written behind the bar."""

    name: str
    share: float
    told: str


def scale_of(shares: Iterable[float]) -> float:
    """To which share the bars of a page go, that all may be compared."""
    most = max((abs(share) for share in shares), default=0.0)
    return next((scale for scale in _SCALES if most <= scale), _SCALES[-1])


def bars(moved: Sequence[Moved], farthest: float, _: Words) -> Figure:
    """One bar each from 0 to the left or right, in per cent of what was; the first on top. The scale ends at
    the share `farthest` on both sides."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(_WIDEST, 1.1 + 0.36 * len(moved)), layout="constrained")
    axes = figure.subplots()
    for place, each in enumerate(moved):
        length = max(-farthest, min(farthest, each.share))
        less = each.share < 0
        axes.barh(
            place, length, color=LESS if less else MORE, hatch="//" if less else None, edgecolor="white"
        )
        side, gap = ("right", -farthest / 50) if less else ("left", farthest / 50)
        axes.text(length + gap, place, each.told, ha=side, va="center", fontsize=9)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(moved)), [_short(each.name) for each in moved], fontsize=9)
    axes.set_ylim(len(moved) - 0.4, -0.6)
    axes.set_xlim(-1.8 * farthest, 1.8 * farthest)
    axes.set_xticks([farthest * step for step in (-1, -0.5, 0, 0.5, 1)])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _place: _.round_percent(at)))
    axes.set_xlabel(_("évolution, en % de l'effectif d'avant"))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def inline(image: bytes) -> str:
    """As the `src` of an image."""
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


def _short(label: str) -> str:
    """In two lines at most."""
    lines = wrap(label, _LABEL)
    return "\n".join(lines[:2]) + ("…" if len(lines) > 2 else "")
