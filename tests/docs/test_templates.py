"""Every template runs headless, from its first cell to its last, as a report does: by papermill, in a kernel
of its own, against the real gateway."""

from __future__ import annotations

import base64
import html
import os
import re
from pathlib import Path
from typing import Any

import papermill
import pytest

import p4dp_sdk as p4dp
from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from hub_config.warehouse.synthesis.training import PUBLISHED_INTERN
from tests.services.gateway.peer_enclave import Enclave
from tests.services.sdk.conftest import Connect, connect, enclave, warehouse

from .airlock import airlock_beside
from .markdown import ROOT
from .notebooks import TEMPLATES, read

__all__ = ["connect", "enclave", "warehouse"]  # fixtures

MANY = "modele-de-risque"  # needs many patients: test_risk_model runs it
OF_A_GP = "ma-patientele"  # needs a practice of one's own: test_own_templates runs it
TEMPLATE_NAMES = sorted(path.stem for path in TEMPLATES.glob("*.ipynb") if path.stem not in (MANY, OF_A_GP))
WITH_ROWS = {"modele-de-survie", "modele-de-risque"}
SECONDS = 600  # what a cell may take, on a busy machine

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's and Jupyter's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def in_a_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel finds the SDK, and draws as it does in a notebook."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")


@pytest.fixture(autouse=True)
def an_intern_on_the_register(enclave: Enclave) -> None:
    """`ws.me` knows ines: a log of her own to read."""
    enclave.govern(persons.link, Link("ines", "preset A × 0.1", Standing.INTERN, PUBLISHED_INTERN))


def run(name: str, into: Path, **parameters: Any) -> Any:
    """The executed notebook. Raises PapermillExecutionError where a cell fails."""
    return papermill.execute_notebook(
        str(TEMPLATES / f"{name}.ipynb"),
        str(into / f"{name}.ipynb"),
        parameters=parameters,
        cwd=str(into),
        kernel_name="python3",
        execution_timeout=SECONDS,
        progress_bar=False,
        log_output=False,
    )


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def said(notebook: Any) -> str:
    streams = [o.get("text", "") + str(o.get("data", {}).get("text/html", "")) for o in outputs(notebook)]
    return "\n".join(streams)


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_a_template_runs_from_top_to_bottom(name: str, connect: Connect, tmp_path: Path) -> None:
    connect(*(("rachid", "modeles-rachid") if name in WITH_ROWS else ("ines", "these-ines")))
    notebook = run(name, tmp_path)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert "Warning" not in "".join(o.get("text", "") for o in outputs(notebook) if o.get("name") == "stderr")
    figures = [o["data"]["image/png"] for o in outputs(notebook) if "image/png" in o.get("data", {})]
    assert figures and all(base64.b64decode(each).startswith(b"\x89PNG") for each in figures)
    assert "<table" in said(notebook)


@pytest.mark.parametrize("name", sorted(WITH_ROWS))
def test_a_model_says_which_right_is_missing(name: str, connect: Connect, tmp_path: Path) -> None:
    connect("ines", "these-ines")
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        run(name, tmp_path)
    assert "données individuelles" in re.sub(r"\s+", " ", "\n".join(caught.value.traceback))


def test_parameters_reach_the_kernel(connect: Connect, tmp_path: Path) -> None:
    connect("ines", "these-ines")
    assert "(K86)" in said(run("prise-en-main", tmp_path, code_diagnostic="K86"))


def asking(name: str) -> str:
    (found,) = (
        c.text for c in read(TEMPLATES / f"{name}.ipynb") if c.is_code and "ws.request_release(" in c.text
    )
    return found


def test_a_frozen_table_is_shown_as_a_reviewer_will_see_it(
    enclave: Enclave, connect: Connect, tmp_path: Path
) -> None:
    connect("ines", "these-ines")
    socket = Path(os.environ["P4DP_GATEWAY_SOCKET"])
    with airlock_beside(socket, enclave.workspace("ines", "these-ines")):
        notebook = run("tableau-diabete", tmp_path, figer=True, demander_la_sortie=True)
    shown = html.unescape(said(notebook))
    assert "brouillon, pas encore envoyée" in shown and "conforme d'origine" in shown
    assert "purpose : à quoi servent les résultats" in shown, "what is missing is said"
    assert "release.draft" in (told := {event.what for event in enclave.events()})
    assert "release.submit" not in told, "nothing is sent by itself"


def test_an_airlock_that_is_away_is_told_and_stops_no_notebook(connect: Connect) -> None:
    """The last cell of the first notebook, in the sandbox of an enclave whose airlock does not answer."""
    ws = connect("dora", "bac-a-sable")
    fige = ws.publish(ws.tables.patients.group_by("sex").agg(n=ws.tables.patients.count()), title="Essai")
    shown: list[Any] = []
    names = {"ws": ws, "p4dp": p4dp, "fige": fige, "display": shown.append, "demander_la_sortie": True}
    exec(asking("prise-en-main"), names | {"nom": "Diabète", "code_diagnostic": "T90"})  # noqa: S102 - our own
    assert "Le sas de sortie ne répond pas" in str(shown[0])
