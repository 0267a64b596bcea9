"""Funnel plots: each unit's share against its size, with the limits that chance explains.

Limits at 95 % and 99.8 % around the share of all units together (Spiegelhalter, Statistics in Medicine
2005;24:1185-1202): a unit outside the outer ones differs by more than chance, which is a question, not a
verdict. Units are never ranked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from p4dp_sdk.figures.frames import name, numbers, require, require_one_row
from p4dp_sdk.figures.style import (
    GREY,
    WITHHELD,
    Marks,
    axes_of,
    colour_of,
    draw_error,
    finish_below,
    number_axis,
)
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LIMITS = ("low95", "high95", "low998", "high998")
_MOST_NAMED = 12  # withheld units that a legend can name
_STEPS = 80  # of the drawn limits


def funnel(
    frame: pd.DataFrame,
    unit: str = "centre_id",
    *,
    numerator: str = "numerator",
    denominator: str = "denominator",
    limits: pd.DataFrame | None = None,
    target: float | None = None,
    highlight: str | None = None,
    title: str = "",
    axis: str = "",
    size: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A point for each row of `frame`: a unit (a centre), its `numerator` / `denominator` in percent, over
    its denominator.

    `limits` is a frame with the columns denominator, low95, high95, low998, high998 (shares, 0 to 1, by
    rising denominator); without it, exact binomial limits are drawn around `target`: the share of all
    the units shown, unless given. Units outside the outer limits, and `highlight`, are named. A unit with a
    withheld number has no place in the figure: it is named below. `axis` and `size` are the titles of the two
    axes. Returns matplotlib's Axes.
    """
    require(frame, numerator, denominator)
    require_one_row(frame, unit)
    ax, marks = ax or axes_of((8.0, 5.2)), Marks.of(frame)
    pairs = list(zip(numbers(frame[numerator]), numbers(frame[denominator]), strict=True))
    known = {row: (part, whole) for row, (part, whole) in enumerate(pairs) if part is not None and whole}
    parts, wholes = [part for part, _n in known.values()], [whole for _k, whole in known.values()]
    shares = [100 * part / whole for part, whole in known.values()]
    centre = target if target is not None else sum(parts) / sum(wholes) if wholes else None
    if limits is None and centre is not None and wholes:
        limits = binomial_limits(centre, wholes)
    told = _draw_limits(ax, limits, centre)
    draw_error(ax, wholes, shares, _errors(parts, wholes, marks.error_of(frame[numerator])))
    _draw_units(ax, [name(frame[unit].iloc[row]) for row in known], wholes, shares, limits, highlight)
    _frame_axes(ax, wholes, [*shares, *_usual_limits(limits, wholes)], axis or "%", size or _("Denominator"))
    gone = [name(frame[unit].iloc[row]) for row in range(len(frame)) if row not in known]
    finish_below(ax, marks, title=title, handles=[*told, *_without_place(gone)])
    return ax


def binomial_limits(target: float, denominators: Sequence[float]) -> pd.DataFrame:
    """The limits around `target` (0 to 1) at each of `denominators`, and between, as a frame."""
    import pandas as pd

    from p4dp_sdk.figures.chance import limits

    largest = max(denominators)
    steps = range(max(1, round(largest / _STEPS)), math.ceil(largest * 1.08), max(1, round(largest / _STEPS)))
    sizes = sorted({*steps, *map(round, denominators), math.ceil(largest * 1.08)})
    rows = [[*limits(target, size, 0.95), *limits(target, size, 0.998)] for size in sizes]
    return pd.DataFrame(rows, columns=list(_LIMITS)).assign(denominator=sizes)


def _draw_limits(ax: Axes, limits: pd.DataFrame | None, centre: float | None) -> list[Artist]:
    """The limits and the line they stand around, as entries of the legend."""
    told: list[Artist] = []
    if centre is not None:
        told.append(ax.axhline(100 * centre, color=GREY, linewidth=1, label=_("all units together")))
    if limits is None:
        return told
    for words, style, names in (
        (_("limits at 95 %"), "--", _LIMITS[:2]),
        (_("limits at 99.8 %"), "-", _LIMITS[2:]),
    ):
        lines = [
            ax.plot(limits["denominator"], 100 * limits[each], style, color=colour_of(1), linewidth=1.2)[0]
            for each in names
        ]
        lines[0].set_label(words)
        told.append(lines[0])
    return told


def _draw_units(
    ax: Axes,
    names: Sequence[str],
    at: Sequence[float],
    shares: Sequence[float],
    limits: pd.DataFrame | None,
    highlight: str | None,
) -> None:
    outside = [_is_outside(x, y, limits) for x, y in zip(at, shares, strict=True)]
    for drawn, colour, marker in ((False, colour_of(0), "o"), (True, colour_of(3), "D")):
        rows = [row for row, out in enumerate(outside) if out is drawn]
        x, y = [at[row] for row in rows], [shares[row] for row in rows]
        ax.scatter(x, y, 28, color=colour, marker=marker, zorder=3)
    for row, label in enumerate(names):
        if outside[row] or label == highlight:
            ax.annotate(
                label,
                (at[row], shares[row]),
                xytext=(6, 4),
                textcoords="offset points",
                fontsize="small",
                fontweight="bold" if label == highlight else "normal",
            )
        if label == highlight:
            ax.scatter([at[row]], [shares[row]], 110, facecolors="none", edgecolors="black", zorder=4)


def _is_outside(size: float, share: float, limits: pd.DataFrame | None) -> bool:
    import numpy as np

    if limits is None:
        return False
    low, high = (
        100 * np.interp(size, limits["denominator"], limits[each], left=np.nan, right=np.nan)
        for each in _LIMITS[2:]
    )
    return bool(share < low or share > high)


def _frame_axes(ax: Axes, at: Sequence[float], shares: Sequence[float], axis: str, size: str) -> None:
    """Room for the points; the limits of very small units may leave the figure."""
    ax.set_xlim(0, max(at, default=1.0) * 1.08)
    ax.set_ylim(0, 100)
    if not shares:
        ax.set_xticks([])
    else:
        room = max(max(shares) - min(shares), max(shares) * 0.2, 1.0) * 0.3
        ax.set_ylim(max(0.0, min(shares) - room), min(100.0, max(shares) + room))
    number_axis(ax.yaxis, axis)
    number_axis(ax.xaxis, size)


def _usual_limits(limits: pd.DataFrame | None, wholes: Sequence[float]) -> list[float]:
    """The outer limits of a unit of middle size, in percent: the figure shows them."""
    import numpy as np

    if limits is None or not wholes:
        return []
    middle = float(np.median(wholes))
    return [float(100 * np.interp(middle, limits["denominator"], limits[each])) for each in _LIMITS[2:]]


def _errors(parts: Sequence[float], wholes: Sequence[float], error: float) -> list[float]:
    """By how much a share in percent may be off where numerator and denominator each are, by `error`."""
    return [
        100 * error * math.hypot(1.0, part / whole) / whole for part, whole in zip(parts, wholes, strict=True)
    ]


def _without_place(names: Sequence[str]) -> list[Artist]:
    """Which units are withheld: they stand in the legend only."""
    from matplotlib.patches import Patch

    if not names:
        return []
    told = ", ".join(names[:_MOST_NAMED]) + ("…" if len(names) > _MOST_NAMED else "")
    label = _("withheld, not drawn: {groups}").format(groups=told)
    return [Patch(label=label, **WITHHELD)]
