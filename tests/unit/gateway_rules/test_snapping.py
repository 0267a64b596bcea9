"""The order of the ledger's rules, rule by rule, on cells that are sets of people."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from hub_config.gateway.rules.earlier.precedents import known_before, published
from hub_config.gateway.rules.earlier.snapping import settle
from hub_config.gateway.rules.memory import Known, Proposal, Settlement
from hub_config.governance.ledger.group import Kind
from p4dp_sdk.disclosure.policy import Policy
from tests.unit.gateway_rules.people import POLICY, Ledger, People, close, far, steady

SHOWN, SNAPPED, WITHHELD = Settlement
PEOPLE = People()
SEX = range(40), range(40, 100)  # two cells that make up the first hundred


def outcome(ledger: Ledger, *cells: object, **changes: object) -> tuple[list[float], list[int]]:
    (decided,) = ledger.ask(PEOPLE.batch(*cells, **changes))  # type: ignore[arg-type]
    return decided.settled.values.tolist(), decided.settled.settlements.tolist()


def test_a_first_answer_is_shown_with_its_own_values() -> None:
    values, how = outcome(Ledger(), *SEX, range(100, 105))
    assert how == [SHOWN, SHOWN, WITHHELD]
    assert values[:2] == pytest.approx([40, 60], abs=2.2)
    assert np.isnan(values[2])


@pytest.mark.parametrize("missing", [0, 1, 2, 5, 10])
@pytest.mark.parametrize("draw", [close, far, steady])
def test_a_cell_within_the_radius_takes_the_earlier_value(missing: int, draw: object) -> None:
    """0 and 1 to 10 look alike, in value and in mark, whatever the draw; added people as well as missing."""
    ledger = Ledger(draw=draw)  # type: ignore[arg-type]
    first, _ = ledger.value(range(40), PEOPLE)
    for changed in (range(missing, 40), range(40 + missing)):
        assert ledger.value(changed, PEOPLE) == (first, SNAPPED)


@pytest.mark.parametrize("draw", [close, far, steady])
def test_a_cell_beyond_every_radius_is_shown(draw: object) -> None:
    ledger = Ledger(draw=draw)  # type: ignore[arg-type]
    ledger.value(range(100), PEOPLE)
    assert ledger.value(range(25, 100), PEOPLE)[1] == SHOWN


def test_the_border_is_a_draw_of_the_pair() -> None:
    """At 13 patients apart some pairs snap and some do not; each always does the same."""
    hows = set()
    for start in range(0, 4000, 100):
        ledger = Ledger()
        ledger.value(range(start, start + 80), PEOPLE)
        how = ledger.value(range(start + 13, start + 80), PEOPLE)
        assert ledger.value(range(start + 13, start + 80), PEOPLE)[0] == how[0]
        hows.add(how[1])
    assert hows == {SHOWN, SNAPPED}


def test_rows_count_as_people_do() -> None:
    """One person with nine more rows is one person apart, however many rows that is."""
    ledger = Ledger()
    first, _ = ledger.value(range(60), PEOPLE)
    assert ledger.value({**dict.fromkeys(range(60), 1), 7: 10}, PEOPLE) == (first, SNAPPED)
    assert ledger.value(dict.fromkeys(range(60), 2), PEOPLE)[1] == SHOWN  # every weight differs


def test_withholding_is_no_signal() -> None:
    """Q(S) shown with 11, then Q(S without one) that fails the threshold: the same number both times."""
    ledger = Ledger()
    first, _ = ledger.value(range(11), PEOPLE)
    assert ledger.value(range(10), PEOPLE) == (first, SNAPPED)


def test_an_empty_or_tiny_cell_takes_over_nothing() -> None:
    ledger = Ledger(draw=far)
    ledger.value(range(12), PEOPLE)
    for few in (0, 1, 3, 4):
        assert ledger.value(range(few), PEOPLE)[1] == WITHHELD


def test_nor_is_it_in_the_other_order() -> None:
    ledger = Ledger()
    assert ledger.value(range(10), PEOPLE)[1] == WITHHELD
    assert ledger.value(range(11), PEOPLE)[1] == WITHHELD
    assert ledger.value(range(13), PEOPLE)[1] == WITHHELD
    assert ledger.value(range(30), PEOPLE)[1] == SHOWN


def test_what_is_withheld_for_being_near_withholds_nothing_itself() -> None:
    """Else a cohort that grows by three at each edit would never be shown."""
    ledger = Ledger(draw=close)
    hows = [ledger.value(range(size), PEOPLE)[1] for size in (10, 13, 16, 19)]
    assert hows == [WITHHELD, WITHHELD, SHOWN, SNAPPED]


def test_withheld_cells_of_one_or_two_people_are_not_remembered() -> None:
    ledger = Ledger()
    (decided,) = ledger.ask(PEOPLE.batch(range(2), range(10, 13), range(20, 60)))
    assert decided.group.kinds.tolist() == [Kind.WITHHELD, Kind.ANCHOR]
    assert decided.group.patients.tolist() == [3, 40]


def test_unanimity_is_withheld_whatever_is_known() -> None:
    """All forty of a village have it: that forty live there is known, and may not be said again here."""
    ledger = Ledger()
    ledger.value(range(40), PEOPLE)
    never = np.array([Proposal.NEVER], np.int8)
    assert outcome(ledger, range(40), proposals=never)[1] == [WITHHELD]
    assert outcome(ledger, range(40))[1] == [SNAPPED]


def test_a_copy_gives_the_same_value_again() -> None:
    """Even after a nearer anchor was shown: asking again changes nothing."""
    ledger = Ledger(draw=close)
    first, _ = ledger.value(range(100), PEOPLE)
    assert ledger.value(range(9, 100), PEOPLE) == (first, SNAPPED)
    assert ledger.value(range(20, 100), PEOPLE)[1] == SHOWN
    assert ledger.value(range(9, 100), PEOPLE) == (first, SNAPPED)


def test_a_cell_without_one_person_never_changes_over_to_another_anchor() -> None:
    """The ruler: two anchors eleven apart; a cell one person from the later, ten from the earlier."""
    ledger = Ledger(draw=close)
    ledger.value(range(100), PEOPLE)
    later, how = ledger.value(range(11, 100), PEOPLE)
    assert how == SHOWN
    with_the_person = [*range(11, 100)]
    without = [10, *range(11, 100)]  # ten from the first anchor, one from the second
    assert ledger.value(without, PEOPLE) == ledger.value(with_the_person, PEOPLE) == (later, SNAPPED)


def test_a_chain_of_copies_does_not_drift_away() -> None:
    ledger = Ledger()
    values = [ledger.value(range(step, 400), PEOPLE)[0] for step in range(60)]
    for step, value in enumerate(values):
        assert abs(value - (400 - step)) < 35
    assert len(set(values)) > 2


def test_a_difference_of_one_practice_is_withheld() -> None:
    ledger = Ledger()
    physician = {person: 0 if person < 40 else person % 20 + 1 for person in range(400)}
    outcome(ledger, range(400), physician=physician)
    assert outcome(ledger, range(40, 400), physician=physician)[1] == [WITHHELD]
    assert outcome(ledger, range(100, 400), physician=physician)[1] == [SHOWN]


@pytest.mark.parametrize("missing", [range(154), range(4, 158)])
def test_one_gp_who_has_nearly_all_of_a_difference_is_one_gp(missing: Iterable[int]) -> None:
    """Four colleagues have one of them each."""
    physician = {person: 7 if 4 <= person < 154 else person % 5 for person in range(600)}
    ledger = Ledger()
    outcome(ledger, range(600), physician=physician)
    without = set(range(600)) - set(missing)
    assert outcome(ledger, without, physician=physician)[1] == [WITHHELD]
    several = set(range(600)) - set(range(104, 300))  # fifty of GP 7, and others
    assert outcome(ledger, several, physician=physician)[1] == [SHOWN]


def test_cells_side_by_side_of_the_same_practices_say_nothing_of_a_practice() -> None:
    ledger = Ledger()
    physician = {person: person % 2 for person in range(400)}
    physician |= dict.fromkeys(range(5), 2)
    outcome(ledger, range(200), physician=physician)
    assert outcome(ledger, range(200, 400), physician=physician)[1] == [SHOWN]


def test_a_total_without_one_person_gives_the_sum_of_the_parts() -> None:
    ledger = Ledger()
    parts, _ = outcome(ledger, *SEX)
    value, how = ledger.value(range(1, 100), PEOPLE)
    assert (value, how) == (pytest.approx(sum(parts)), SNAPPED)


FIVE = [range(start, start + 80) for start in range(0, 400, 80)]


def without(missing: int) -> list[range]:
    """Each of the five without so many of its people: all of them copies."""
    return [range(cell.start + missing, cell.stop) for cell in FIVE]


def test_a_sum_of_copies_stands_for_those_whose_numbers_they_show() -> None:
    """Each part shows a number that is eight people off: their sum is forty off, and not the whole."""
    ledger = Ledger(draw=close)
    outcome(ledger, *FIVE)
    values, how = outcome(ledger, *without(8))
    assert how == [SNAPPED] * 5
    whole = [person for cell in without(8) for person in cell]
    value, how_whole = ledger.value(whole, PEOPLE)
    assert how_whole == SHOWN
    assert value == pytest.approx(360, abs=2.2) != sum(values)


def test_a_sum_of_copies_that_are_little_off_is_known() -> None:
    ledger = Ledger(draw=close)
    parts, _ = outcome(ledger, *FIVE)
    outcome(ledger, *without(2))
    whole = [person for cell in without(2) for person in cell]
    assert ledger.value(whole, PEOPLE) == (pytest.approx(sum(parts)), SNAPPED)


def test_copies_do_not_push_the_cell_beside_them_away() -> None:
    """Five copies, together forty off, beside a new cell, and a known total of the six: the cell keeps its
    own number, since what the person adds up is of other people than the total's."""
    ledger = Ledger(draw=close)
    outcome(ledger, *FIVE)
    total, _ = ledger.value([*(p for cell in without(8) for p in cell), *range(500, 600)], PEOPLE)
    values, how = outcome(ledger, *without(8), range(500, 600))
    assert how == [*[SNAPPED] * 5, SHOWN]
    assert values[-1] == pytest.approx(100, abs=2.2)
    assert abs(sum(values) - total) > 30


def test_settling_on_trial_changes_no_sum() -> None:
    """What is only tried leaves no name behind."""
    ledger = Ledger()
    outcome(ledger, *FIVE)
    for _ in range(2):
        ledger.would(PEOPLE.batch(*without(3)), PEOPLE.batch(*without(4), range(600, 640)))
    first, again = (ledger.would(PEOPLE.batch(*without(3)))[0] for _ in range(2))
    assert first.settled.values.tolist() == again.settled.values.tolist()
    assert max(ledger.history["count"].named.earliest.values()) < len(ledger.history["count"])


def test_parts_that_are_no_margin_are_found() -> None:
    """Two of five cells, taken together, less one person."""
    ledger = Ledger()
    cells = [range(start, start + 60) for start in range(0, 300, 60)]
    parts, _ = outcome(ledger, *cells)
    wanted = [*range(60, 120), *range(181, 240)]
    assert ledger.value(wanted, PEOPLE) == (pytest.approx(parts[1] + parts[3]), SNAPPED)


def test_margins_of_two_keys_are_found() -> None:
    """A row of a table of 30 by 3, of which no sample is asked."""
    ledger = Ledger()
    cells = [range(15 * n, 15 * n + 15) for n in range(90)]
    parts, _ = outcome(ledger, *cells, keys=[[n // 3 for n in range(90)], [n % 3 for n in range(90)]])
    column = [person for n in range(1, 90, 3) for person in cells[n]]
    assert ledger.value(column[4:], PEOPLE)[0] == pytest.approx(sum(parts[1::3]))


def test_parts_whose_rest_is_small_add_up_to_the_total_known() -> None:
    """A total of another answer, less what is shown, would give the withheld cell."""
    ledger = Ledger()
    total, _ = ledger.value(range(300, 370), PEOPLE)
    values, how = outcome(ledger, range(300, 330), range(330, 364), range(364, 370))
    assert how[2] == WITHHELD
    assert values[0] + values[1] == pytest.approx(total)


def test_a_total_after_its_parts_hides_their_small_rest() -> None:
    ledger = Ledger()
    parts, _ = outcome(ledger, range(300, 330), range(330, 364), range(364, 370))
    assert ledger.value(range(300, 370), PEOPLE) == (pytest.approx(parts[0] + parts[1]), SNAPPED)


def test_splitting_again_and_again_gives_no_new_estimate() -> None:
    ledger = Ledger()
    total, _ = ledger.value(range(1000), PEOPLE)
    for step in range(2, 12):
        values, _ = outcome(ledger, *(range(start, 1000, step) for start in range(step)))
        assert sum(values) == pytest.approx(total)
        assert ledger.value(range(0, 1000, step), PEOPLE)[0] == pytest.approx(values[0])


def test_a_cell_that_moved_below_the_threshold_is_withheld() -> None:
    ledger = Ledger()
    outcome(ledger, range(40), values=np.array([20.0]))  # a wild blur, for the sake of the rule
    values, how = outcome(ledger, range(22), range(22, 40), values=np.array([24.0, 17.0]))
    assert how == [WITHHELD, SHOWN]
    assert values[1] == 17.0


def test_medians_are_not_added_up() -> None:
    ledger = Ledger()
    parts, _ = outcome(ledger, *SEX, additive=False)
    value, how = outcome(ledger, range(100), additive=False)
    assert how == [SHOWN]
    assert value[0] != sum(parts)


def test_families_do_not_meet() -> None:
    ledger = Ledger()
    outcome(ledger, range(40))
    assert outcome(ledger, range(1, 40), family="sum:weight")[1] == [SHOWN]


def test_two_measures_of_one_answer_meet() -> None:
    """Two conditions that differ by one person, side by side."""
    ledger = Ledger()
    one, other = ledger.ask(PEOPLE.batch(*SEX), PEOPLE.batch(range(1, 40), range(40, 99), measure="m"))
    assert other.settled.values.tolist() == one.settled.values.tolist()
    assert other.settled.settlements.tolist() == [SNAPPED, SNAPPED]


def test_cells_of_one_measure_that_share_people_meet() -> None:
    """Codes of diagnoses: the same patients but one have both."""
    values, how = outcome(Ledger(), range(40), range(1, 40), range(500, 560))
    assert values[0] == values[1]
    assert how == [SHOWN, SNAPPED, SHOWN]


def test_deciding_leaves_the_history_as_it_was() -> None:
    ledger = Ledger()
    outcome(ledger, *SEX)
    before = len(ledger.history["count"]), ledger.history["count"].ranks.length
    ledger.would(PEOPLE.batch(range(500)), PEOPLE.batch(range(10)), PEOPLE.batch(range(5), family="other"))
    assert (len(ledger.history["count"]), ledger.history["count"].ranks.length) == before
    assert list(ledger.history) == ["count"]


def test_nothing_to_settle_is_settled() -> None:
    (decided,) = Ledger().ask(PEOPLE.batch())
    assert len(decided.settled.values) == 0


def test_what_is_out_of_scope_is_not_compared() -> None:
    ledger = Ledger()
    outcome(ledger, range(40))
    (decided,) = settle(ledger.history, np.zeros(1, bool), [PEOPLE.batch(range(1, 40))], POLICY, ledger.draw)
    assert decided.settled.settlements.tolist() == [SHOWN]


def test_a_stricter_radius_reaches_further() -> None:
    ledger = Ledger(Policy(snap_radius=30), draw=close)
    first, _ = ledger.value(range(100), PEOPLE)
    assert ledger.value(range(20, 100), PEOPLE) == (first, SNAPPED)


# --- publication -------------------------------------------------------------------------------------------


def published_before(*cells: range, **changes: object) -> Ledger:
    ledger = Ledger()
    batch = PEOPLE.batch(*cells, definitions=PEOPLE.defined(*cells), **changes)  # type: ignore[arg-type]
    (decided,) = published({}, np.zeros(0, bool), [batch], POLICY, steady)
    ledger.remember(decided.group)
    return ledger


def told(ledger: Ledger, *cells: Iterable[int], defined: bool = True) -> list[int]:
    """What the ledger knows of these cells, each defined by who is in it, unless not `defined`."""
    definitions = PEOPLE.defined(*cells) if defined else None
    batch = PEOPLE.batch(*cells, definitions=definitions)  # type: ignore[arg-type]
    scope = np.ones(len(ledger.groups), bool)
    return [int(each) for each in known_before(ledger.history, scope, [batch], POLICY, steady)[0]]


def test_what_a_publication_showed_is_known() -> None:
    assert told(published_before(*SEX), *SEX, range(300, 340)) == [Known.SHOWN, Known.SHOWN, Known.NEW]


def test_the_same_people_by_another_definition_are_not_shown() -> None:
    """That nobody tells them apart would be the answer."""
    assert told(published_before(*SEX), *SEX, defined=False) == [Known.WITHHELD, Known.WITHHELD]


@pytest.mark.parametrize("missing", [1, 5, 10])
def test_what_lies_near_a_published_number_is_withheld(missing: int) -> None:
    assert told(published_before(*SEX), range(missing, 40)) == [Known.WITHHELD]


@pytest.mark.parametrize("start", range(0, 100, 5))
def test_a_small_part_of_a_published_cell_is_no_rest_of_it(start: int) -> None:
    """Of a cell less itself nothing is left, and few tell a dozen people from that."""
    assert told(published_before(range(60), range(60, 160)), range(start, start + 12)) == [Known.NEW]


def test_what_a_publication_withheld_stays_withheld() -> None:
    hidden = np.array([Proposal.WITHHOLD, Proposal.SHOW], np.int8)
    assert told(published_before(*SEX, proposals=hidden), *SEX) == [Known.WITHHELD, Known.SHOWN]


def test_a_published_total_without_one_person_is_withheld() -> None:
    ledger = published_before(*SEX, range(100, 160), range(160, 220))
    assert told(ledger, range(1, 220)) == [Known.WITHHELD]
    assert told(ledger, range(220)) == [Known.SHOWN]
    assert told(ledger, [*range(1, 40), *range(160, 220)]) == [Known.WITHHELD]


def test_rows_and_patients_that_nearly_agree_are_not_both_published() -> None:
    rows = PEOPLE.batch(
        {**dict.fromkeys(range(40), 1), 3: 2}, dict.fromkeys(range(100, 160), 2), measure="rows"
    )
    patients = PEOPLE.batch(range(40), range(100, 160), measure="patients")
    _, other = known_before({}, np.zeros(0, bool), [rows, patients], POLICY, steady)
    assert other.tolist() == [Known.WITHHELD, Known.NEW]
    decided = published({}, np.zeros(0, bool), [rows, patients], POLICY, steady)
    assert np.isnan(decided[1].settled.values).tolist() == [True, False]


def test_margins_of_one_measure_are_left_to_secondary_suppression() -> None:
    total = PEOPLE.batch(range(43))
    told_of_parts = known_before({}, np.zeros(0, bool), [total, PEOPLE.batch(range(40))], POLICY, steady)[1]
    assert told_of_parts.tolist() == [Known.NEW]


def test_a_draft_near_a_published_number_gives_that_number() -> None:
    ledger = published_before(range(40), values=np.array([40.0]))
    assert ledger.value(range(1, 40), PEOPLE) == (40.0, SNAPPED)
