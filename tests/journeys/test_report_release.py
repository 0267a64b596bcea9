"""A department's report leaves: the operator runs an approved template, an intern of the project asks for it
without touching a file, one physician reads it, and what the intern downloads is what the enclave kept.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .browser import FLAGS, SECONDS, log_in, photograph
from .conftest import Enclave

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(600)]
WORDS = {
    "title": "Tableau de bord du département",
    "purpose": "Réunion du département",
    "context": "File active et consultations du projet, en brouillon",
    "controls": "Agrégats protégés par la passerelle",
}


def somebody(enclave: Enclave, browser: Browser, name: str) -> Page:
    accounts = json.loads((enclave.home / "identity" / "accounts.json").read_text())
    context = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60 * SECONDS)
    page = context.new_page()
    page.goto(enclave.address)
    log_in(page, name, accounts[name]["password"], enclave.code(name))
    return page


def test_a_report_leaves_with_one_look(enclave: Enclave, tmp_path: Path) -> None:
    enclave.command("report", "run", "tableau-general", "--project", "these-ines")
    (folder,) = (enclave.home / "reports" / "these-ines").glob("*-tableau-general-*")
    run, airlock = folder.name.rsplit("-", 1)[-1], enclave.address.replace("//", "//sas.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        ines = somebody(enclave, browser, "ines")
        ines.goto(f"{airlock}/demandes")
        ines.locator(f"tr[data-run='{run}'] a").click()
        for name, text in WORDS.items():
            ines.locator(f"#{name}").fill(text)
        photograph(ines, "sas-rapport", tmp_path, whole=True)
        ines.locator("main form button[type=submit]").click()
        ines.wait_for_url(re.compile(r"/demandes/d-"))
        request = ines.url.rsplit("/", 1)[-1]
        ines.locator("form[action$='/envoyer'] button").click()
        diane = somebody(enclave, browser, "diane")
        diane.goto(f"{airlock}/relecture/{request}")
        for told in ("reproduit", "un seul avis suffit", run, "tableau-general"):
            expect(diane.locator("main")).to_contain_text(told)
        diane.locator("#vote input[name=verdict][value=approve]").check()
        diane.locator("#vote").get_by_role("button", name="Enregistrer mon avis").click()
        ines.goto(f"{airlock}/demandes/{request}")
        expect(ines.locator(".headline .tag").first).to_have_text("sortie")
        with ines.expect_download() as waiting:
            ines.locator("#telecharger ~ ul a").first.click()
        waiting.value.save_as(tmp_path / "kept")
        assert (tmp_path / "kept").read_bytes() == (folder / "tableau-general.html").read_bytes()
        browser.close()
