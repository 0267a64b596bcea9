"""Inès has a script and a table on her own computer. The script comes in through the inbound airlock at once;
the table waits until Diane has seen it. Both lie in the folder of her workspace, to read only. The way she
tried first, JupyterLab's own button, is shut."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from .browser import SECONDS, open_workspace, photograph
from .conftest import Enclave
from .test_register import another, visit

PROJECT = "these-ines"
SCRIPT = "regions = ['Normandie', 'PACA']\n"
TABLE = "region,effectif\nNormandie,39\nPACA,31\n"


def hand_in(page: Page, kind: str, name: str, content: str) -> None:
    page.select_option("#type", kind)
    page.set_input_files("#fichier", {"name": name, "mimeType": "text/plain", "buffer": content.encode()})
    page.fill("#usage", "Comparer les régions.")
    page.get_by_role("button", name="Déposer").click()
    expect(page.locator("table")).to_contain_text(name)


def test_a_script_and_a_table_come_in(enclave: Enclave, page: Page, tmp_path: Path) -> None:
    visit(page, enclave, "ines", f"/entrees/{PROJECT}")
    hand_in(page, "script", "regions.py", SCRIPT)
    hand_in(page, "table", "effectifs.csv", TABLE)
    expect(page.locator("tr", has_text="regions.py").first).to_contain_text("accepté")
    expect(page.locator("tr", has_text="effectifs.csv").first).to_contain_text("attend un regard")
    photograph(page, "entries", tmp_path)

    with another(page) as other:
        visit(other, enclave, "diane", "/entrees")
        other.get_by_role("link", name="effectifs.csv").first.click()
        expect(other.locator("pre")).to_contain_text("Normandie,39")
        photograph(other, "entry", tmp_path)
        other.get_by_role("button", name="Accepter").click()

    page.goto(enclave.address)
    open_workspace(page, PROJECT)
    page.locator(".jp-DirListing-item", has_text="entrees").dblclick()
    item = page.locator(".jp-DirListing-item", has_text="effectifs.csv")
    expect(item).to_be_visible(timeout=60 * SECONDS)
    page.locator(".jp-DirListing-item", has_text="regions.py").dblclick()
    expect(page.locator(".jp-FileEditor .cm-content")).to_contain_text("Normandie")

    with page.expect_file_chooser() as chooser:
        page.locator("[data-jp-item-name=uploader] jp-button").click()
    with page.expect_response(re.compile("/api/contents/.*uploaded")) as refused:
        file = {"name": "uploaded.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
        chooser.value.set_files([file])  # type: ignore[list-item]
    assert refused.value.status == 403
    expect(page.locator(".jp-Dialog")).to_contain_text("sas d'entrée")
