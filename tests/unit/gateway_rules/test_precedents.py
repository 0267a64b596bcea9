"""What earlier publications say of a new one: sums, three numbers, and what follows from the definitions.

A cell's definition here says who is in it and adds up as they do (`People.defined`), unless a test leaves it
out: then only the people are known, and nobody tells why they are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.rules import memory
from hub_config.gateway.rules.earlier.anchors import Anchors
from hub_config.gateway.rules.earlier.practices import Between, Practices, most_of_one
from hub_config.gateway.rules.earlier.precedents import known_before, published
from hub_config.gateway.rules.earlier.snapping import group_of
from hub_config.gateway.rules.earlier.triples import Cells, triples
from hub_config.gateway.rules.memory import Batch, Known, Proposal, Settlement
from tests.unit.gateway_rules.people import POLICY, Ledger, People, steady

PEOPLE = People()
ALL, NONE = np.ones(1_000, bool), np.zeros(0, bool)


def table(*cells: Iterable[int], defined: bool = True, **changes: object) -> Batch:
    definitions = PEOPLE.defined(*cells) if defined else None
    return PEOPLE.batch(*cells, definitions=definitions, **changes)  # type: ignore[arg-type]


def after(*tables: Batch) -> Ledger:
    """A ledger in which each of these was published, if it could be."""
    ledger = Ledger()
    for each in tables:
        scope = np.ones(len(ledger.groups), bool)
        (decided,) = published(ledger.history, scope, [each], POLICY, steady)
        ledger.remember(decided.group)
    return ledger


def told(ledger: Ledger, batch: Batch) -> list[int]:
    scope = np.ones(len(ledger.groups), bool)
    return known_before(ledger.history, scope, [batch], POLICY, steady)[0].tolist()


WHOLE, PARTS = range(300), (range(100), range(100, 220), range(220, 300))


# --- nobody and few are alike ------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(missing=st.integers(0, 10), way=st.sampled_from(["pair", "parts first", "whole first", "three"]))
def test_nobody_and_few_are_withheld_alike_where_no_definition_says_it(missing: int, way: str) -> None:
    """Whatever somebody compares, the marks are the same for none and for one to ten."""
    less = range(missing, 300)
    match way:
        case "pair":
            assert told(after(table(WHOLE)), table(less, defined=False)) == [Known.WITHHELD]
        case "parts first":
            assert told(after(table(*PARTS)), table(less, defined=False)) == [Known.WITHHELD]
        case "whole first":
            parts = (range(missing, 100), *PARTS[1:])
            marks = told(after(table(WHOLE)), table(*parts, defined=False))
            assert marks == [Known.NEW, Known.WITHHELD, Known.NEW], "the largest"
        case "three":
            ledger = after(table(range(100)), table(range(100, 300)))
            assert told(ledger, table(less, defined=False)) == [Known.WITHHELD]


def test_what_follows_from_the_definitions_is_shown() -> None:
    assert told(after(table(WHOLE)), table(WHOLE)) == [Known.SHOWN]
    assert told(after(table(*PARTS)), table(WHOLE)) == [Known.SHOWN]
    assert told(after(table(WHOLE)), table(*PARTS)) == [Known.NEW] * 3
    ledger = after(table(range(100)), table(range(100, 300)))
    assert told(ledger, table(WHOLE)) == [Known.SHOWN]
    assert told(after(table(WHOLE), table(range(100))), table(range(100, 300))) == [Known.SHOWN]


def test_what_one_leaves_of_another_is_a_third() -> None:
    ledger = after(table(WHOLE), table(range(100)))
    for missing in (0, 1, 5):
        assert told(ledger, table(range(100 + missing, 300), defined=False)) == [Known.WITHHELD]
    assert told(ledger, table(range(140, 300), defined=False)) == [Known.NEW]


def test_a_number_near_one_that_was_withheld_would_give_it_away() -> None:
    hidden = np.array([Proposal.WITHHOLD], np.int8)
    ledger = after(table(WHOLE, proposals=hidden))
    for missing in (0, 1, 10):
        assert told(ledger, table(range(missing, 300), defined=False)) == [Known.WITHHELD]
    assert told(ledger, table(WHOLE)) == [Known.WITHHELD], "it stays so"


def test_parts_of_what_was_withheld_do_not_add_up_to_it() -> None:
    ledger = after(table(WHOLE, proposals=np.array([Proposal.WITHHOLD], np.int8)))
    assert told(ledger, table(*PARTS)) == [Known.NEW, Known.WITHHELD, Known.NEW]


def test_what_is_left_of_what_was_withheld_is_withheld() -> None:
    """The whole is shown, one of two parts is not: the other would be it."""
    shown = after(table(WHOLE), table(range(100), proposals=np.array([Proposal.WITHHOLD], np.int8)))
    assert told(shown, table(range(100, 300))) == [Known.WITHHELD]


def test_few_withheld_take_nobody_with_them() -> None:
    """What was withheld for being few says nothing of larger cells that hold them."""
    ledger = after(table(range(8)))
    assert told(ledger, table(range(15))) == [Known.NEW]


def test_refused_is_nothing() -> None:
    """A part that is withheld anyway: the others are shown or withheld, and no more is said."""
    hidden = np.array([Proposal.WITHHOLD, Proposal.SHOW, Proposal.SHOW], np.int8)
    for cells in (PARTS, (range(1, 100), *PARTS[1:])):
        marks = told(after(table(WHOLE)), table(*cells, defined=False, proposals=hidden))
        assert marks == [Known.NEW, Known.WITHHELD, Known.NEW]


# --- the measures of one table -----------------------------------------------------------------------------


def test_two_measures_of_a_cell_that_nobody_tells_apart() -> None:
    """Rows, and patients: that nobody comes twice would be told by the mark."""
    places = np.array([0, 1])
    for twice in ({}, {3: 2}):
        rows = PEOPLE.batch(
            {**dict.fromkeys(range(40), 1), **twice}, dict.fromkeys(range(100, 160), 2), measure="rows"
        )
        patients = table(range(40), range(100, 160), measure="patients")
        asked = [replace(each, places=places) for each in (rows, patients)]
        _, other = known_before({}, NONE, asked, POLICY, steady)
        assert other.tolist() == [Known.WITHHELD, Known.NEW]


def test_a_public_number_needs_no_leave_for_its_people() -> None:
    ledger = after(table(WHOLE), table(range(20, 300)))
    number = table(WHOLE)
    people = table(WHOLE, family=memory.PEOPLE, measure=memory.PEOPLE)
    near = table(range(5, 300), family=memory.PEOPLE, measure=memory.PEOPLE)
    (decided,) = published({}, NONE, [near], POLICY, steady)
    ledger.remember(decided.group)
    scope = np.ones(len(ledger.groups), bool)
    marks = known_before(ledger.history, scope, [number, people], POLICY, steady)
    assert [each.tolist() for each in marks] == [[Known.SHOWN], [Known.NEW]]


def test_settling_agrees_with_what_was_told() -> None:
    """What is proposed after the ledger was asked is settled as proposed: nothing more clashes."""
    ledger = after(table(WHOLE), table(range(500, 620), range(620, 700)))
    cells = (range(3, 100), range(100, 220), range(220, 300), range(500, 700), range(700, 760))
    first = told(ledger, table(*cells, defined=False))
    proposals = np.where(np.array(first) == Known.WITHHELD, Proposal.WITHHOLD, Proposal.SHOW).astype(np.int8)
    scope = np.ones(len(ledger.groups), bool)
    asked = table(*cells, defined=False, proposals=proposals)
    (decided,) = published(ledger.history, scope, [asked], POLICY, steady)
    assert np.isnan(decided.settled.values).tolist() == [mark == Known.WITHHELD for mark in first]


def test_what_is_remembered_has_its_definitions() -> None:
    cells = (range(40), range(100, 102))
    (decided,) = published({}, NONE, [table(*cells)], POLICY, steady)
    both = PEOPLE.defined(*cells)
    assert np.array_equal(decided.group.definitions, both[:1])
    assert np.array_equal(decided.group.small, both[1:]), "two people are remembered by what they are only"


# --- GPs ---------------------------------------------------------------------------------------------------

SEVEN = {**dict.fromkeys(range(200), 7), **{p: p % 7 for p in range(200, 800)}}  # GP 7 has the first 200


def of_gps(*cells: Iterable[int], **changes: object) -> Batch:
    return table(*cells, physician=SEVEN, **changes)


@pytest.mark.parametrize("joins", [False, True])
@pytest.mark.parametrize(
    "way, others",
    [*((way, others) for way in ("pair", "total", "parts") for others in (0, 5, -5)), ("three", 0)],
)
def test_patients_of_one_gp_tell_no_two_tables_apart(way: str, others: int, joins: bool) -> None:
    """Nor with a few of somebody else's beside them: the GP has nearly all."""
    everybody = range(800)
    without = [*range(200, 800 - max(others, 0)), *range(900, 900 + max(-others, 0))]
    more, less = (without, everybody) if joins else (everybody, without)
    halves = [list(more)[0::2], list(more)[1::2]], [list(less)[0::2], list(less)[1::2]]
    match way:
        case "pair":
            assert told(after(of_gps(more)), of_gps(less)) == [Known.WITHHELD]
        case "total":
            assert told(after(of_gps(*halves[0])), of_gps(less)) == [Known.WITHHELD]
        case "parts":
            assert Known.WITHHELD in told(after(of_gps(more)), of_gps(*halves[1]))
        case "three":
            ledger = after(of_gps(halves[0][0]), of_gps(halves[0][1]))
            assert told(ledger, of_gps(less)) == [Known.WITHHELD]


def test_several_gps_tell_tables_apart() -> None:
    """Forty more of each of six; and two cells neither of which contains the other."""
    assert told(after(of_gps(range(800))), of_gps(range(480))) == [Known.NEW]
    one, other = [*range(100), *range(200, 300)], [*range(100, 200), *range(200, 300)]
    assert told(after(of_gps(one)), of_gps(other)) == [Known.NEW]


def test_ten_outside_the_largest_gp_are_too_few_for_an_exact_number() -> None:
    """Eighteen of one GP, ten of seven others: not two thirds, which a blurred number would need."""
    less = [*range(18, 200), *range(210, 800)]
    assert told(after(of_gps(range(800))), of_gps(less)) == [Known.WITHHELD]
    drafts = Ledger()
    drafts.ask(of_gps(range(800), defined=False))
    (decided,) = drafts.ask(of_gps(less, defined=False))
    assert decided.settled.settlements.tolist() == [Settlement.SHOWN]


def test_where_nobody_counted_only_very_few_gps_are_found() -> None:
    """As a ledger of before has it."""
    ledger = after(of_gps(range(800)))
    (group,) = ledger.groups
    old = replace(group, physician_counts=group.physician_counts[:0])
    before = Ledger()
    before.remember(old)
    assert told(before, of_gps(range(200, 800))) == [Known.WITHHELD]
    diluted = [*range(200, 795)]
    assert told(ledger, of_gps(diluted)) == [Known.WITHHELD]
    assert told(before, of_gps(diluted)) == [Known.NEW]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), part=st.sampled_from([0.19, 0.4, 0.6]), largest=st.sampled_from([60, 10**6])
)
def test_the_search_for_one_gp_misses_nothing(seed: int, part: float, largest: int) -> None:
    """As every pair, looked at one by one; cells of any size beside each other."""
    dice = np.random.default_rng(seed)
    most = np.where(dice.random((12, 1)) < 0.5, 60, largest)
    wholes = dice.integers(0, most, (12, 32)) * (dice.random((12, 32)) < 0.5)
    lost = dice.integers(0, 3, (12, 32)) * (dice.random((12, 32)) < 0.3)
    lost[np.arange(12), dice.integers(0, 32, 12)] += dice.integers(0, most[:, 0])
    sides = [wholes.astype(np.uint32), np.maximum(wholes - lost, 0).astype(np.uint32)]
    one, other = (Practices(counts * np.uint32(7), counts, np.ones(12, bool)) for counts in sides)
    found = {
        pair for some in most_of_one(one, other, 16, part) for pair in zip(*map(list, some), strict=True)
    }
    left, right = np.divmod(np.arange(144), 12)
    between = Between.of(one.of(left), other.of(right))
    narrow = between.narrow(np.zeros(144), np.full(144, 16), np.full(144, part))
    assert found >= set(zip(left[narrow], right[narrow], strict=True))


# --- finding three -----------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), missing=st.integers(0, 7), left=st.booleans())
def test_up_to_seven_patients_three_numbers_are_always_found(seed: int, missing: int, left: bool) -> None:
    dice = np.random.default_rng(seed)
    people = dice.permutation(5_000)
    sizes = dice.integers(30, 800, 2)
    one, other = people[: sizes[0]], people[sizes[0] : sizes.sum()]
    noise = [people[1_700 + 100 * i : 1_800 + 100 * i] for i in range(20)]
    new, known = ([*one, *other], [other]) if not left else (list(one), [[*one, *other], other])
    known = known if left else [one, *known]
    found = triples(_cells([new[missing:]]), _cells([*known, *noise]), 15)
    assert any(
        {int(a), int(b)} == {0, 1} and s == (-1 if left else 1) and d <= missing
        for a, b, s, d in zip(found.one, found.other, found.sign, found.distance, strict=True)
    )


def _cells(cells: list[Iterable[int]]) -> Cells:
    anchors = Anchors()
    anchors.append(group_of(PEOPLE.batch(*cells, additive=False), publication=True), 0)
    return Cells(anchors["by_patient"], anchors.samples)


@pytest.mark.parametrize("cells", [[], [range(40)]])
def test_nothing_to_find(cells: list[Iterable[int]]) -> None:
    found = triples(_cells([range(40)]), _cells(cells), 15)
    assert not len(found.cell)
