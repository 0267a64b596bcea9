"""`ws.noise` and `ws.noise_budget` against the real gateway."""

from __future__ import annotations

import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.sdk.conftest import Connect


def test_a_noisy_table_and_what_it_cost(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    d = ws.tables.diagnoses
    asked = d.group_by("cisp2").agg(patients=d.patient_id.nunique())
    frame = ws.noise(asked, epsilon=0.5, contributions=3)
    assert frame.attrs["p4dp"].protection == "noise"
    assert frame["patients"].notna().all() and (frame["patients"] >= 0).all()
    budget = ws.noise_budget()
    assert (budget.left, budget.total, budget.each) == (3.5, 4.0, 1.0)
    assert "3" in str(budget)


def test_one_number(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    p = ws.tables.patients
    assert ws.noise(p.patient_id.nunique(), epsilon=1.0) > 1_000


def test_a_budget_that_is_used_up(connect: Connect) -> None:
    ws = connect("ines", "these-ines")
    p = ws.tables.patients
    for _ in range(4):
        ws.noise(p.count(), epsilon=1.0, contributions=1)
    with pytest.raises(p4dp.EnclaveError) as caught:
        ws.noise(p.count(), epsilon=0.1)
    assert caught.value.code is ErrorCode.BUDGET_EXHAUSTED
