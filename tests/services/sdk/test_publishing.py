"""`ws.publish` against the real gateway: what a notebook gets, keeps and checks."""

from __future__ import annotations

from pathlib import Path

import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.sdk.conftest import Connect


def by_band(workspace: p4dp.Workspace) -> object:
    patients = workspace.tables.patients
    return patients.group_by("age_band").agg(patients=patients.patient_id.nunique())


def test_a_table_is_published_saved_and_verified(connect: Connect, tmp_path: Path) -> None:
    workspace = connect("ines", "these-ines")
    table = workspace.publish(by_band(workspace), "Patients par âge")
    assert isinstance(table, p4dp.SafeTable) and table.title == "Patients par âge"
    assert table.verify(workspace.publication_key())
    frame = table.frame
    assert frame["patients"].dropna().min() >= 11
    assert frame["patients"].isna().sum() == table.statement.withheld
    again = p4dp.SafeTable.read(table.to_csv(tmp_path / "table.csv"))
    assert again.verify(workspace.publication_key()) and again == table
    assert "Patients par âge" in table._repr_html_()


def test_most_of_a_first_table_is_kept(connect: Connect) -> None:
    workspace = connect("ines", "these-ines")
    patients = workspace.tables.patients
    banded = patients.mutate(classe=p4dp.age_bands(patients.age, [20, 40, 60, 80]))
    table = workspace.publish(
        banded.group_by("classe", "sex").agg(patients=banded.patient_id.nunique()), title="Âge et sexe"
    )
    shown = table.frame[table.frame["classe"] != "non renseigné"]["patients"]
    assert shown.notna().mean() >= 0.8


def test_errors_are_plain(connect: Connect) -> None:
    workspace = connect("ines", "these-ines")
    patients = workspace.tables.patients
    with pytest.raises(p4dp.EnclaveError) as refused:
        workspace.publish(patients.group_by("birth_month").agg(n=patients.count()), "Par mois de naissance")
    assert refused.value.code is ErrorCode.NOT_PUBLISHABLE and refused.value.request_id
    with pytest.raises(p4dp.EnclaveError, match="120"):
        workspace.publish(by_band(workspace), "x" * 121)
    with pytest.raises(p4dp.EnclaveError) as rows:
        workspace.publish(patients, "Lignes")
    assert rows.value.code is ErrorCode.ROW_LEVEL


def test_the_sandbox_says_that_it_is_an_exercise(connect: Connect) -> None:
    workspace = connect("paul", "bac-a-sable")
    table = workspace.publish(by_band(workspace), "Exercice")
    assert table.statement.synthetic and table.record["access"] == "sandbox"
