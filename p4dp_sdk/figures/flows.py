"""Flow charts: who entered a study, who was set aside and why (CONSORT 2010, STROBE item 13c)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p4dp_sdk.figures.frames import name, require, written
from p4dp_sdk.figures.style import GREY, WITHHELD, Marks, axes_of, draft_note, finish_below
from p4dp_sdk.figures.words import MARK, SNAPPED
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LETTERS = 38  # of a line in a box
_LINE, _ROOM = 0.2, 0.22  # inches: a line of text, above and below it in its box
_GAP, _SIDE_GAP = 0.34, 0.16  # inches between two boxes, around one at the side
_BOX, _SIDE, _BETWEEN = 3.6, 3.0, 0.9  # inches: widths


@dataclass(frozen=True)
class Box:
    """A box of the chart: its lines, the last of which says a number; whether that is withheld."""

    lines: Sequence[str]
    withheld: bool

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + _ROOM


def flow_chart(
    frame: pd.DataFrame,
    step: str = "step",
    *,
    n: str = "n",
    excluded: str = "excluded",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A box for each row of `frame`, in its order: what `step` says and `n`, who remain; at the side, before
    it, how many the step `excluded`.

    A withheld number is the mark of the tables, in a hatched box. A first row, or one that excluded nobody
    (0), has nothing at its side. Returns matplotlib's Axes.
    """
    require(frame, step, n, excluded)
    marks = Marks.of(frame)
    main = [_box(frame, marks, row, step, n, _LETTERS) for row in range(len(frame))]
    sides = [_side(frame, marks, row, excluded) for row in range(len(frame))]
    tops, height = _places(main, sides)
    ax = ax or axes_of((_BOX + _SIDE + _BETWEEN + 0.2, height + 0.6))
    for place, (box, side, top) in enumerate(zip(main, sides, tops, strict=True)):
        if place:
            _arrow(ax, tops[place - 1] - main[place - 1].height, top, side)
        _draw(ax, box, 0.0, top, _BOX)
        if side is not None:
            above = tops[place - 1] - main[place - 1].height
            _draw(ax, side, _BOX + _BETWEEN, (above + top + side.height) / 2, _SIDE)
    ax.set_xlim(-0.1, _BOX + _SIDE + _BETWEEN + 0.1)
    ax.set_ylim(-height - 0.1, 0.1)
    ax.set_axis_off()
    finish_below(ax, marks, title=title, notes=draft_note(marks, frame[n]))
    return ax


def _box(frame: pd.DataFrame, marks: Marks, row: int, label: str, count: str, letters: int) -> Box:
    value = frame[count].iloc[row]
    lines = textwrap.wrap(name(frame[label].iloc[row]), letters) or [""]
    return Box([*lines, f"n {_number(value, marks, count, row)}"], _is_gone(value))


def _side(frame: pd.DataFrame, marks: Marks, row: int, count: str) -> Box | None:
    value = frame[count].iloc[row]
    if row == 0 or (not _is_gone(value) and float(value) == 0):
        return None
    return Box([f"{_('Excluded')}, n {_number(value, marks, count, row)}"], _is_gone(value))


def _number(value: Any, marks: Marks, column: str, row: int) -> str:
    if _is_gone(value):
        return f"= {MARK}"
    sign = SNAPPED if row in marks.snapped.get(column, frozenset()) else "="
    return f"{sign} {written(value)}"


def _is_gone(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))


def _places(main: Sequence[Box], sides: Sequence[Box | None]) -> tuple[list[float], float]:
    """Where each box starts, downwards from 0, and how high all of it is."""
    tops, at = [], 0.0
    for place, (box, side) in enumerate(zip(main, sides, strict=True)):
        at -= 0.0 if place == 0 else _GAP if side is None else side.height + 2 * _SIDE_GAP
        tops.append(at)
        at -= box.height
    return tops, -at


def _draw(ax: Axes, box: Box, left: float, top: float, width: float) -> None:
    from matplotlib.patches import Rectangle

    plain: dict[str, Any] = {"facecolor": "white", "edgecolor": "black", "linewidth": 1.0}
    edge = WITHHELD if box.withheld else plain
    ax.add_patch(Rectangle((left, top - box.height), width, box.height, **edge))
    ax.text(
        left + width / 2,
        top - box.height / 2,
        "\n".join(box.lines),
        ha="center",
        va="center",
        linespacing=1.3,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2.0} if box.withheld else None,
    )


def _arrow(ax: Axes, start: float, end: float, side: Box | None) -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    middle = _BOX / 2
    ax.annotate("", (middle, end), xytext=(middle, start), arrowprops=style)
    if side is not None:
        between = (start + end) / 2
        ax.annotate("", (_BOX + _BETWEEN, between), xytext=(middle, between), arrowprops=style)
