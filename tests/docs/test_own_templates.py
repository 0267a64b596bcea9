"""The notebooks of one's own: for whom they are, and for whoever is not on the register."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hub_config.governance.persons import actions as persons
from hub_config.governance.persons.facts import Link, Standing
from tests.services.gateway.peer_enclave import Enclave
from tests.services.sdk.conftest import Connect, connect, enclave, warehouse

from .markdown import ROOT
from .test_templates import outputs, run, said

__all__ = ["connect", "enclave", "warehouse"]  # fixtures

SOURCE = "preset A × 0.1"
OWN = ("ma-patientele", "mon-activite")
PRACTICE = 33  # the synthetic practice with most patients

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's and Jupyter's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def in_a_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")


def figures(notebook: Any) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


@pytest.mark.parametrize("name", OWN)
def test_whoever_is_not_linked_reads_what_to_do(name: str, connect: Connect, tmp_path: Path) -> None:
    connect("ines", "these-ines")
    notebook = run(name, tmp_path)
    assert "n’est pas au registre" in said(notebook)
    assert "p4dp-enclave person link" in said(notebook)
    assert not figures(notebook)


def test_a_gp_sees_their_practice(enclave: Enclave, connect: Connect, tmp_path: Path) -> None:
    enclave.govern(persons.link, Link("ines", SOURCE, Standing.PHYSICIAN, PRACTICE))
    connect("ines", "these-ines")
    notebook = run("ma-patientele", tmp_path)
    assert figures(notebook) == 3
    assert "File active" in said(notebook)


@pytest.mark.parametrize("standing", [Standing.INTERN, Standing.TRAINER])
def test_an_activity_is_an_intern_s_or_a_trainer_s(
    standing: Standing, enclave: Enclave, connect: Connect, tmp_path: Path
) -> None:
    number = 1 if standing is Standing.INTERN else PRACTICE
    enclave.govern(persons.link, Link("ines", SOURCE, standing, number))
    connect("ines", "these-ines")
    notebook = run("mon-activite", tmp_path)
    assert figures(notebook) == 5
    assert standing is Standing.TRAINER or re.search(r"R74 Rhume", said(notebook))


def test_no_practice_is_read_from_a_log(enclave: Enclave, connect: Connect, tmp_path: Path) -> None:
    enclave.govern(persons.link, Link("ines", SOURCE, Standing.INTERN, 1))
    connect("ines", "these-ines")
    assert not figures(run("ma-patientele", tmp_path))
