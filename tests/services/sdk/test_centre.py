"""A workspace narrowed to one centre: the same questions, of that centre's rows, protected like any other."""

from __future__ import annotations

import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.errors import UnknownNameError
from p4dp_sdk.workspace import Workspace

from .conftest import Connect


@pytest.fixture
def workspace(connect: Connect) -> Workspace:
    return connect("rachid", "modeles-rachid")  # rows, to count exactly


def test_every_table_with_a_centre_holds_its_rows_only(workspace: Workspace) -> None:
    centre = workspace.centre("CLF")
    for name, table in centre.tables.items():
        if "centre_id" in table.columns:
            whole = workspace.tables[name].centre_id == "CLF"
            assert table.count().execute() == workspace.tables[name].filter(whole).count().execute() > 0, name


def test_indicators_and_cohorts_are_those_of_the_centre(workspace: Workspace) -> None:
    asked = workspace.indicators["general_file_active"].measure("centre_id").frame.set_index("centre_id")
    own = workspace.centre("LYS").indicators["general_file_active"].measure().frame
    assert own["patients"].iloc[0] == asked.loc["LYS", "patients"]

    def cohort(place: object) -> p4dp.Cohort:
        events = place.tables.diagnoses.where(codes=p4dp.codes("hypertension"))
        return p4dp.Cohort(place, "HTA").index(first=events).exclude("avant", before=p4dp.codes("diabète"))

    here = cohort(workspace.centre("LYS")).features("centre_id")
    assert set(here["centre_id"]) == {"LYS"}
    assert len(here) < len(cohort(workspace).features("centre_id"))


def test_another_centre_is_another_cohort(workspace: Workspace) -> None:
    def fingerprint(place: object) -> str:
        events = place.tables.diagnoses.where(codes=p4dp.codes("hypertension"))
        return p4dp.Cohort(place, "HTA").index(first=events).fingerprint

    places = ["", "CLF", "LYS"]
    assert len({fingerprint(workspace.centre(code)) for code in places}) == len(places)


def test_no_code_is_the_whole_project(workspace: Workspace) -> None:
    assert workspace.centre("") is workspace


def test_an_unknown_centre_is_told_which_there_are(workspace: Workspace) -> None:
    with pytest.raises(UnknownNameError, match="CLF, GRE, LYE, LYS, STE"):
        workspace.centre("CLE")
