"""Alix visits a practice. A patient there objects: she types the identifier of the practice's software,
never a name, and gives back a receipt. Dora, the data protection officer, verifies the log and finds the
objection in it.

It comes after the other stories, by its name: objections go by dense number, and numbers of different sources
collide, so that hers would take a patient out of the study that test_published_model publishes.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from .browser import chromium, log_in
from .conftest import Enclave


def visit(page: Page, enclave: Enclave, user: str, path: str) -> str:
    """`user` at a page of the register, logged in; the register's address."""
    accounts = json.loads((enclave.home / "identity" / "accounts.json").read_text())
    host = urlsplit(enclave.address)
    register = f"http://registre.{host.netloc}"
    page.goto(register + path)
    log_in(page, user, accounts[user]["password"], enclave.code(user))
    page.goto(register + path)
    return register


def test_an_objection_from_the_practice_to_the_log(enclave: Enclave) -> None:
    with chromium() as page:
        visit(page, enclave, "alix", "/participation")
        synthetic = page.locator("#o-source option", has_text="preset").first.inner_text()
        page.select_option("#o-source", synthetic)  # another story may have loaded a source
        page.fill("#o-identifiant", "P0000042-7")
        page.fill("#o-reference", "lettre-14")
        page.check("#o-relu")
        page.get_by_role("button", name="Enregistrer l'opposition").click()
        expect(page.locator("main")).to_contain_text("retrouvé dans le journal")
        receipt = re.findall(r"(?<![\w-])R-[2-9a-z]{10}(?![\w-])", page.inner_text("main"))[0]
    with chromium() as page:
        visit(page, enclave, "dora", "/journal?genre=oppositions")
        expect(page.locator("table")).to_contain_text(receipt)
        page.get_by_role("button", name="Vérifier maintenant").click()
        expect(page.locator("main")).to_contain_text("Intact")
