"""An intern's afternoon: from the thesis template to a published Table 1 and a figure."""

from __future__ import annotations

import re
from pathlib import Path

import docx
import pytest
from playwright.sync_api import Locator, Page, expect

from .browser import log_in, open_another, open_workspace, outputs, photograph, run_all, set_parameter
from .conftest import Enclave

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]


def test_an_intern_ends_with_a_published_table_and_a_figure(
    enclave: Enclave, page: Page, tmp_path: Path
) -> None:
    """Inès starts her thesis's workspace and opens *these*. She changes the disease and the ages in the
    first cell and runs everything: the flow of patients, a Table 1, a curve and the paragraph of methods are
    there, as drafts. Nothing moves any more: she freezes, runs everything again, and finds her exact Table 1
    as a Word file and her flow chart beside the notebook. At no time did she see a number of patients from
    1 to 10.
    """
    page.goto(enclave.address)
    log_in(page, "ines", enclave.passwords["ines"], enclave.code("ines"))
    open_workspace(page, "these-ines")
    open_another(page, "these.ipynb")
    set_parameter(page, "condition", '"infection respiratoire aiguë"')
    set_parameter(page, "age_min", "45")
    run_all(page)
    shown = outputs(page)
    assert "Traceback" not in shown and "Que faire : " not in shown.replace("Que faire : prenez", "")
    assert "Rien n'est figé" in shown
    assert "Infections respiratoires aiguës" in shown and "45 à 84 ans" in shown
    assert page.locator(".jp-NotebookPanel:visible .jp-Cell-outputArea img").count() >= 3
    assert_nobody_is_told_apart(tables(page))
    photograph(page, "thesis", tmp_path)

    set_parameter(page, "figer", "True")
    run_all(page)
    frozen = page.locator(".jp-NotebookPanel:visible .jp-Cell", has_text="tableau.publish(").first
    frozen.scroll_into_view_if_needed()
    expect(frozen).to_contain_text("Tableau figé : les nombres montrés sont exacts")
    photograph(page, "thesis-table", tmp_path)
    assert_nobody_is_told_apart(tables(page))

    home = enclave.home / "homes" / "these-ines" / "ines"
    (printed,) = docx.Document(str(home / "tableau-1.docx")).tables
    lines = {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in printed.rows}
    assert all(re.fullmatch(r"\d{3,}", cell.replace("\u202f", "")) for cell in lines["Patients, n"][:3])
    assert "Dyslipidémie, n (%)" in lines
    assert (home / "diagramme-de-flux.svg").read_text(encoding="utf-8").startswith("<?xml")


def tables(page: Page) -> Locator:
    return page.locator(".jp-NotebookPanel:visible .jp-Cell-outputArea table")


def assert_nobody_is_told_apart(shown: Locator) -> None:
    """No cell is a number of patients from 1 to 10, alone or before its percentage."""
    texts = [cell.strip() for cell in shown.locator("td").all_inner_texts()]
    numbers = [re.fullmatch(r"(?:≈ )?(\d[\d\u202f]*)(?: \([\d,]+\))?", text) for text in texts]
    counts = [int(found[1].replace("\u202f", "")) for found in numbers if found]
    assert len(counts) > 20
    assert not [count for count in counts if 0 < count < 11]
