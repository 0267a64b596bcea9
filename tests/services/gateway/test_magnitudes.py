"""Sums, means, spreads and quantiles through the real gateway: near the truth, never the truth itself."""

from __future__ import annotations

import ibis
import pytest

from tests.services.gateway.peer_enclave import Workspace, table

PATIENTS = 549  # who did not object, nor their GP
WEIGHT = 271.828182  # of everybody in this small enclave


def measures(value: ibis.Value) -> dict[str, ibis.Value]:
    return {"total": value.sum(), "mean": value.mean(), "spread": value.std(), "middle": value.median()}


async def test_one_column_of_the_catalogue(ines: Workspace) -> None:
    b = table("biometrics")
    weights = b.filter(b.measure == "weight")
    (row,) = (await ines.answer(weights.agg(n=weights.count(), **measures(weights.value))))[0].to_pylist()
    assert row["mean"] == pytest.approx(WEIGHT, rel=0.02) and row["mean"] != WEIGHT
    assert row["total"] == pytest.approx(WEIGHT * PATIENTS, rel=0.01)
    assert row["spread"] is None or row["spread"] > 0  # all weigh the same: what is left is noise
    assert row["middle"] is None  # nobody has less, and nobody more


async def test_a_group_of_nobody_has_no_mean(ines: Workspace) -> None:
    b = table("biometrics")
    answer, said = await ines.answer(b.group_by("measure").agg(mean=b.value.mean()))
    assert set(answer["mean"].to_pylist()) == {None}  # all have a weight, and nobody else is there
    assert {measure.shown for measure in said.measures.values()} == {0}


async def test_counts_and_durations_of_each_patient(ines: Workspace) -> None:
    d, p = table("diagnoses"), table("patients")
    visits = d.group_by("patient_id").agg(n=d.count())
    seen = d.group_by("patient_id").agg(first=d.date.min()).join(p, "patient_id")
    since = seen.mutate(days=seen.first.delta(seen.birth_month, unit="day"))
    (row,) = (await ines.answer(visits.agg(mean=visits.n.mean(), middle=visits.n.median())))[0].to_pylist()
    assert row == {"mean": pytest.approx(2, rel=0.05), "middle": None}
    (row,) = (await ines.answer(since.agg(mean=since.days.mean())))[0].to_pylist()
    assert row["mean"] == pytest.approx(20_240, rel=0.03)


async def test_the_share_of_a_condition(ines: Workspace) -> None:
    p = table("patients")
    (row,) = (await ines.answer(p.agg(women=(p.sex == "F").mean())))[0].to_pylist()
    assert row["women"] == pytest.approx(0.55, abs=0.05)


async def test_nobody_adds_anything(ines: Workspace) -> None:
    """A sum of nothing says that nobody has the illness: withheld, as one to ten are."""
    d = table("diagnoses")
    ill = d.group_by("patient_id").agg(n=d.count(where=d.cisp2 == "B90"))
    (row,) = (await ines.answer(ill.agg(total=ill.n.sum(), mean=ill.n.mean())))[0].to_pylist()
    assert row == {"total": None, "mean": None}
