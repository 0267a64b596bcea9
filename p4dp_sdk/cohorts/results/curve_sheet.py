"""A life table and its rates in words: what people read in place of columns of numbers. Texts only.

A row says what happened *since the one above it*, so that intervals that were put together read as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from p4dp_sdk.cohorts.results.sheet import Line, Sheet, decimal, nobody_left
from p4dp_sdk.figures.words import MARK, number
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.remarks import remarks

if TYPE_CHECKING:
    import pandas as pd

    from p4dp_sdk.cohorts.results.life_table import LifeTable

Row = Mapping[Any, Any]


def life_table_sheet(table: LifeTable) -> Sheet:
    estimate = ("incidence", "incidence_low", "incidence_high") if table.competing else _SURVIVAL
    counts = ["at_risk", "events", *(["competing"] if table.competing else []), "withdrawn"]
    titles = {
        "at_risk": _("At risk"),
        "events": _("Events"),
        "competing": _("Competing events"),
        "withdrawn": _("Left follow-up"),
    }
    last = _("Incidence, % (95 % CI)") if table.competing else _("Free of the event, % (95 % CI)")
    headers = ("", _("Follow-up"), *(titles[name] for name in counts), last)
    lines = tuple(_lines(table.frame, table.unit, counts, estimate))
    followed = table.frame.at_risk.fillna(0).gt(0).any()
    hints = [*([] if followed else [nobody_left()]), *_said(table.frame)]
    return Sheet(table.title or table.outcome, headers, lines, tuple(table.notes), tuple(hints))


def rates_sheet(frame: pd.DataFrame, per: float, unit: str) -> Sheet:
    """Of the frame that `LifeTable.incidence` gives."""
    rate = _("Rate for {per} person-years (95 % CI)").format(per=number(per))
    headers = ("", _("Events"), _("Person-years"), rate, _("Until"))
    lines = tuple(
        Line(
            str(row["group"]),
            (
                _count(row["events"]),
                _count(row["person_years"]),
                _within(row, ("rate", "low", "high"), 1),
                _time(row["until"], unit),
            ),
        )
        for row in frame.to_dict("records")
    )
    return Sheet(_("Incidence"), headers, lines, (), tuple(_said(frame)))


_SURVIVAL = ("survival", "low", "high")


def _lines(
    frame: pd.DataFrame, unit: str, counts: Sequence[str], estimate: tuple[str, str, str]
) -> Iterator[Line]:
    last = None
    for row in frame.to_dict("records"):
        group, last = ("" if row["group"] == last else str(row["group"])), row["group"]
        begins = row["time"] == 0
        told = [_count(row[name]) if name == "at_risk" or not begins else "" for name in counts]
        share = {name: None if _is_missing(row[name]) else 100 * row[name] for name in estimate}
        yield Line(group, (_time(row["time"], unit), *told, "" if begins else _within(share, estimate, 1)))


def _time(value: Any, unit: str) -> str:
    return MARK if _is_missing(value) else f"{number(float(value))} {unit}"


def _count(value: Any) -> str:
    return MARK if _is_missing(value) else number(round(value))


def _within(row: Row, names: tuple[str, str, str], digits: int) -> str:
    values = [row[name] for name in names]
    if any(_is_missing(value) for value in values):
        return MARK
    share, low, high = (decimal(float(value), digits) for value in values)
    return f"{share} [{low} – {high}]"


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or bool(pd.isna(value))


def _said(frame: pd.DataFrame) -> list[str]:
    disclosure = frame.attrs.get("p4dp")
    return [] if disclosure is None else remarks(frame, disclosure)
