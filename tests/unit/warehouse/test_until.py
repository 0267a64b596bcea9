"""What is known of observation after an objection to the future, period by period.

A practice reports to 31 December 2020, and changed its software in spring 2019; it has many patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.warehouse.derived.until import (
    OF_PRACTICES,
    End,
    Export,
    Observed,
    Period,
    Practice,
    Stored,
    _practices,
    known_until,
    last_month_over,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


GAP, BACK, LAST = day("2019-03-10"), day("2019-05-02"), day("2020-12-31")
ENDS = frozenset({End(GAP, "software_gap"), End(LAST, "last_export")})
EXPORTS = (Export(day("2019-03-12"), GAP), Export(day("2020-06-01"), day("2020-05-29")), Export(LAST, LAST))
GP, NOBODY = 4, 5
WHO = 17


def known(until: str, *periods: str, practice: int = GP, objected: str | None = None) -> list[str | None]:
    """Periods as `start end reason`; - is unknown."""
    stored = [_read(each) for each in periods]
    practices = {GP: Practice(ENDS, EXPORTS, day(objected) if objected else None)}
    found = known_until([Observed(WHO, practice, each) for each in stored], {WHO: day(until)}, practices)
    return [_told(found[WHO, each]) for each in stored]


def _read(text: str) -> Period:
    start, end, reason = (None if each == "-" else each for each in text.split())
    return Period(day(start) if start else None, day(end) if end else None, reason)


def _told(period: Period | None) -> str | None:
    return None if period is None else f"{period.start} {period.end or '-'} {period.reason or '-'}"


WHOLE = "2015-01-01 2020-12-31 last_export"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (WHOLE, WHOLE),
        ("2015-01-01 2018-04-03 inactive", "2015-01-01 2018-04-03 inactive"),
        ("2015-01-01 2020-09-09 inactive", WHOLE),
        ("2015-01-01 2020-10-31 death", WHOLE),
        ("2015-01-01 2020-06-15 death", WHOLE),
        ("2015-01-01 2020-05-31 death", "2015-01-01 2020-05-31 death"),
        ("2015-01-01 2020-09-09 last_export", WHOLE),
        ("2015-01-01 - -", WHOLE),
        ("2020-06-16 2020-12-31 last_export", None),
        ("- 2020-12-31 last_export", None),
    ],
)
def test_of_a_patient_who_objected_on_15_june_2020(stored: str, shown: str | None) -> None:
    """What ends for everybody ends; what happened to them alone, since, did not."""
    assert known("2020-06-15", stored) == [shown]


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (WHOLE, "2015-01-01 2020-05-31 last_export"),
        ("2015-01-01 2020-06-14 inactive", "2015-01-01 2020-06-14 inactive"),
        ("2020-06-02 2020-12-31 last_export", None),
    ],
)
def test_where_no_practices_end_is_known_it_is_a_months(stored: str, shown: str | None) -> None:
    assert known("2020-06-15", stored, practice=NOBODY) == [shown]


def test_after_a_gap_of_the_practice_they_are_observed_again() -> None:
    before, after = f"2015-01-01 {GAP} software_gap", f"{BACK} 2020-12-31 last_export"
    assert known("2019-02-01", before, after) == [before, after]
    assert known("2019-02-01", after) == [None], "who was not there before"
    assert known("2019-02-01", f"2015-01-01 {GAP} inactive", after) == [before, after]
    left = "2015-01-01 2018-12-01 inactive"
    assert known("2019-02-01", left, after) == [left, None], "it was they who came back"


@pytest.mark.parametrize(
    ("objected", "shown"),
    [
        ("2020-06-15", "2015-01-01 2020-05-29 last_export"),
        ("2020-05-31", "2015-01-01 2019-03-10 last_export"),
        ("2019-02-20", "2015-01-01 2019-01-31 last_export"),
    ],
)
def test_of_a_gp_who_objected_the_last_export_was_the_last(objected: str, shown: str) -> None:
    assert known(objected, WHOLE, objected=objected) == [shown]
    assert known(objected, "2020-06-01 2020-12-31 last_export", objected=objected) == [None]


DAYS = st.dates(day("2018-01-01"), day("2021-06-30"))
REASONS = st.sampled_from([*sorted(OF_PRACTICES), "inactive", "death", None])


@st.composite
def courses(draw: st.DrawFn) -> list[Period]:
    """One after the other; the last may not have ended."""
    days = sorted(draw(st.lists(DAYS, max_size=7, unique=True)))
    ends: list[date | None] = [*days[1::2], *([None] if len(days) % 2 else [])]
    return [Period(start, end, draw(REASONS)) for start, end in zip(days[::2], ends, strict=True)]


@given(periods=courses(), until=DAYS, objected=st.none() | DAYS)
@settings(max_examples=200, deadline=None)
def test_no_end_is_of_one_person_and_later_than_the_day(
    periods: list[Period], until: date, objected: date | None
) -> None:
    """And what is known is known again: a purge may be done twice."""
    practices = {GP: Practice(ENDS, EXPORTS, objected)}
    limits = {WHO: min(until, objected or until)}
    found = known_until([Observed(WHO, GP, each) for each in periods], limits, practices)
    shown = [each for each in found.values() if each]
    common = {(end.day, end.reason) for end in ENDS}
    for each in shown:
        assert each.end is not None
        assert each.end <= limits[WHO] or objected is not None or (each.end, each.reason) in common
        assert objected is None or each.end <= max(objected, last_month_over(objected))
    if objected and until < objected:
        return  # then the practice's end is that of its other patients, which this world doesn't have
    again = known_until([Observed(WHO, GP, each) for each in shown], limits, practices)
    assert all(again[WHO, each] == each for each in shown)


@dataclass
class Rows:
    """A table that counts how often it is asked whose a row is."""

    rows: list[dict[str, object]]
    asked: int = 0

    def to_pylist(self) -> list[dict[str, object]]:
        return [_Row(self, row) for row in self.rows]


class _Row(dict[str, object]):
    def __init__(self, rows: Rows, row: dict[str, object]) -> None:
        super().__init__(row)
        self.rows = rows

    def __getitem__(self, column: str) -> object:
        self.rows.asked += column == "practice"
        return super().__getitem__(column)


def test_all_practices_are_told_apart_in_one_pass() -> None:
    """Inside a question: of two thousand practices, a pass each took most of a minute."""
    numbers = range(50)
    ends = Rows([{"practice": n, "end_date": LAST, "end_reason": "last_export", "n": 9} for n in numbers])
    exports = Rows([{"practice": n, "exported_on": LAST, "last_event": GAP} for n in numbers])
    periods = pa.table({"practice": pa.array([*numbers, 99], pa.int64())})
    found = _practices(Stored(periods, ends, exports), {7: BACK})  # type: ignore[arg-type]
    end = frozenset({End(LAST, "last_export")})
    assert found[6] == Practice(end, (Export(LAST, GAP),)) and found[7].until == BACK
    assert (len(found), found[99]) == (51, Practice())
    assert (ends.asked, exports.asked) == (50, 50)
