"""Counts, codes and the log by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from p4dp_sdk.indicators.indicator import Indicator
from p4dp_sdk.indicators.registry import measures
from tests.unit.indicators.clinical.little_world import ON, World, day

ALL = ("1990-01-01", "2022-12-31")


def asked(world: World, name: str, *by: str, **when: Any) -> pd.DataFrame:
    with world.tables() as tables:
        return Indicator(measures()[name], tables, ON).measure(by, **when).frame


def coded(world: World, *codes: str | None, on: str = "2022-06-01", table: str = "diagnoses") -> int:
    who = world.person("1980-01")
    for code in codes:
        world.put(table, patient_no=who, cisp2=code, date=day(on))
    return who


def test_rows_and_patients_of_a_period_both_ends_included() -> None:
    world = World()
    coded(world, "K86", "K86", on="2022-01-01")
    coded(world, "R74", on="2022-12-31")
    coded(world, "R74", on="2021-12-31")
    frame = asked(world, "general_diagnoses", between=("2022-01-01", "2022-12-31"))
    assert frame[["rows", "patients"]].iloc[0].tolist() == [3, 2]


def test_a_year_of_the_series_is_the_year_of_the_date() -> None:
    world = World()
    coded(world, "K86", on="2020-02-29")
    coded(world, "K86", on="2020-12-31")
    coded(world, "K86", on="2021-01-01")
    frame = asked(world, "general_diagnoses", between=ALL, every="year")
    assert frame.set_index("year")["rows"].to_dict() == {2020: 2, 2021: 1}


def test_a_row_without_a_date_is_in_no_period() -> None:
    world = World()
    who = coded(world, "K86")
    world.put("diagnoses", patient_no=who, cisp2="K86", date=None)
    assert asked(world, "general_diagnoses", between=ALL)["rows"].tolist() == [1]


def test_a_consultation_type_that_is_not_known_is_a_class() -> None:
    world = World()
    who = world.person("1980-01", seen=None)
    for kind in ("office", "unknown", None):
        world.put("consultations", patient_no=who, date=day("2022-05-01"), type=kind)
    frame = asked(world, "general_consultations", "type")
    assert frame["type"].fillna("?").tolist() == ["office", "unknown", "?"]
    assert frame["rows"].tolist() == [1, 1, 1]


def test_all_patients_are_counted_dead_or_gone() -> None:
    world = World()
    world.person("1980-01", "F", seen=None)
    world.person("1930-01", "M", died="2010-05")
    assert asked(world, "general_patients", "sex")["patients"].tolist() == [1, 1]


def test_no_code_stays_in_the_ranking_and_ties_go_by_code() -> None:
    world = World()
    coded(world, "SC", "SC", "SC", "R74", "R74", "K86", "K86", "A04", None)
    with world.tables() as tables:
        top = Indicator(measures()["diagnostics"], tables, ON).top(3).frame
    assert list(zip(top["cisp2"], top["rows"], strict=True)) == [("SC", 3), ("K86", 2), ("R74", 2)]


def test_reasons_are_not_diagnoses() -> None:
    world = World()
    coded(world, "A04", table="reasons")
    assert asked(world, "motifs", "cisp2")["cisp2"].tolist() == ["A04"]


def test_ones_own_beside_the_whole_base() -> None:
    base = World()
    mine = coded(base, "R74", "R74", "H71", "SC")
    coded(base, *["K86"] * 5, "R74")
    with base.tables() as tables:
        own = type(tables)(**vars(tables))
        own.diagnoses = tables.diagnoses.filter(tables.diagnoses.patient_id == mine)
        made = Indicator(measures()["diagnostics"], tables, ON).compare(own, n=2)
    frame = made.frame.set_index("cisp2")
    assert list(frame.index) == ["R74", "H71"]
    assert frame.loc["R74", ["own_rows", "own_share", "base_rows", "base_share"]].tolist() == [2, 0.5, 3, 0.3]
    assert frame.loc["R74", "ratio"] == pytest.approx(5 / 3)
    assert frame.loc["H71", "own_share"] == 0.25


# -- the log


def entry(world: World, **columns: Any) -> None:
    world.put("training_log", patient_no=1, date=day("2022-06-01"), **columns)


def log() -> World:
    world = World()
    world.person("1980-01")
    entry(
        world, cisp2="R74", reason="R05", result="R74", procedure="R50", supervision="direct",
        competence_1="biomedical", competence_2="preventive", competence_3="relational", level="novice",
    )  # fmt: skip
    entry(
        world, cisp2="R74", reason="A03", result="R78", procedure="R50", supervision="autonomous",
        competence_1="preventive", competence_2="preventive", level="competent",
    )  # fmt: skip
    entry(world, cisp2="SC", supervision=None, competence_3="biomedical")
    entry(world, cisp2="K86", supervision="joint")
    return world


def test_from_the_problem_to_reason_result_and_procedure() -> None:
    world = log()
    frame = asked(world, "carnet", "cisp2", "reason", "result", "procedure")
    seen = frame.fillna("—")[["cisp2", "reason", "result", "procedure", "rows"]].to_numpy().tolist()
    assert seen == [
        ["K86", "—", "—", "—", 1],
        ["R74", "A03", "R78", "R50", 1],
        ["R74", "R05", "R74", "R50", 1],
        ["SC", "—", "—", "—", 1],
    ]


def test_an_entry_counts_once_for_each_of_its_competences() -> None:
    frame = asked(log(), "carnet_competences").set_index("indicator")["numerator"]
    found = {label: int(rows) for label, rows in frame.items() if rows}
    assert sorted(found.values()) == [1, 2, 2], "preventive twice in one entry is one"
    assert asked(log(), "carnet_competences")["denominator"].tolist()[0] == 3


def test_autonomy_is_a_share_of_what_is_known() -> None:
    frame = asked(log(), "carnet_supervision").set_index("indicator")
    assert frame["denominator"].tolist() == [3, 3] and frame["missing"].tolist() == [1, 1]
    assert frame["numerator"].tolist() == [1, 1]


def test_the_log_by_period() -> None:
    frame = asked(log(), "carnet", every="month", between=("2022-01-01", "2022-12-31"))
    assert [(str(month)[:7], rows) for month, rows in zip(frame["month"], frame["rows"], strict=True)] == [
        ("2022-06", 4)
    ]
