"""The primary rules one by one, at their bounds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import Reason, applicable, failures, withheld

FEW, GPS, ONE, ALL = Reason.FREQUENCY, Reason.PHYSICIANS, Reason.DOMINANCE, Reason.UNANIMITY


def evidence(**changes: float | None) -> SimpleNamespace:
    """One cell of a hundred patients who add 1 each, of ten GPs."""
    cell = {
        "patients": 100,
        "physicians": 10,
        "outside": 90,
        "left_out": NOBODY_ELSEWHERE,
        "largest": 1.0,
        "second": 1.0,
        "total": 100.0,
        "physician_share": 0.1,
    } | changes
    return SimpleNamespace(
        **{name: None if value is None else np.array([value]) for name, value in cell.items()}
    )


@pytest.mark.parametrize(
    ("changes", "magnitude", "reasons"),
    [
        ({}, False, set()),
        ({}, True, set()),
        ({"patients": 11}, False, set()),
        ({"patients": 10}, False, {FEW}),
        ({"physicians": 3}, False, set()),
        ({"physicians": 2}, False, {GPS}),
        ({"physicians": 2}, True, {GPS}),
        ({"outside": 11}, False, set()),
        ({"outside": 10}, False, {GPS}),
        ({"outside": 10}, True, set()),  # of a magnitude the GP's share counts
        ({"physicians": None, "outside": None}, False, set()),  # physicians are the unit
        ({"physicians": None, "outside": None, "physician_share": 1.0}, True, set()),
        ({"left_out": 11}, False, set()),
        ({"left_out": 10}, False, {ALL}),
        ({"left_out": 0}, False, {ALL}),
        ({"largest": 60.0, "second": 25.0}, True, set()),
        ({"largest": 60.0, "second": 25.1}, True, {ONE}),
        ({"largest": 60.0, "second": 25.1}, False, {ONE}),  # rows of a count, too
        ({"physician_share": 0.85}, True, set()),
        ({"physician_share": 0.86}, True, {ONE}),
        ({"physician_share": 0.86}, False, set()),  # of a count the patients outside count
        ({"total": 0.0, "largest": 0.0, "second": 0.0}, True, {ONE}),
        ({"total": float("nan")}, True, {ONE}),
        ({"total": float("inf"), "largest": float("inf")}, True, {ONE}),
        (
            {"patients": 0, "physicians": 0, "outside": 0, "total": 0.0, "left_out": 0},
            False,
            {FEW, GPS, ONE, ALL},
        ),
    ],
)
def test_reasons(changes, magnitude, reasons):
    mask, found = withheld(evidence(**changes), Policy(), magnitude=magnitude)
    assert found == reasons and mask.tolist() == [bool(reasons)]


def test_the_others_must_hide_the_largest_from_the_second():
    policy = Policy(p_percent=0.5)
    assert withheld(evidence(largest=60.0, second=10.0), policy, magnitude=True)[1] == frozenset()
    assert withheld(evidence(largest=60.0, second=10.1), policy, magnitude=True)[1] == {ONE}


@pytest.mark.parametrize(
    ("stricter", "reason"),
    [
        ({"min_patients": 101}, FEW),
        ({"min_physicians": 11}, GPS),
        ({"min_outside": 91}, GPS),
        ({"dominance_k": 0.01}, ONE),
    ],
)
def test_a_stricter_policy_withholds_more(stricter, reason):
    assert withheld(evidence(), Policy(**stricter), magnitude=False)[1] == {reason}


def test_each_cell_has_its_own_verdict():
    many = {name: np.repeat(value, 3) for name, value in vars(evidence()).items()}
    many["patients"] = np.array([100, 10, 100])
    many["left_out"] = np.array([100, 100, 3])
    found = failures(SimpleNamespace(**many), Policy(), magnitude=False)
    assert found[FEW].tolist() == [False, True, False] and found[ALL].tolist() == [False, False, True]


def test_the_rules_told_are_those_of_the_table():
    assert applicable(physicians=True, elsewhere=True) == (FEW, GPS, ONE, ALL)
    assert applicable(physicians=False, elsewhere=False) == (FEW, ONE)
