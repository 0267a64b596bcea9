"""Histograms and quantiles, asked as a person does, of the real gateway."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import disclosure_in
from tests.services.sdk.conftest import Connect


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def test_all_classes_of_a_histogram_come_back_in_their_order(connect: Connect) -> None:
    p = connect("ines", "these-ines").tables.patients
    ages = p4dp.histogram(p.age).execute()
    assert ages["age"].tolist()[:3] == ["00-09", "10-19", "20-29"]
    assert ages["age"].tolist()[-2:] == ["110+", "non renseigné"]
    said = disclosure_in(ages)
    assert said is not None and not said.rows_may_be_missing
    assert ages["patients"].isna().any() and (ages["patients"].dropna() > 0).all()
    axes = p4dp.plots.histogram(ages)
    assert any(patch.get_hatch() for patch in axes.patches)


def test_values_of_a_selection_are_counted_by_class(connect: Connect) -> None:
    b = connect("ines", "these-ines").tables.biometrics
    bmi = b.filter(b.measure == "bmi")
    counted = p4dp.histogram(bmi.value, edges=[18.5, 25, 30]).execute()
    assert {"< 18.5", "18.5 – < 25", "25 – < 30", "≥ 30"} <= set(counted["value"])


def test_a_box_plot_is_made_of_protected_quantiles(connect: Connect) -> None:
    p = connect("ines", "these-ines").tables.patients
    boxes = p4dp.quantiles(p.age, by="sex").order_by("sex").execute()
    shown = boxes.dropna()
    assert len(shown) >= 2
    for row in shown.itertuples():
        assert 0 <= row.p05 <= row.p25 <= row.p50 <= row.p75 <= row.p95 <= 120
    assert p4dp.plots.box(boxes, "sex").patches
