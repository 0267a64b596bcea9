"""A researcher refits a published model on real people, inside a workspace."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .browser import log_in, open_notebook, open_workspace, outputs, photograph, run_all
from .conftest import ROOT, Enclave

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]
NAFLD = ROOT.parent / "shared" / "data"


def test_a_researcher_finds_the_published_coefficients(enclave: Enclave, page: Page, tmp_path: Path) -> None:
    """The operator loads the NAFLD files while the enclave runs, and puts a project with individual data
    on them. Rachid finds it among his projects, opens *Modèle de survie*, runs all cells, and reads the
    published model: Surv(futime, status) ~ age + male + bmi, n = 12,588, C = .82696, log-likelihood
    −7,988.33.
    """
    enclave.command("warehouse", "load", "--mapping", "nafld", str(NAFLD))
    enclave.command(
        "project", "create", "nafld-rachid", "--title", "Survie NAFLD",
        "--purpose", "Retrouver un modèle publié",
        "--snapshot", "2", "--access", "microdata", "--table", "all", "--legal-basis", "MR-004",
        "--member", "rachid:chercheur",
    )  # fmt: skip
    enclave.command("project", "approve", "nafld-rachid")

    page.goto(enclave.address)
    log_in(page, "rachid", enclave.passwords["rachid"], enclave.code("rachid"))
    expect(page.locator("[data-project=nafld-rachid]")).to_be_visible()
    open_workspace(page, "nafld-rachid")
    open_notebook(page, "modele-de-survie.ipynb")
    run_all(page)
    shown = outputs(page)
    for figure in ("n = 12588", "-7988.33", "0.82696", "0.100601", "0.366140", "0.017022"):
        assert figure in shown, shown
    photograph(page, "published-model", tmp_path)
    assert "Intact" in enclave.command("audit", "verify")
