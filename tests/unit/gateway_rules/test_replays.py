"""The same question again, after objections and withdrawals: what was shown is given again, with its date."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.rules.earlier.definitions import words
from hub_config.gateway.rules.earlier.snapping import Decided, settle
from hub_config.gateway.rules.memory import Batch, Proposal, Settlement
from hub_config.governance.ledger.group import Group, Kind, decode, encode
from tests.unit.gateway_rules.people import PHYSICIANS, POLICY, Draw, Ledger, People, close, far, steady

PEOPLE = People(size=6000)
SHOWN, SNAPPED, WITHHELD = Settlement
seeds = st.integers(0, 2**32 - 1)
Cell = Iterable[int]


class Project(Ledger):
    """A memory that knows when this project was shown each group, one day an answer; others' are NaT."""

    def __init__(self, draw: Draw = steady) -> None:
        super().__init__(POLICY, draw)
        self.days: list[np.datetime64] = []

    def would(self, *batches: Batch) -> tuple[Decided, ...]:
        shown = np.array(self.days, dtype="datetime64[s]")
        return settle(self.history, np.ones(len(self.groups), bool), batches, self.policy, self.draw, shown)

    def remember(self, group: Group) -> None:
        self.days.append(np.datetime64("2026-01-01", "s") + np.timedelta64(len(self.days), "D"))
        super().remember(decode(encode(group)))

    def forget(self) -> None:
        """All shown so far was shown to another project."""
        self.days = [np.datetime64("NaT", "s")] * len(self.days)


def question(*cells: Cell, name: str = "q", **changes: object) -> Batch:
    """Cells under the definitions of one question: the same words whatever people are in them."""
    said = words([_number(f"{name} {place}") for place in range(len(cells))])
    return PEOPLE.batch(*cells, **{"definitions": said, **changes})


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:15]) | 1


def again(ledger: Project, *cells: Cell, **changes: object) -> tuple[list[float], list[int]]:
    (decided,) = ledger.ask(question(*cells, **changes))
    return decided.settled.values.tolist(), decided.settled.settlements.tolist()


def without(people: Iterable[int], *physicians: int) -> list[int]:
    """Those who stay when these GPs withdraw."""
    return [person for person in people if person % PHYSICIANS not in physicians]


def drawn(rng: np.random.Generator, count: int) -> list[list[int]]:
    """Cells that share nobody, of 15 to 400 people."""
    order = rng.permutation(PEOPLE.size)
    stops = np.cumsum(rng.integers(15, 400, count))
    return [part.tolist() for part in np.split(order, stops)[:-1]]


GROUP = list(range(800))  # of 40 GPs, 20 each


# --- one GP withdraws --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_the_same_question_before_and_after_one_withdrawal_shows_equal_cells(seed: int) -> None:
    """The law: whoever withdraws, and whatever else was asked in between, no cell of it moves."""
    rng = np.random.default_rng(seed)
    ledger, cells = Project(), drawn(rng, 6)
    physician = {person: int(gp) for person, gp in enumerate(rng.integers(0, 60, PEOPLE.size) ** 2 // 90)}
    first = again(ledger, *cells, physician=physician)
    for cell in drawn(rng, 3):
        ledger.ask(question(cell, name=str(cell), physician=physician))
    gone = int(rng.integers(0, 40))
    left = [[person for person in cell if physician[person] != gone] for cell in cells]
    after, marks = again(ledger, *left, physician=physician)
    before = again(ledger, *cells, physician=physician)
    assert after == pytest.approx(first[0], nan_ok=True)
    assert (after, marks) == (pytest.approx(before[0], nan_ok=True), before[1])


def test_without_a_definition_it_goes_dark() -> None:
    ledger = Project()
    again(ledger, GROUP, definitions=None)
    assert again(ledger, without(GROUP, 3), definitions=None)[1] == [WITHHELD]
    assert again(ledger, without(GROUP, 3))[1] == [WITHHELD], "shown before there were definitions"


def test_what_another_project_was_shown_is_not_given_again() -> None:
    ledger = Project()
    again(ledger, GROUP)
    ledger.forget()
    assert again(ledger, without(GROUP, 3))[1] == [WITHHELD]


def test_another_question_about_the_same_people_goes_dark() -> None:
    ledger = Project()
    again(ledger, GROUP)
    assert again(ledger, without(GROUP, 3), name="another")[1] == [WITHHELD]
    assert again(ledger, without(GROUP, 3))[1] == [SNAPPED]


def test_what_a_publication_showed_is_not_given_again_in_a_draft() -> None:
    ledger = Project()
    (decided,) = ledger.would(question(GROUP))
    ledger.remember(Group(**{**decided.group.__dict__, "publication": True}))
    assert again(ledger, without(GROUP, 3))[1] == [WITHHELD]


def test_what_failed_stays_withheld() -> None:
    """One GP had nearly all of it: that it passes without them would say so."""
    ledger, fails = Project(), np.array([Proposal.WITHHOLD], np.int8)
    again(ledger, GROUP, proposals=fails, values=np.array([np.nan]))
    assert again(ledger, without(GROUP, 3))[1] == [WITHHELD]
    assert again(ledger, without(GROUP, 3))[1] == [WITHHELD]
    assert again(ledger, without(GROUP, *range(12)))[1] == [SHOWN]


def test_what_fails_now_is_given_again_as_it_was() -> None:
    """That too few are left, or that the rest are alike, is told by nothing."""
    ledger = Project()
    first, _ = again(ledger, GROUP)
    for proposal in (Proposal.WITHHOLD, Proposal.NEVER):
        now = question(without(GROUP, 3), proposals=np.array([proposal], np.int8), values=np.array([np.nan]))
        (decided,) = ledger.ask(now)
        assert decided.settled.values.tolist() == first
        assert decided.settled.settlements.tolist() == [SNAPPED]


# --- when it moves -----------------------------------------------------------------------------------------


def test_it_moves_once_several_practices_have_gone() -> None:
    """Measured from the people of the number shown, however often it was given again."""
    ledger = Project()
    first, _ = again(ledger, GROUP)
    seen = [again(ledger, without(GROUP, *range(gone))) for gone in range(1, 9)]
    values = [value for (value,), _ in seen]
    moved = next(gone for gone, value in enumerate(values, 1) if value != first[0])
    assert 3 <= moved <= 4, "few GPs are two or three"
    assert seen[moved - 1][1] == [SHOWN]
    assert values[moved : moved + 2] == [values[moved - 1]] * 2, "and then it is given again itself"


@pytest.mark.parametrize(("draw", "stays", "moves"), [(close, 10, 11), (far, 15, 16)])
def test_few_objections_move_nothing_and_more_do(draw: Draw, stays: int, moves: int) -> None:
    """Of patients of all GPs: ten and a keyed 0 to 5; but the least outside one GP as well."""
    for gone, expected in ((stays, SNAPPED), (moves + 6, SHOWN)):
        ledger = Project(draw)
        again(ledger, GROUP)
        assert again(ledger, GROUP[gone:])[1] == [expected], gone


def test_many_changes_that_are_one_gps_move_nothing() -> None:
    """A new snapshot in which a practice left and five others came, to five GPs."""
    ledger = Project()
    first, _ = again(ledger, GROUP)
    assert again(ledger, [*without(GROUP, 3), *range(4000, 4005)]) == (first, [SNAPPED])


def test_a_new_snapshot_with_many_changes_is_counted_anew() -> None:
    ledger = Project()
    first, _ = again(ledger, GROUP)
    now, marks = again(ledger, [*GROUP[100:], *range(4000, 4200)])
    assert marks == [SHOWN]
    assert abs(now[0] - 900) < 5 < abs(now[0] - first[0])


# --- what it leaves behind ---------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_asking_again_changes_no_later_answer(seed: int) -> None:
    """So nobody learns from other questions whether it was given again, or of whom it is now."""
    rng = np.random.default_rng(seed)
    cells, gone = drawn(rng, 4), int(rng.integers(PHYSICIANS))
    left = [without(cell, gone) for cell in cells]
    later = [left[0][: len(left[0]) - int(rng.integers(0, 30))], left[1] + left[2], *drawn(rng, 2)]
    quiet, busy = Project(), Project()
    for ledger in (quiet, busy):
        ledger.ask(question(*cells))
    for _ in range(2):
        busy.ask(question(*left))
    for number, cell in enumerate(later):
        one, other = (again(ledger, cell, name=f"later {number}") for ledger in (quiet, busy))
        assert one[1] == other[1]
        assert one[0] == pytest.approx(other[0], nan_ok=True)


def test_it_is_remembered_as_the_number_of_those_it_is_of() -> None:
    """Whoever adds it up adds those who were in it."""
    ledger = Project()
    one, other = GROUP, list(range(1000, 1800))
    ledger.ask(question(one, other))
    (decided,) = ledger.ask(question(without(one, 3), without(other, 3)))
    assert decided.group.kinds.tolist() == [Kind.FOLLOWER] * 2
    assert not np.any(decided.group.definitions), "the next is measured against those, too"
    anchors = ledger.history["count"]
    first, last = anchors["by_patient"][2], anchors["by_patient"][len(anchors) - 1]
    assert first.tolist() == last.tolist(), "the sum of both"


def test_the_same_people_again_leave_the_very_same_bytes() -> None:
    ledger = Project()
    (first,) = ledger.ask(question(GROUP, range(1000, 1400), range(5)))
    (second,) = ledger.ask(question(GROUP, range(1000, 1400), range(5)))
    assert encode(first.group) == encode(second.group)


def test_a_copy_is_given_again_with_its_source() -> None:
    ledger = Project()
    first, _ = again(ledger, GROUP, name="first")
    assert again(ledger, GROUP[4:]) == (first, [SNAPPED])
    assert again(ledger, without(GROUP[4:], 9)) == (first, [SNAPPED])
    group = ledger.groups[-1]
    assert group.sources[0] == ledger.history["count"]["fingerprint"][0]


def test_a_copy_of_a_sum_is_given_again_and_stands_for_its_people() -> None:
    ledger = Project()
    parts = [GROUP[:400], GROUP[400:]]
    ledger.ask(question(*parts, name="parts", keys=[[0, 1]]))
    ledger.ask(question(*[GROUP[200:600], list(range(2000, 2400))], name="others"))
    first, marks = again(ledger, GROUP, name="whole")
    assert marks == [SNAPPED]
    assert again(ledger, without(GROUP, 9), name="whole") == (first, [SNAPPED])


# --- the date ----------------------------------------------------------------------------------------------


def dates(ledger: Project, *cells: Cell) -> list[str]:
    (decided,) = ledger.ask(question(*cells))
    return [str(date)[:10] for date in decided.settled.dates]


def test_the_date_is_of_the_day_this_very_value_was_shown_first() -> None:
    """Given again with the same people or with others, it says the same."""
    ledger = Project()
    other: Sequence[int] = range(1000, 1800)
    assert dates(ledger, GROUP, other) == ["NaT", "NaT"]
    assert dates(ledger, GROUP, other) == ["2026-01-01"] * 2
    assert dates(ledger, without(GROUP, 3), other) == ["2026-01-01"] * 2
    assert dates(ledger, without(GROUP, *range(8)), other) == ["NaT", "2026-01-01"]
    assert dates(ledger, without(GROUP, *range(9)), other) == ["2026-01-04", "2026-01-01"]


def test_what_is_withheld_has_no_date() -> None:
    ledger = Project()
    few: Collection[int] = range(5)
    assert dates(ledger, few) == dates(ledger, few) == ["NaT"]
