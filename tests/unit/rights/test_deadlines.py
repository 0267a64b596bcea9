"""When an answer is due (GDPR art. 12(3)), and where a request, a practice or a file may go next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.governance.rights.deadlines import due_on, is_off
from hub_config.governance.rights.facts import (
    ENTRY_TRANSITIONS,
    PRACTICE_TRANSITIONS,
    RIGHT_TRANSITIONS,
    EntryState,
    EntryStep,
    PracticeState,
    PracticeStep,
    RightState,
    RightStep,
    is_reference,
)

DUE = [
    ("2026-01-08", "2026-02-09", "2026-04-08"),  # 8 February is a Sunday
    ("2026-01-31", "2026-03-02", "2026-04-30"),  # no 31st: 28 February, a Saturday
    ("2024-01-31", "2024-02-29", "2024-04-30"),  # 29 February, a Thursday
    ("2026-03-06", "2026-04-07", "2026-06-08"),  # 6 April is Easter Monday; 6 June a Saturday
    ("2026-04-14", "2026-05-15", "2026-07-15"),  # Ascension; 14 July
    ("2025-12-01", "2026-01-02", "2026-03-02"),  # New Year's Day; 1 March is a Sunday
    ("2026-11-25", "2026-12-28", "2027-02-25"),  # Christmas is a Friday
]


@pytest.mark.parametrize(("received", "due", "extended"), DUE)
def test_the_day_an_answer_is_due(received: str, due: str, extended: str) -> None:
    day = date.fromisoformat(received)
    assert due_on(day).isoformat() == due
    assert due_on(day, extended=True).isoformat() == extended


@settings(max_examples=150)
@given(st.dates(date(2020, 1, 1), date(2060, 12, 31)))
def test_never_less_than_a_month_never_on_a_day_off(received: date) -> None:
    first, last = due_on(received), due_on(received, extended=True)
    assert timedelta(days=28) <= first - received <= timedelta(days=36)
    assert timedelta(days=89) <= last - received <= timedelta(days=97)
    assert not is_off(first) and not is_off(last)


@pytest.mark.parametrize("day", ["2026-04-06", "2026-05-14", "2026-05-25", "2027-03-29", "2038-04-26"])
def test_holidays_that_move(day: str) -> None:
    assert is_off(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("table", "states", "steps", "begin"),
    [
        (RIGHT_TRANSITIONS, RightState, RightStep, RightState.RECEIVED),
        (PRACTICE_TRANSITIONS, PracticeState, PracticeStep, PracticeState.ACTIVE),
        (ENTRY_TRANSITIONS, EntryState, EntryStep, EntryState.SUBMITTED),
    ],
)
def test_every_state_is_reached_and_every_step_leads_somewhere(
    table: Mapping[StrEnum, Mapping[StrEnum, StrEnum]],
    states: type[StrEnum],
    steps: type[StrEnum],
    begin: StrEnum,
) -> None:
    assert set(table) == set(states)
    assert {step for leads in table.values() for step in leads} == set(steps)
    reached, waiting = {begin}, [begin]
    while waiting:
        for after in table[waiting.pop()].values():
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == set(states)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026-114", True),
        ("DPO/2026/3", True),
        ("CAB 12", True),
        ("", False),
        ("Mme Dupont, 1950", False),
        ("184127645108933", False),
        ("a" * 41, False),
        ("=1+1", False),
    ],
)
def test_what_a_reference_may_be(text: str, fits: bool) -> None:
    assert is_reference(text) is fits
