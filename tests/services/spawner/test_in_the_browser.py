"""A person opens their workspace in Chromium: French JupyterLab, a notebook that runs, nothing refused by
its own policy.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.services.spawner.conftest import SmallHub

pytestmark = pytest.mark.enclave

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[*FLAGS.split(), "--disable-component-update", "--disable-sync"],
        )
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def test_a_notebook_opens_and_runs(small_hub: SmallHub, page: Page) -> None:
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(f"{message.text} {message.location['url']}")
            if message.type == "error"
            else None
        ),
    )
    small_hub.start_server("ines", "these-ines")
    page.goto(f"{small_hub.url}/hub/login?next=/user/ines/these-ines/")
    page.get_by_label("Username").fill("ines")
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("tab", name="prise-en-main.ipynb")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Inactif")).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Exécution").click()
    page.get_by_text("Exécuter toutes les cellules", exact=True).click()
    expect(page.get_by_text("42 est la réponse", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Fichier").click()
    file_menu = page.locator(".lm-Menu").inner_text()
    assert "Enregistrer" in file_menu
    for exit_word in ("Télécharger", "Exporter", "Terminal"):
        assert exit_word not in file_menu
    assert [text for text in complaints if "/api/nbconvert" not in text] == []  # a closed exit it tries
