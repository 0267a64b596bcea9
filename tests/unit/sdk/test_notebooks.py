"""The first template notebooks, cell by cell, against a peer that answers as a gateway does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from p4dp_sdk.catalogue import load_catalogue
from tests.unit.sdk.peer import Peer
from tests.unit.sdk.small_warehouse import answering, catalogue_answer, publishing

NOTEBOOKS = sorted((Path(__file__).parents[3] / "templates_notebooks").glob("*.ipynb"))


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.fixture(autouse=True)
def drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    yield
    plt.close("all")


def run(path: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"display": print}
    for cell in cells(path, "code"):
        exec(compile(source(cell), f"{path.name}:{cell['id']}", "exec"), names)  # noqa: S102 - our own notebook
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    return names


def in_project(peer: Peer, access: str) -> None:
    peer.whoami["access"] = access
    peer.whoami["snapshot"] = {**peer.whoami["snapshot"], "reference_date": "2000-01-01"}
    peer.catalogue = catalogue_answer(load_catalogue())
    peer.query = answering(access)
    peer.publish = publishing(access)


def test_prise_en_main_runs_and_says_what_rows_need(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    in_project(peer, "aggregate")
    plt.close("all")
    names = run(next(path for path in NOTEBOOKS if path.stem == "prise-en-main"))
    assert "données individuelles" in capsys.readouterr().out
    assert names["top20"]["libellé"].tolist()[0] == "Hypertension sans complication"
    assert names["croise"][["femmes", "hommes"]].isna().any(axis=None), "no withheld cell to show"
    assert len(plt.get_fignums()) == 4
    assert names["fige"].plot.bar()._repr_mimebundle_()["image/png"], "the fifth draws itself"
    assert "(T90)" in names["fige"].title and names["fige"].frame["patients"].notna().any()
    assert Path("tableau-fige.csv").exists()


def test_prise_en_main_runs_where_rows_are_granted(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    in_project(peer, "microdata")
    run(next(path for path in NOTEBOOKS if path.stem == "prise-en-main"))
    assert "en voici 5" in capsys.readouterr().out


def test_survival_model_runs(peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    in_project(peer, "microdata")
    names = run(next(path for path in NOTEBOOKS if path.stem == "modele-de-survie"))
    told = capsys.readouterr().out
    assert "n = 400" in told
    assert "indice C" in told
    assert list(names["modele"].params_.index) == ["age", "homme", "bmi"]
    assert names["modele"].params_["age"] > 0, "death was made to depend on age"
    assert isinstance(names["complets"], pd.DataFrame)
