"""A project of one's own: asked for by an intern, decided on by three offices, opened the same minute."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .browser import SECONDS, log_in, photograph
from .conftest import Enclave

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(600)]

TITLE = "Asthme de l'enfant en médecine générale"
SLUG = "asthme-enfant"
WORDS = {
    "title": TITLE,
    "director": "Pr Anne Durand, DMG de Rouen",
    "purpose": "Décrire le suivi de l'asthme de l'enfant en soins primaires, pour une thèse d'exercice.",
    "protocol": "Étude descriptive des consultations pour asthme de 2015 à 2022, par âge et par saison.",
    "expires_on": "2027-09-30",
    "legal_reference": "2026-004",
    "lay_fr": "Nous comptons combien d'enfants asthmatiques sont suivis par leur généraliste, et quand.",
}


@contextmanager
def another(page: Page) -> Iterator[Page]:
    """Somebody else's computer: no cookies of the first."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60 * SECONDS)
    try:
        yield context.new_page()
    finally:
        context.close()


def visit(page: Page, enclave: Enclave, user: str, path: str) -> None:
    """`user` logs in, accepts the charter if it is asked, and opens a page of the register."""
    passwords = json.loads((enclave.home / "identity/accounts.json").read_text())
    page.goto(enclave.address)
    log_in(page, user, passwords[user]["password"], enclave.code(user))
    go(page, enclave, path)


def go(page: Page, enclave: Enclave, path: str) -> None:
    page.goto(enclave.address.replace("://", "://registre.") + path)


def fill_in_the_form(page: Page) -> None:
    for name, text in WORDS.items():
        page.locator(f"#{name}").fill(text)
    page.locator("#legal_basis").select_option("MR-004")
    page.locator("#centre-tous").check()
    page.locator("#access-aggregate").check()
    for table, why in (("patients", "L'âge et le sexe."), ("diagnoses", "L'asthme est un diagnostic.")):
        page.locator(f"#table-{table}").check()
        page.locator(f"#need_{table}").fill(why)


def decide(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()
    expect(page.locator(".told")).to_be_visible()


def test_an_intern_asks_for_a_project_and_opens_it(enclave: Enclave, page: Page, tmp_path: Path) -> None:
    """Inès accepts the charter, asks for a project and sends it too early: the form says what is missing, at
    the field, and keeps what she typed. She completes it. The DPO gives her opinion; Charles votes with a
    reserve and Claire without; Inès answers, Charles lifts the reserve and closes the vote; the administrator
    grants. The project stands on Inès's home page and opens; the public reads its summary without logging in.
    """
    visit(page, enclave, "ines", "/demandes")
    page.get_by_role("button", name="Demander un projet").click()
    page.locator("#title").fill(TITLE)
    page.get_by_role("button", name="Enregistrer et envoyer").click()
    expect(page.locator(".refusal")).to_contain_text("pas envoyée")
    expect(page.locator("#title")).to_have_value(TITLE)
    photograph(page, "register-form-errors", tmp_path)
    fill_in_the_form(page)
    photograph(page, "register-form", tmp_path)
    page.get_by_role("button", name="Enregistrer et envoyer").click()
    expect(page.locator(".told")).to_contain_text("envoyée")
    number = page.url.rstrip("/").rsplit("/", 1)[1]

    with another(page) as dora:
        visit(dora, enclave, "dora", f"/instruction/{number}")
        dora.locator("#retention").fill("Jusqu'à la soutenance, puis deux ans.")
        dora.locator("#dpia").fill("AIPD de l'entrepôt")
        dora.locator("#dpo-favourable").check()
        dora.locator("#dpo-reason").fill("Conforme à la MR-004.")
        photograph(dora, "register-dpo", tmp_path)
        decide(dora, "Rendre l'avis")
    with another(page) as charles, another(page) as claire:
        visit(charles, enclave, "charles", f"/instruction/{number}")
        charles.locator("#ballot-for").check()
        charles.locator("#reserve").fill("Préciser la tranche d'âge.")
        decide(charles, "Voter")
        visit(claire, enclave, "claire", "/instruction")
        claire.locator(f"[data-dossier={number}] a").click()
        claire.locator("#ballot-for").check()
        decide(claire, "Voter")

        go(page, enclave, f"/demandes/{number}")
        page.locator(".reserve textarea").fill("De 6 à 15 ans.")
        decide(page, "Envoyer la réponse")
        photograph(page, "register-follow", tmp_path)

        go(charles, enclave, f"/instruction/{number}")
        expect(charles.locator(".reserve")).to_contain_text("De 6 à 15 ans.")
        charles.locator("#avis").fill("Projet pertinent et proportionné.")
        photograph(charles, "register-committee", tmp_path)
        decide(charles, "Clore le vote")
        charles.locator(".reserve textarea").fill("La tranche d'âge est précisée.")
        decide(charles, "Lever la réserve")
    with another(page) as admin:
        visit(admin, enclave, "admin", f"/instruction/{number}")
        admin.locator("#admin-favourable").check()
        admin.locator("#admin-reason").fill("Tables et version vérifiées.")
        photograph(admin, "register-grant", tmp_path)
        decide(admin, "Rendre la décision")
        go(admin, enclave, "/projets")
        expect(admin.locator(f"[data-project={SLUG}]")).to_contain_text("ouvert")
        photograph(admin, "register", tmp_path)

    page.goto(enclave.address)
    card = page.locator(f"[data-project={SLUG}]")
    expect(card).to_be_visible()
    card.get_by_role("link", name="Démarrer").click()
    page.wait_for_url(re.compile(r"/lab"), timeout=120 * SECONDS)

    with another(page) as anybody:
        go(anybody, enclave, "/public")
        expect(anybody.locator("main")).to_contain_text("combien d'enfants asthmatiques")
        expect(anybody.locator("main")).not_to_contain_text("ines")
        photograph(anybody, "register-public", tmp_path)
