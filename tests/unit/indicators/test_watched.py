"""A rate beside its threshold: by week, else by month, else without; and what one asks of an indicator in one
word: `only`, `known`, `where`."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from p4dp_sdk.indicators.compile import Asked
from p4dp_sdk.indicators.errors import BadPeriodError, UnknownGroupError, UnknownNumeratorError
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.registry import measures
from p4dp_sdk.indicators.result import Result
from p4dp_sdk.indicators.watched import watched
from p4dp_sdk.indicators.window import Every, Window
from tests.unit.indicators.clinical.little_world import ON
from tests.unit.indicators.test_framework import BOTH, OLD, small_world

SINCE = date(2021, 7, 1)


def starts(step: Every) -> list[date]:
    if step is Every.WEEK:
        return [date(2017, 1, 2) + timedelta(days=7 * week) for week in range(312)]
    return [date(2017 + month // 12, month % 12 + 1, 1) for month in range(72)]


def answers(withheld: dict[Every, float], peak: date) -> Any:
    """A wave of a year, with a peak of six weeks; the lowest `withheld` of each series is not shown."""

    def ask(step: Every) -> Result:
        days = starts(step)
        values = [
            round(60 + 40 * math.cos(2 * math.pi * day.timetuple().tm_yday / 365.25) + day.day % 7)
            + 80 * (peak <= day < peak + timedelta(days=42))
            for day in days
        ]
        limit = sorted(values)[int(withheld[step] * (len(values) - 1))]
        shown = [value if value >= limit else None for value in values]
        counts = pd.DataFrame(
            {
                step.value: days,
                "denominator": pd.array([10_000] * len(days), dtype="Int64"),
                "numerator": pd.array(shown, dtype="Int64"),
            }
        )
        window = Window(days[0], ON)
        return Result(measures()["activite"], Asked((window,), every=step), counts)

    return ask


def test_weeks_that_are_shown_have_a_weekly_threshold() -> None:
    made = watched(answers({Every.WEEK: 0.0, Every.MONTH: 0.0}, date(2022, 1, 31)), SINCE)
    assert made.step is Every.WEEK and made.found is not None
    assert all(run.start >= SINCE for run in made.found), "the past is what it is fitted to"
    assert any(run.start <= date(2022, 1, 31) and run.end >= date(2022, 3, 7) for run in made.found)
    assert made.frame["epidemic"].sum() == sum(run.weeks for run in made.found)
    assert made.plot() is not None and len(made.remarks) == 2 + len(made.found)


def test_withheld_weeks_make_it_months() -> None:
    made = watched(answers({Every.WEEK: 0.4, Every.MONTH: 0.1}, date(2022, 2, 1)), SINCE)
    assert made.step is Every.MONTH and made.found and made.found[0].start == date(2022, 2, 1)
    assert made.plot() is not None and "Par mois" in made._repr_html_()


def test_a_past_that_is_withheld_gives_no_threshold() -> None:
    """A baseline of high weeks alone would hide the next epidemic."""
    made = watched(answers({Every.WEEK: 0.9, Every.MONTH: 0.9}, date(2022, 2, 1)), SINCE)
    assert made.found is None and "threshold" not in made.frame
    assert made.plot() is not None and "Pas de seuil" in repr(made)


def test_there_must_be_a_past() -> None:
    with pytest.raises(BadPeriodError):
        watched(answers({Every.WEEK: 0.0, Every.MONTH: 0.0}, SINCE), date(2016, 1, 1))


def test_one_numerator_by_its_name_or_label() -> None:
    with small_world().tables() as tables:
        both = Indicator(BOTH, tables, ON)
        by_name, by_label = both.only("old").measure().frame, both.only("65 +").measure().frame
        assert by_name.equals(by_label) and by_name["numerator"].tolist() == [2]
        with pytest.raises(UnknownNumeratorError, match=r"65 \+"):
            both.only("65")


def test_those_who_are_known_are_the_denominator() -> None:
    with small_world().tables() as tables:
        old = Indicator(OLD, tables, ON)
        known, all_ = old.known().measure("sex").frame, old.measure("sex").frame
    assert "missing" in all_ and "missing" not in known
    columns = ["sex", "denominator", "numerator"]
    assert known[columns].equals(all_[all_["denominator"] > 0][columns].reset_index(drop=True))


def test_some_rows_by_the_measures_own_groups() -> None:
    world = small_world()
    world.put("consultations", patient_no=1, consultation_id=7, date=date(2022, 5, 1), type="home")
    with world.tables() as tables:
        consultations = Indicator(measures()["general_consultations"], tables, ON)
        assert consultations.measure().frame["rows"].tolist() == [7]
        assert consultations.where(type="home").measure().frame["rows"].tolist() == [1]
        with pytest.raises(UnknownGroupError):
            consultations.where(cisp2="R74")
