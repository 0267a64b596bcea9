"""Floors, and the reasons for which one cell is withheld, as plain tables."""

from __future__ import annotations

import pytest

from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import Evidence, Reason, reasons_to_withhold


@pytest.mark.parametrize(
    ("patients", "physicians", "cells"), [(10, 3, 1), (0, 3, 1), (-1, 3, 1), (11, 2, 1), (11, 3, 0)]
)
def test_the_floors_can_not_be_undercut(patients, physicians, cells):
    with pytest.raises(ValueError, match="must lie"):
        Policy(min_patients=patients, min_physicians=physicians, max_cells=cells)


def test_a_project_may_be_stricter():
    assert Policy(min_patients=20, min_physicians=5).min_patients == 20


FEW, GPS, ALL = Reason.FREQUENCY, Reason.PHYSICIANS, Reason.UNANIMITY


@pytest.mark.parametrize(
    ("evidence", "reasons"),
    [
        (Evidence(patients=11, physicians=3), set()),
        (Evidence(patients=10, physicians=3), {FEW}),
        (Evidence(patients=0, physicians=0), {FEW, GPS}),
        (Evidence(patients=500, physicians=2), {GPS}),
        (Evidence(patients=11, physicians=None), set()),  # physicians are the unit
        (Evidence(patients=50, physicians=3, others=0), {ALL}),
        (Evidence(patients=50, physicians=3, others=10), {ALL}),
        (Evidence(patients=50, physicians=3, others=11), set()),
        (Evidence(patients=50, physicians=3, margins=(50,)), {ALL}),
        (Evidence(patients=50, physicians=3, margins=(60,)), {ALL}),
        (Evidence(patients=50, physicians=3, margins=(61,)), set()),
        (Evidence(patients=50, physicians=3, margins=(500, 50)), {ALL}),
        (Evidence(patients=3, physicians=1, others=0, margins=(3,)), {FEW, GPS, ALL}),
    ],
)
def test_reasons(evidence, reasons):
    assert reasons_to_withhold(evidence, Policy()) == reasons


def test_a_stricter_policy_withholds_more():
    assert reasons_to_withhold(Evidence(15, 3), Policy(min_patients=20)) == {FEW}
    assert reasons_to_withhold(Evidence(15, 3), Policy(min_physicians=4)) == {GPS}
