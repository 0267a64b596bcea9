"""What the measures say of themselves: in two languages, with their source, and what is to be checked."""

from __future__ import annotations

import pytest

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.indicators.clinical import DASHBOARDS, MEASURES
from p4dp_sdk.indicators.explain import explain
from p4dp_sdk.indicators.measure import Measure
from p4dp_sdk.indicators.registry import dashboards, measures

TO_BE_CHECKED = {"depistage_col", "depistage_colorectal", "vaccination_dtp"} | {
    measure.id for measure in MEASURES if measure.id.startswith("diabete")
}
each = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)


@each
def test_both_languages_and_a_source(measure: Measure) -> None:
    words = (measure.label_fr, measure.label_en, measure.explanation_fr, measure.explanation_en)
    assert all(words) and measure.limits_fr and measure.limits_en and measure.source
    assert measure.label_fr != measure.label_en and measure.explanation_fr != measure.explanation_en


@each
def test_every_column_has_a_name(measure: Measure) -> None:
    for name in (*measure.numerators, "denominator"):
        french, english = measure.labels[name]
        assert french and english


@pytest.mark.parametrize("name", sorted(TO_BE_CHECKED))
def test_what_is_to_be_checked_is_said(name: str) -> None:
    assert "à vérifier" in explain(measures()[name], "fr")
    assert "be checked" in explain(measures()[name], "en")


@each
def test_quality_rules_exist(measure: Measure) -> None:
    known = {code.code for code in load_catalogue().code_systems["dq_code"].codes}
    assert set(measure.quality) <= known


def test_all_are_offered_and_on_a_dashboard() -> None:
    assert {measure.id for measure in MEASURES} <= set(measures())
    assert {board.id for board in DASHBOARDS} <= set(dashboards())
    assert {name for board in DASHBOARDS for name in board.measures} == {measure.id for measure in MEASURES}


def test_the_grace_period_is_stated() -> None:
    (measure,) = (measure for measure in MEASURES if measure.id == "vaccination_dtp")
    assert "Sans délai de grâce" in measure.explanation_fr and "No grace period" in measure.explanation_en
