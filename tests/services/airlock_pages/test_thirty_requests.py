"""Thirty realistic requests are reviewed through the real pages by two physicians who don't write code, in
under two hours of both together; and the pages don't come to ask more of them unnoticed.

What they read and press is counted; the model of time is in `tests.benchmarks.airlock.reviewing`. The checks
run in this process here, in their boxes in `make bench`, which writes docs/reference/airlock-figures.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_config.governance.releases.facts import State, Verdict
from tests.benchmarks.airlock.loading import Thirty, without_boxes
from tests.benchmarks.airlock.requests import REQUESTS, STOPPED
from tests.benchmarks.airlock.reviewing import Physician, Whose, review_all

MINUTES = 120
SCREENS, PRESSED, OUR_WORDS = 90, 1150, 13_000  # of both physicians, for all thirty
ENDS = {
    Verdict.APPROVE: State.RELEASED,
    Verdict.CHANGES: State.RETURNED,
    Verdict.REJECT: State.REJECTED,
}


Reviewed = tuple[Thirty, tuple[Physician, Physician]]


@pytest.fixture(scope="module")
def reviewed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Reviewed]:
    thirty = Thirty(tmp_path_factory.mktemp("thirty") / "home")
    with without_boxes():
        thirty.load((*REQUESTS, *STOPPED), at_once=1)
    yield thirty, review_all(thirty)
    thirty.close()


def test_each_ends_as_a_careful_physician_decides(reviewed: Reviewed) -> None:
    thirty, _ = reviewed
    assert len(thirty.waiting) == len(REQUESTS) == 30
    ends = {request.title: thirty.facts(id).state for id, request in thirty.waiting.items()}
    assert ends == {request.title: ENDS[request.verdict] for request in REQUESTS}


def test_what_must_not_leave_costs_no_physician_a_minute(reviewed: Reviewed) -> None:
    assert reviewed[0].stopped == list(STOPPED)


def test_two_hours_are_enough(reviewed: Reviewed) -> None:
    """Even if every word is read each time it is shown."""
    first, second = (physician.total for physician in reviewed[1])
    assert (first + second).minutes < MINUTES


def test_the_pages_ask_no_more_than_they_did(reviewed: Reviewed) -> None:
    """Lower the limits with the pages; raise them only with a reason."""
    both = reviewed[1][0].total + reviewed[1][1].total
    assert 0.8 * SCREENS < both.screens <= SCREENS
    assert 0.8 * PRESSED < both.keystrokes + both.clicks <= PRESSED
    assert 0.8 * OUR_WORDS < both.words[Whose.OURS] + both.words[Whose.FINDINGS] <= OUR_WORDS


def test_the_queue_says_about_how_long_it_takes(reviewed: Reviewed) -> None:
    """Between a practised reader and one who reads every word each time, but for what is put aside: there it
    allows for handling by hand."""
    thirty, (first, _) = reviewed
    ordinary = [id for id in first.efforts if not thirty.facts(id).quarantined]
    told = sum(first.estimated[id] for id in ordinary)
    efforts = [first.efforts[id] for id in ordinary]
    assert sum(e.practised for e in efforts) < told < 1.5 * sum(e.minutes for e in efforts)
