"""Limits that are met by blurred numbers: how often a cell next to one is shown, and what that tells."""

from __future__ import annotations

from dataclasses import replace

import ibis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Backing, Cells, Column, Vectors
from hub_config.gateway.rules.draws import Own
from hub_config.gateway.rules.explore import propose
from hub_config.gateway.rules.limits import SOMEBODY, unanimous, uncertain, verdicts
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.policy import Method, Policy
from p4dp_sdk.disclosure.primary import withheld

N = 20_000
POLICY = Policy()
PRF = Own(Keyring(bytes(range(32))).prf, "these-eve")
OTHER = Own(Keyring(bytes(range(32))).prf, "these-frank")
LIMITS = ("patients", "outside", "left_out")
SOME = {"outside_few": 1}  # of this one, a single patient is enough in truth


def cells(kind: MeasureKind = MeasureKind.PATIENTS, **people: int) -> Cells:
    """N cells that pass all rules but those on `people`, each of a record set of its own."""
    many = {name: np.full(N, people.get(name, 10_000)) for name in (*LIMITS, *SOME)}
    ones = np.ones(N)
    backing = Backing(
        many["patients"],
        np.full(N, 9),
        many["outside"],
        many["left_out"],
        ones,
        ones,
        100 * ones,
        0 * ones,
        outside_few=many["outside_few"],
        cut_share=0 * ones,
    )
    empty = np.zeros((N, 0), dtype=np.uint32)
    vectors = Vectors(
        empty,
        empty,
        np.zeros(N, np.uint64),
        np.zeros(N + 1, np.int64),
        empty[0],
        np.arange(N, dtype=np.uint64),
    )
    measure = Measure("n", False, kind=kind)
    nothing = ibis.table({"a": "int64"}, name="nothing")
    release = Release("r", nothing, nothing.schema(), (), (measure,))
    labels = tuple((i,) for i in range(N))
    return Cells(release, labels, (Column(measure, many["patients"], backing, vectors),))


def shown(policy: Policy = POLICY, prf: Own = PRF, **asked) -> np.ndarray:
    return ~verdicts(cells(**asked), policy, prf)["n"]


@pytest.mark.parametrize("limit", LIMITS)
def test_nobody_below_a_limit_is_shown_and_everybody_well_above_is(limit):
    assert not shown(**{limit: 10}).any()
    assert shown(**{limit: POLICY.certain().min_patients}).all()


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("policy", [POLICY, Policy(noise_bound=12, noise_variance=16.0)])
def test_one_person_more_seldom_changes_whether_a_cell_is_shown(limit, policy):
    """The largest step bounds the odds of who knows everybody else: with an even raise of 0 to 5 it is 1/6
    everywhere, and one time in six the answer is certain."""
    counts = range(10, policy.certain().min_patients + 1)
    rates = np.array([shown(policy, **{limit: count}).mean() for count in counts])
    assert np.diff(rates).max() <= 0.25 and rates[1] <= 0.15 and (np.diff(rates) >= -0.02).all()


@pytest.mark.parametrize("policy", [POLICY, Policy(noise_bound=12, noise_variance=16.0)])
def test_nor_does_the_first_patient_of_a_third_gp(policy):
    counts = range(SOMEBODY + policy.margin + policy.noise_bound + 1)
    rates = np.array([shown(policy, outside_few=count).mean() for count in counts])
    assert rates[0] == 0 and rates[-1] == 1
    assert np.diff(rates).max() <= 0.25 and rates[1] <= 0.15 and (np.diff(rates) >= -0.02).all()


def test_a_count_is_shown_where_its_blurred_number_is_high_enough():
    """So that being shown tells nothing that the number does not."""
    asked = cells(patients=15)
    withheld = verdicts(asked, POLICY, PRF)
    everything = propose(asked, {"n": np.zeros(N, dtype=bool)}, POLICY, PRF)["n"]
    assert ((everything >= POLICY.min_patients + POLICY.margin) == ~withheld["n"]).all()


def test_the_limits_of_a_cell_share_a_draw_and_projects_draw_apart():
    """One person more in a cell adds to both numbers inside, and is missing outside."""
    at = POLICY.min_patients + POLICY.margin
    inside, outside, left_out, other = (
        *(shown(**{limit: at}) for limit in LIMITS),
        shown(prf=OTHER, patients=at),
    )
    assert (inside == outside).all() and (inside | left_out).all()
    assert abs(np.corrcoef(inside, other)[0, 1]) < 0.05


@pytest.mark.parametrize("inside", range(11, 20))
def test_several_limits_that_one_person_moves_tell_no_more_than_one(inside):
    """Who knows all others: a patient of another GP than the largest, of a margin that has few others."""
    rates = [shown(patients=n, outside=n - 1, left_out=2 * inside - n).mean() for n in (inside, inside - 1)]
    assert 0.5 + abs(rates[0] - rates[1]) / 2 <= 0.62


def test_who_could_be_nowhere_else_has_no_limit_to_fear():
    asked = cells(left_out=NOBODY_ELSEWHERE)
    assert not unanimous(asked.columns[0], POLICY, PRF).any() and not verdicts(asked, POLICY, PRF)["n"].any()


@given(st.integers(0, 40), st.sampled_from(list(MeasureKind)), st.sampled_from(list(Method)))
def test_rules_only_get_stricter(people, kind, method):
    policy = Policy(method=method)
    made = shown(policy, kind=kind, patients=people)
    assert not made.any() if people < policy.min_patients else True
    assert made.all() if people >= policy.certain().min_patients else True


def test_what_one_question_tells():
    """Shown or not and, if shown, the number: who knows all others is right six times in ten."""
    table = PTable.of(POLICY)
    rates = []
    for count in range(11, 30):
        more, less = (answers(table, n) for n in (count, count - 1))
        rates.append(0.5 + np.abs(more - less).sum() / 4)
    assert max(rates) <= 0.615


def answers(table: PTable, count: int) -> np.ndarray:
    """How likely each number is, and at the end being withheld."""
    found = np.zeros(60)
    if count >= table.least:
        row = table.probabilities[min(count - table.least, table.bound)]
        found[count + table.noise] = row
    found[: POLICY.min_patients + POLICY.margin] = 0
    return np.append(found, 1 - found.sum())


@given(
    st.sampled_from([MeasureKind.PATIENTS, MeasureKind.ROWS, MeasureKind.SUM]),
    st.integers(0, 30),
    st.integers(0, 12),
    st.floats(0, 1),
)
def test_what_is_certified_passes_whatever_is_drawn(kind, patients, outside_few, share):
    asked = cells(kind=kind, patients=patients, outside_few=outside_few)
    (column,) = asked.columns
    column = replace(column, backing=replace(column.backing, cut_share=np.full(N, share)))
    certain = ~uncertain(column.backing, POLICY, magnitude=kind is MeasureKind.SUM)
    assert not (certain & verdicts(replace(asked, columns=(column,)), POLICY, PRF)["n"]).any()


@pytest.mark.parametrize("kind", [MeasureKind.ROWS, MeasureKind.SUM])
def test_nobody_dominates_what_they_are_cut_down_to(kind):
    """One who has a thousand among forty who have one: shown, as without them."""
    asked = cells(kind=kind)
    (column,) = asked.columns
    tops = np.tile([1_000.0, 1, 1, 1, 1, 1], (N, 1))
    backing = replace(
        column.backing,
        largest=tops[:, 0],
        second=tops[:, 1],
        total=np.full(N, 1_040.0),
        tops=tops,
        nets=-tops,
    )
    assert withheld(backing, POLICY, magnitude=True)[0].all()
    made = replace(asked, columns=(replace(column, backing=backing, exact=np.full(N, 1_040)),))
    assert not verdicts(made, POLICY, PRF)["n"].any()


def test_without_knowing_whose_patients_they_are_nothing_is_shown():
    asked = cells()
    (column,) = asked.columns
    made = replace(asked, columns=(replace(column, backing=replace(column.backing, outside_few=None)),))
    assert verdicts(made, POLICY, PRF)["n"].all()
