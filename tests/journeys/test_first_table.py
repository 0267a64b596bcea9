"""An intern's first hour, and what Ctrl-C leaves behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .browser import log_in, open_notebook, open_workspace, outputs, photograph, run_all
from .conftest import Enclave

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]


def test_an_intern_reaches_a_first_protected_table(enclave: Enclave, page: Page, tmp_path: Path) -> None:
    """Inès opens the address that `make up` printed. She is sent to the identity provider, gives her
    password and a one-time code, and sees her projects. She starts her thesis's workspace, opens *Prise
    en main* and runs all cells. She reads the top-20 diagnoses, the table counts by year, and a crosstab
    in which small cells are withheld and explained, with plots. She freezes it: the exact table says what was
    withheld and is signed. She asks for rows, and is told which grant is missing and who gives it.
    """
    page.goto(enclave.address)
    expect(page.locator("input[name=login]")).to_be_visible()
    assert "localhost" in page.url and page.url.split("/")[2] != enclave.address.split("/")[2]
    photograph(page, "login", tmp_path)

    log_in(page, "ines", enclave.passwords["ines"], enclave.code("ines"))
    expect(page.locator("[data-project=these-ines]")).to_be_visible()
    expect(page.locator("[data-project=bac-a-sable]")).to_be_visible()
    assert page.locator("[data-project=modeles-rachid]").count() == 0
    photograph(page, "projects", tmp_path)

    open_workspace(page, "these-ines")
    open_notebook(page, "prise-en-main.ipynb")
    run_all(page)
    shown = outputs(page)

    assert "K86" in shown and "Sans code" in shown
    assert "2022" in shown
    assert "•" in shown and "effectif masqué" in shown
    assert "données individuelles" in shown and "CSE" in shown
    assert "Traceback" not in shown and "Error" not in shown
    assert page.locator(".jp-NotebookPanel:visible .jp-Cell-outputArea img").count() >= 3
    crosstab = page.locator(".jp-NotebookPanel:visible .jp-Cell", has_text="pivot_wider").first
    crosstab.scroll_into_view_if_needed()
    expect(crosstab.locator("table")).to_be_visible()
    photograph(page, "protected-table", tmp_path)
    frozen = page.locator(".jp-NotebookPanel:visible .jp-Cell", has_text="ws.publish(par_classe").first
    frozen.scroll_into_view_if_needed()
    expect(frozen.locator("table")).to_be_visible()
    expect(frozen).to_contain_text("Tableau figé : les nombres montrés sont exacts")
    photograph(page, "published-table", tmp_path)


def test_small_cells_never_reach_the_browser(enclave: Enclave, page: Page) -> None:
    """The same notebook's tables, read cell by cell: no number of patients from 1 to 10 anywhere."""
    page.goto(enclave.address)
    log_in(page, "ines", enclave.passwords["ines"], enclave.code("ines"))
    open_workspace(page, "these-ines")
    open_notebook(page, "prise-en-main.ipynb")
    run_all(page)
    tables = page.locator(".jp-NotebookPanel:visible .jp-Cell-outputArea table")
    crosstab = tables.filter(has_text="femmes").first
    numbers = [
        int(re.sub(r"\D", "", text))
        for text in crosstab.locator("td").all_inner_texts()
        if re.fullmatch(r"[\d\s]+", text)
    ]
    assert len(numbers) > 5
    assert min(numbers) >= 11
