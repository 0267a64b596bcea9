"""Limits that are met by blurred numbers: how often a cell next to one is shown, and what that tells."""

from __future__ import annotations

import ibis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Backing, Cells, Column, Vectors
from hub_config.gateway.rules.draws import Own
from hub_config.gateway.rules.explore import propose
from hub_config.gateway.rules.limits import unanimous, verdicts
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.policy import Method, Policy

N = 20_000
POLICY = Policy()
PRF = Own(Keyring(bytes(range(32))).prf, "these-eve")
OTHER = Own(Keyring(bytes(range(32))).prf, "these-frank")
LIMITS = ("patients", "outside", "left_out")


def cells(kind: MeasureKind = MeasureKind.PATIENTS, **people: int) -> Cells:
    """N cells that pass all rules but those on `people`, each of a record set of its own."""
    many = {name: np.full(N, people.get(name, 10_000)) for name in ("patients", "outside", "left_out")}
    ones = np.ones(N)
    backing = Backing(
        many["patients"], np.full(N, 9), many["outside"], many["left_out"], ones, ones, 100 * ones, 0 * ones
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


def test_a_count_is_shown_where_its_blurred_number_is_high_enough():
    """So that being shown tells nothing that the number does not."""
    asked = cells(patients=15)
    withheld = verdicts(asked, POLICY, PRF)
    everything = propose(asked, {"n": np.zeros(N, dtype=bool)}, POLICY, PRF)["n"]
    assert ((everything >= POLICY.min_patients + POLICY.margin) == ~withheld["n"]).all()


def test_the_three_limits_draw_apart_and_so_do_projects():
    at = POLICY.min_patients + POLICY.margin
    drawn = [shown(**{limit: at}) for limit in LIMITS] + [shown(prf=OTHER, patients=at)]
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.05


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
