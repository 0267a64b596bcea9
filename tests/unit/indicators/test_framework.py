"""A measure becomes one question and one tidy result: keys, dates, withheld numbers, words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.backend.results import attach, disclosure_in
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.indicators.errors import (
    BadPeriodError,
    BadSeriesError,
    NotAShareError,
    NoWorkspaceError,
    OutsideDataError,
    UnknownGroupError,
)
from p4dp_sdk.indicators.explain import explain
from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.measure import Measure, Unit
from p4dp_sdk.indicators.people import active_list, reached
from p4dp_sdk.indicators.registry import dashboards, measures
from p4dp_sdk.indicators.result import shares_of
from p4dp_sdk.wire.protocol import Disclosure, MeasureSummary
from tests.unit.indicators.clinical.little_world import ON, World, day


def people(tables: Any, window: Any) -> Any:
    patients = active_list(tables, window.end)
    return patients.mutate(
        adult=reached(patients.birth_month, 18, window.end),
        old=reached(patients.birth_month, 65, window.end),
        woman=patients.sex == "F",
        ageless=patients.birth_month.isnull(),
    )


OLD = Measure(
    id="old", label_fr="65 ans et plus", label_en="65 and over", explanation_fr="…", explanation_en="…",
    unit=Unit.PATIENT, window=24, population=people, source="ici", denominator="adult",
    numerators={"old": "old"}, missing="ageless",
)  # fmt: skip
BOTH = replace(
    OLD, numerators={"old": "old", "woman": "woman"}, missing=None, labels={"old": ("65 +", "65 +")}
)


def small_world() -> World:
    world = World()
    for born, sex, band in (
        ("1950-01", "F", "70-79"),
        ("1957-12", "M", "60-69"),
        ("1958-01", "F", "60-69"),
        ("1990-01", None, "30-39"),
        ("2010-01", "F", "10-19"),
        (None, "M", None),
    ):
        who = world.person(born, sex)
        world.connection.execute("UPDATE patients SET age_band = ? WHERE patient_no = ?", [band, who])
    world.person("1940-01", "F", seen="2019-06-01")
    return world


def asked(measure: Measure, *by: str, **when: Any) -> pd.DataFrame:
    with small_world().tables() as tables:
        first, last = date(2000, 1, 1), ON
        return Indicator(measure, tables, ON, first, last).measure(by, **when).frame


def test_numerators_lie_inside_of_the_denominator_and_the_missing_outside() -> None:
    row = asked(OLD).iloc[0]
    assert row[["denominator", "numerator", "missing"]].tolist() == [4, 2, 1]
    assert row["share"] == 0.5 and row["low"] < 0.5 < row["high"]


def test_a_condition_that_is_null_is_not_met() -> None:
    frame = asked(BOTH).set_index("indicator")
    assert frame.loc["woman", ["denominator", "numerator"]].tolist() == [4, 2]


def test_groups_stand_in_their_order_with_a_group_for_the_unknown() -> None:
    frame = asked(OLD, "sex")
    assert frame["sex"].fillna("?").tolist() == ["F", "M", "?"]
    assert frame["denominator"].tolist() == [2, 1, 1]


def test_patients_are_counted_as_they_were_on_each_date() -> None:
    frame = asked(OLD, every="year", between=("2019-01-01", "2022-12-31"))
    assert frame["at"].tolist() == ["2019-12-31", "2020-12-31", "2022-12-31"], (
        "who is active on no date has no row"
    )
    assert frame["denominator"].tolist() == [1, 1, 4]


def test_age_classes_are_those_of_the_date_or_ones_own() -> None:
    bands = asked(OLD, "age_band")
    assert bands["age_band"].fillna("?").tolist() == ["10-19", "30-39", "60-69", "70-79", "?"]
    then = asked(OLD, "age_band", at="2019-12-31")
    assert then["age_band"].tolist() == ["70-79"]
    own = asked(OLD, "age_band", ages=[18, 65])
    assert own["age_band"].tolist() == ["00-17", "18-64", "65+", "non renseigné"]
    assert own["numerator"].tolist() == [0, 0, 2, 0]


def test_the_catalogues_own_band_holds_in_the_month_of_the_reference_only() -> None:
    """The gateway may show more of it than of a class that the question makes."""
    world = small_world()
    world.connection.execute("UPDATE patients SET age_band = 'catalogue'")
    with world.tables() as tables:
        asks = Indicator(OLD, tables, ON)
        bands = [
            set(asks.measure("age_band", **when).frame["age_band"])
            for when in ({}, {"at": "2022-12-01"}, {"at": "2022-11-30"}, {"ages": [65]})
        ]
    assert bands[0] == {"catalogue"}
    assert all("catalogue" not in other for other in bands[1:] if other)


def test_events_are_given_sex_and_age_of_their_patients() -> None:
    world = small_world()
    world.put("consultations", patient_no=1, consultation_id=7, date=day("2022-05-01"), type="home")
    with world.tables() as tables:
        frame = Indicator(measures()["general_consultations"], tables, ON).measure(["sex", "age_band"]).frame
    row = frame[(frame["sex"] == "F") & (frame["age_band"] == "70-79")].iloc[0]
    assert row[["rows", "patients"]].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("when", "error"),
    [
        ({"between": ("2022-02-01", "2022-01-01")}, BadPeriodError),
        ({"at": "2023-01-01"}, OutsideDataError),
        ({"at": "1999-12-31"}, OutsideDataError),
        ({"between": ("2021-01-01", "2024-01-01")}, OutsideDataError),
        ({"every": "month", "between": ("2020-01-01", "2022-12-31")}, BadSeriesError),
        ({"every": "year", "between": ("2020-01-01", "2020-12-30")}, BadSeriesError),
        ({"by": "sexe"}, UnknownGroupError),
        ({"by": "cisp2"}, UnknownGroupError),
    ],
)
def test_what_cannot_be_asked_is_said_with_the_remedy(when: dict[str, Any], error: type[Exception]) -> None:
    by = when.pop("by", ())
    with pytest.raises(error) as refusal:
        asked(OLD, *([by] if by else []), **when)
    assert isinstance(refusal.value, p4dp.P4DPError) and "Que faire" in str(refusal.value)


def test_a_count_has_no_funnel() -> None:
    with small_world().tables() as tables, pytest.raises(NotAShareError):
        Indicator(measures()["general_file_active"], tables, ON).funnel()


def test_only_a_project_publishes() -> None:
    with small_world().tables() as tables:
        indicator = Indicator(OLD, tables, ON)
        result = indicator.measure()
        for publish in (lambda: result.publish("x"), lambda: indicator.publish(title="x")):
            with pytest.raises(NoWorkspaceError):
                publish()


# -- protected numbers


def answer(snapped: int = 0) -> pd.DataFrame:
    counts = pd.DataFrame(
        {
            "sex": pd.array(["F", "M", "X"], dtype="string"),
            "denominator": pd.array([40, None, 20], dtype="Int64"),
            "old": pd.array([10, 12, 22], dtype="Int64"),
            "woman": pd.array([None, 3, 0], dtype="Int64"),
        }
    )
    labels = (("F",),) if snapped else ()
    summary = MeasureSummary(3, 1, snapped, labels)
    record = Disclosure(
        "r", "p", 1, "exploration", 11, 3, {"denominator": summary, "old": MeasureSummary(3, 0)},
        error=2.0, method="cell-key", key_columns=("sex",),
    )  # fmt: skip
    return attach(counts, record)


def test_a_withheld_number_leaves_its_share_withheld() -> None:
    frame = shares_of(BOTH, answer(), ("sex",)).set_index(["indicator", "sex"])
    assert frame.loc[("65 +", "F"), "share"] == 0.25
    for gone in (("65 +", "M"), ("woman", "F"), ("woman", "M")):
        assert frame.loc[gone, ["share", "low", "high"]].isna().all()


def test_a_blurred_numerator_above_its_denominator_is_all_of_it() -> None:
    frame = shares_of(BOTH, answer(), ("sex",)).set_index(["indicator", "sex"])
    assert frame.loc[("65 +", "X"), "share"] == 1.0 and frame.loc[("65 +", "X"), "high"] == 1.0
    assert frame.loc[("woman", "X"), ["share", "low"]].tolist() == [0.0, 0.0]


def test_the_record_stays_and_marks_find_their_rows() -> None:
    from p4dp_sdk.figures.snapped import snapped_rows

    frame = shares_of(BOTH, answer(snapped=1), ("sex",))
    record = disclosure_in(frame)
    assert record is not None and record.key_columns == ("sex", "indicator")
    marked = snapped_rows(frame, record)["denominator"]
    assert {frame["sex"].iloc[row] for row in marked} == {"F"} and len(marked) == 2


def test_a_result_shows_itself_in_french() -> None:
    from p4dp_sdk.indicators.compile import Asked
    from p4dp_sdk.indicators.result import Result
    from p4dp_sdk.indicators.window import Window

    result = Result(BOTH, Asked((Window.before(ON, 24),), ("sex",)), answer(1), names={"sex": {"F": "Femme"}})
    assert list(result.titled) == [
        "Sexe", "Indicateur", "Dénominateur", "Numérateur", "Part (%)", "Bas (95 %)", "Haut (95 %)",
    ]  # fmt: skip
    page = result._repr_html_()
    assert "Femme" in page and "≈ 40" in page and "•" in page and "31/12/2022" in page
    assert any("brouillage" in line and "10,0 points" in line for line in result.remarks)


# -- all measures


@pytest.mark.parametrize("name", measures())
def test_every_measure_explains_itself_in_both_languages(name: str) -> None:
    measure = measures()[name]
    for language in ("fr", "en"):
        text = explain(measure, language)
        assert measure.source.rstrip(".") in text and "{" not in text
        assert text.splitlines()[0] == (measure.label_fr if language == "fr" else measure.label_en)
    assert measure.limits_fr and measure.limits_en, "what it does not say"
    assert measure.missing is None or "non renseigné" in explain(measure, "fr")


@pytest.mark.parametrize("name", measures())
def test_every_share_names_its_numerators_and_denominator(name: str) -> None:
    measure = measures()[name]
    if measure.numerators:
        assert {"denominator", *measure.numerators} <= set(measure.labels)


def test_quality_rules_are_those_of_the_catalogue() -> None:
    known = {code.code for code in load_catalogue().code_systems["dq_code"].codes}
    assert not [m.id for m in measures().values() if not set(m.quality) <= known]


def test_every_dashboard_of_the_users_has_its_indicators() -> None:
    listed = [name for board in dashboards().values() for name in board.measures]
    assert sorted(listed) == sorted(measures()), "each measure on one dashboard"
    assert {"general", "dependance", "polymedication", "motifs", "activite", "carnet"} <= set(dashboards())


# -- figures


def drawn(**options: Any) -> Any:
    import matplotlib

    from p4dp_sdk.indicators.compile import Asked
    from p4dp_sdk.indicators.result import Result
    from p4dp_sdk.indicators.window import Window

    matplotlib.use("Agg")
    return Result(BOTH, Asked((Window.before(ON, 24),), ("sex",)), answer()).plot(**options)


def test_intervals_are_drawn_whole_and_withheld_shares_hatched() -> None:
    import matplotlib.pyplot as plt

    ax = drawn()
    assert ax.get_ylim()[1] >= 100 and ax.get_ylabel() == "Part (%)"
    assert sum(patch.get_hatch() is not None for patch in ax.patches) >= 3
    assert {label.get_text() for label in ax.get_legend().get_texts()} >= {"65 +", "woman"}
    lying = drawn(horizontal=True, title="Essai")
    assert lying.get_xlim()[1] >= 100 and lying.get_title("left") == "Essai"
    plt.close("all")
