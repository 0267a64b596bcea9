"""The SDK against the real gateway: the same protocol on both sides, and the template notebooks from end to
end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

import p4dp_sdk as p4dp
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.tables.display import text
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave, add_project, charter
from tests.services.sdk.conftest import Connect

TEMPLATES = Path(__file__).parents[3] / "templates_notebooks"


@pytest.fixture(autouse=True)
def drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    yield
    plt.close("all")


def run(name: str, **parameters: Any) -> dict[str, Any]:
    """A template notebook, cell by cell, as papermill would with these parameters."""
    names: dict[str, Any] = {"display": print}
    for cell in json.loads((TEMPLATES / name).read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{name}:{cell['id']}", "exec"), names)  # noqa: S102
            if "parameters" in cell["metadata"].get("tags", []):
                names.update(parameters)
    return names


def test_whoami_tables_and_catalogue(connect: Connect) -> None:
    workspace = connect("ines", "these-ines")
    assert (workspace.whoami.user, workspace.whoami.project) == ("ines", "these-ines")
    assert "diagnoses" in workspace.tables
    assert "objections" not in workspace.tables
    assert "T90" in workspace.catalogue.search("diabete")["name"].tolist()
    assert workspace.catalogue.codes("centre")["code"].tolist(), "site codes are filled"


def test_counts_come_back_protected(connect: Connect) -> None:
    d = connect("ines", "these-ines").tables.diagnoses
    frame = d.group_by("cisp2").agg(patients=d.patient_id.nunique()).execute()
    shown = frame["patients"].dropna()
    assert frame.attrs["p4dp"].protection == "exploration"
    assert shown.min() >= 11
    assert frame["patients"].isna().sum() == frame.attrs["p4dp"].measures["patients"].withheld > 0
    assert "effectif masqué (< 11)" in text(frame)
    assert d.count().execute() > 1000


def test_rows_are_refused_with_the_grant_that_is_missing(connect: Connect) -> None:
    d = connect("ines", "these-ines").tables.diagnoses
    for rows in (d, d.limit(5), d.cisp2):
        with pytest.raises(p4dp.EnclaveError, match="données individuelles") as caught:
            rows.execute()
        assert caught.value.code is ErrorCode.ROW_LEVEL
        assert caught.value.request_id


def test_rows_come_where_they_are_granted(connect: Connect) -> None:
    p = connect("rachid", "modeles-rachid").tables.patients
    frame = p.select("patient_id", "sex", "age").execute()
    assert frame.attrs["p4dp"].protection == "rows"
    assert frame["patient_id"].is_unique
    assert len(frame) == p.count().execute() > 2000
    assert sum(batch.num_rows for batch in p.to_pyarrow_batches(chunk_size=100)) == len(frame)


def test_the_sandbox_says_what_protection_would_do(connect: Connect) -> None:
    d = connect("paul", "bac-a-sable").tables.diagnoses
    frame = d.group_by("cisp2").agg(patients=d.patient_id.nunique()).execute()
    assert "seraient masquées" in text(frame)
    assert frame["patients"].min() < 11


def test_a_table_of_ones_own_joins_on_a_code(connect: Connect) -> None:
    d = connect("ines", "these-ines").tables.diagnoses
    families = ibis.memtable({"cisp2": ["K86", "T90"], "famille": ["cœur", "sucre"]})
    counted = d.group_by("cisp2").agg(patients=d.patient_id.nunique()).join(families, "cisp2")
    assert set(counted.select("famille", "patients").execute()["famille"]) == {"cœur", "sucre"}


def test_another_token_is_not_enough(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    connect("ines", "these-ines")
    monkeypatch.setenv("P4DP_TOKEN", "another")
    with pytest.raises(p4dp.EnclaveError) as caught:
        p4dp.connect()
    assert caught.value.code is ErrorCode.NOT_AUTHENTICATED


def test_each_question_is_recorded_under_the_number_that_people_see(
    connect: Connect, enclave: Enclave
) -> None:
    d = connect("ines", "these-ines").tables.diagnoses
    with pytest.raises(p4dp.EnclaveError) as caught:
        d.execute()
    assert caught.value.request_id in json.dumps([dict(event.details) for event in enclave.asked()])


def test_prise_en_main_tells_its_story(connect: Connect, capsys: pytest.CaptureFixture[str]) -> None:
    connect("ines", "these-ines")
    names = run("prise-en-main.ipynb")
    assert names["top20"]["cisp2"].tolist()[:3] == ["K86", "R74", "SC"]
    assert names["top20"]["libellé"].notna().all()
    assert names["activite"]["consultations"].sum() > 100_000
    assert names["croise"][["femmes", "hommes"]].isna().any(axis=None)
    assert "Que faire : élargissez les classes d'âge" in text(names["croise"])
    assert "données individuelles" in capsys.readouterr().out
    assert names["fige"].total["patients"].notna().all()
    assert len(plt.get_fignums()) == 4  # that of the frozen table is drawn when it is shown


@pytest.mark.parametrize(("user", "project"), [("rachid", "modeles-rachid"), ("paul", "bac-a-sable")])
def test_prise_en_main_runs_in_every_project(connect: Connect, user: str, project: str) -> None:
    connect(user, project)
    run("prise-en-main.ipynb", code_diagnostic="K86")


def test_survival_model_runs_on_individual_data(connect: Connect, capsys: pytest.CaptureFixture[str]) -> None:
    connect("rachid", "modeles-rachid")
    names = run("modele-de-survie.ipynb")
    assert isinstance(names["complets"], pd.DataFrame)
    assert "indice C" in capsys.readouterr().out
    assert names["modele"].params_["age"] > 0


def test_survival_model_gives_the_published_coefficients(
    connect: Connect, enclave: Enclave, nafld: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """R survival, `coxph(Surv(futime, status) ~ age + male + bmi, nafld1)`, Efron."""
    add_project(enclave, charter("cox-nafld", AccessLevel.MICRODATA, "rachid", snapshot=nafld))
    connect("rachid", "cox-nafld")
    model = run("modele-de-survie.ipynb")["modele"]
    assert model.params_.to_dict() == pytest.approx(
        {"age": 0.1006011, "homme": 0.3661405, "bmi": 0.0170224}, abs=1e-6
    )
    assert model.log_likelihood_ == pytest.approx(-7988.33, abs=0.005)
    told = capsys.readouterr().out
    assert "n = 12588" in told
    assert "indice C = 0.82696" in told


def test_survival_model_says_which_right_is_missing(connect: Connect) -> None:
    connect("ines", "these-ines")
    with pytest.raises(p4dp.EnclaveError, match="données individuelles"):
        run("modele-de-survie.ipynb")
