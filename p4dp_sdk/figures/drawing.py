"""A specification and a signed table → a figure. The same bytes each time, wherever it is drawn: no style of
the person's, no date, no name of a program; one matplotlib.

`axes` draws for somebody who goes on by hand; `draw` is what is released. Sizes are bounded, whatever the
table: a figure that would be larger has fewer dots per inch.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, assert_never

from p4dp_sdk.figures.framing import frame_of
from p4dp_sdk.figures.saving import write
from p4dp_sdk.figures.spec import Choice, Kind, Part, Spec, check_table
from p4dp_sdk.locale import speaking
from p4dp_sdk.wire.publication import Document

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BETWEEN: Final = " · "  # groups that name a row together


class Format(StrEnum):
    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


def draw(spec: Spec, document: Document, wanted: Format, dots: int | None = None) -> bytes:
    """The figure as a file; `dots` per inch of a PNG, those of a journal if not given.

    Raises BadSpec, or a P4DPError where the table can't be drawn so (two rows for one place, numbers below 0
    on a logarithmic axis).
    """
    import matplotlib as mpl
    from matplotlib import pyplot

    with mpl.rc_context(), speaking(spec.language):  # ticks are written when all is rendered
        mpl.rcdefaults()
        drawn = axes(spec, document)
        try:
            content = io.BytesIO()
            write(drawn, content, wanted.value, dots)
        finally:
            pyplot.close(drawn.figure)  # type: ignore[arg-type]  # a figure of ours is no sub-figure
    return content.getvalue()


def axes(spec: Spec, document: Document) -> Axes:
    """The figure on matplotlib's Axes of its own, to go on with. Raises as `draw` does."""
    check_table(spec, document.statement)
    frame = frame_of(document, document.statement.rows)
    title = "" if Choice.UNTITLED in spec.choices else document.statement.title
    with speaking(spec.language):
        return _drawn(spec, frame, title)


def _drawn(spec: Spec, frame: pd.DataFrame, title: str) -> Axes:
    from p4dp_sdk.figures.bars import bar
    from p4dp_sdk.figures.distributions import histogram
    from p4dp_sdk.figures.flows import flow_chart
    from p4dp_sdk.figures.heatmaps import heatmap
    from p4dp_sdk.figures.lines import line
    from p4dp_sdk.figures.pyramids import pyramid

    said: Mapping[str, Any] = {"title": title, "axis": _axis(spec)}
    values = spec.columns.get(Part.VALUES, ())
    match spec.kind:
        case Kind.BAR:
            lying = Choice.HORIZONTAL in spec.choices
            return bar(*_named(spec, frame), list(values), horizontal=lying, **said)
        case Kind.LINE:
            return line(*_named(spec, frame), list(values), **said)
        case Kind.HISTOGRAM:
            return histogram(*_named(spec, frame), values[0], **said)
        case Kind.PYRAMID:
            return pyramid(frame, spec.one(Part.AGE), spec.one(Part.SEX), values[0], **said)
        case Kind.HEATMAP:
            return heatmap(frame, spec.one(Part.ROWS), spec.one(Part.COLUMNS), values[0], **said)
        case Kind.FUNNEL | Kind.FOREST | Kind.KAPLAN_MEIER:
            return _estimated(spec, frame, title)
        case Kind.FLOW_CHART:
            step, count, excluded = (spec.one(part) for part in (Part.STEP, Part.COUNT, Part.EXCLUDED))
            return flow_chart(frame, step, n=count, excluded=excluded, title=title)
        case _:
            assert_never(spec.kind)


def _estimated(spec: Spec, frame: pd.DataFrame, title: str) -> Axes:
    """Figures of shares and estimates with their limits."""
    from p4dp_sdk.figures.forests import forest
    from p4dp_sdk.figures.funnels import funnel
    from p4dp_sdk.figures.survivals import kaplan_meier

    low, high = spec.one(Part.LOW), spec.one(Part.HIGH)
    if spec.kind is Kind.FUNNEL:
        part, whole = spec.one(Part.NUMERATOR), spec.one(Part.DENOMINATOR)
        return funnel(*_named(spec, frame), numerator=part, denominator=whole, title=title)
    if spec.kind is Kind.FOREST:
        estimate, log = spec.one(Part.ESTIMATE), Choice.LOG in spec.choices
        shown, label = _named(spec, frame)
        return forest(
            shown, label, estimate=estimate, low=low, high=high, log=log, axis=estimate, title=title
        )
    return kaplan_meier(
        frame,
        spec.one(Part.TIME),
        survival=spec.one(Part.SURVIVAL),
        low=low,
        high=high,
        at_risk=spec.one(Part.AT_RISK),
        group=spec.one(Part.GROUP),
        rising=Choice.RISING in spec.choices,
        stepped=Choice.SMOOTH not in spec.choices,
        unit=spec.one(Part.TIME),
        title=title,
    )


def _named(spec: Spec, frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The frame, and the column that names its rows: several groups name them together."""
    names = list(spec.columns[Part.CATEGORY])
    if len(names) == 1:
        return frame, names[0]
    together = _BETWEEN.join(names)
    frame[together] = frame[names].astype("string").fillna("—").agg(_BETWEEN.join, axis=1)
    return frame, together


def _axis(spec: Spec) -> str:
    """What is counted, where it is one number; several are told in the legend."""
    values = spec.columns.get(Part.VALUES, ())
    return values[0] if len(values) == 1 else ""
