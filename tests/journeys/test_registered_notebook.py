"""A researcher's own analysis leaves with one look: Rachid registers his notebook, which reads rows, and
declares what it writes; Diane, a physician without a part in the project, reads its code and accepts; the
operator runs it; Rachid asks for the declared table to leave, and Denis reads it. What he did not declare is
gone.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from .browser import FLAGS, photograph
from .conftest import Enclave
from .test_report_release import somebody

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(600)]
PROJECT = "modeles-rachid"
CELLS = [
    ("markdown", "# Patients par sexe\n\nEffectifs de l'étude, pour le tableau 1 de l'article."),
    ("code", 'titre: str = "Étude"  # Ce qui se lit en tête du tableau'),
    ("code", "import p4dp_sdk as p4dp\n\nws = p4dp.connect()"),
    ("code", "rows = ws.tables.patients.select('sex').execute()"),
    ("code", "table = rows.groupby('sex').size().rename('patients')\ntable.to_csv('sorties/effectifs.csv')"),
    ("code", "rows.head(50).to_csv('sorties/lignes.csv')"),
]  # fmt: skip
WORDS = {
    "title": "Tableau 1 de l'article",
    "purpose": "Article sur les modèles de risque",
    "context": "Patients de l'étude, par sexe",
    "controls": "Deux effectifs, de plusieurs milliers de patients chacun",
}


def written(enclave: Enclave) -> None:
    """The notebook, in Rachid's home, as his workspace would write it."""
    home = enclave.home / "homes" / PROJECT / "rachid"
    home.mkdir(parents=True, exist_ok=True)
    cells = [{"cell_type": kind, "metadata": {}, "source": text} for kind, text in CELLS]
    cells[1]["metadata"] = {"tags": ["parameters"]}
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (home / "effectifs.ipynb").write_text(json.dumps(notebook))
    owner = home.stat()
    os.chown(home / "effectifs.ipynb", owner.st_uid, owner.st_gid)


def registered(page: Page, airlock: str) -> str:
    page.goto(f"{airlock}/notebooks")
    page.locator("a[href='/notebooks/nouveau']").click()
    page.locator(f"a[href='/notebooks/nouveau?projet={PROJECT}']").click()
    page.locator("input[name=file][value='effectifs.ipynb']").check()
    page.locator("#name").fill("effectifs")
    page.locator("#purpose").fill("Compter les patients de l'étude par sexe, pour le tableau 1.")
    page.locator("#outputs").fill("effectifs.csv : patients par sexe")
    page.locator("input[name=rows]").check()
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/notebooks/n-"))
    return page.url.rsplit("/", 1)[-1]


def test_an_analysis_of_ones_own_leaves_with_one_look(enclave: Enclave, tmp_path: Path) -> None:
    written(enclave)
    airlock = enclave.address.replace("//", "//sas.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        rachid = somebody(enclave, browser, "rachid")
        number = registered(rachid, airlock)
        expect(rachid.locator("#avis")).to_have_count(0)
        diane = somebody(enclave, browser, "diane")
        diane.goto(f"{airlock}/relecture")
        diane.locator("main a[href='/notebooks']").first.click()
        diane.locator(f"tr[data-notebook='{number}'] a").click()
        for told in ("données individuelles", "effectifs.csv", "p4dp.connect()", "titre"):
            expect(diane.locator("main")).to_contain_text(told)
        photograph(diane, "sas-notebook", tmp_path, whole=True)
        diane.locator("#avis input[value=approve]").check()
        diane.locator("#avis button[type=submit]").click()
        expect(diane.locator(".headline .tag")).to_have_text("accepté")
        enclave.command("report", "run", "--notebook", "effectifs", "--project", PROJECT)
        (folder,) = (enclave.home / "reports" / PROJECT).glob("*-effectifs-*")
        assert {path.name for path in folder.iterdir()} == {"effectifs.csv", "manifest.json"}
        assert json.loads((folder / "manifest.json").read_text())["undeclared"] == ["lignes.csv"]
        run = folder.name.rsplit("-", 1)[-1]
        rachid.goto(f"{airlock}/rapports/{run}")
        rachid.locator("input[name=file-1]").check()
        for name, text in WORDS.items():
            rachid.locator(f"#{name}").fill(text)
        rachid.locator("main form button[type=submit]").click()
        rachid.wait_for_url(re.compile(r"/demandes/d-"))
        request = rachid.url.rsplit("/", 1)[-1]
        rachid.locator("form[action$='/envoyer'] button").click()
        diane.goto(f"{airlock}/relecture/{request}")
        expect(diane.locator("#arret")).to_contain_text("c’est celui d’un autre médecin")
        expect(diane.locator("#avis")).to_have_count(0)
        denis = somebody(enclave, browser, "denis")
        denis.goto(f"{airlock}/relecture/{request}")
        for told in ("reproduit", "un seul avis suffit", run, "données individuelles"):
            expect(denis.locator("main")).to_contain_text(told)
        expect(denis.locator(f"main a[href='/notebooks/{number}']")).to_have_count(1)
        denis.locator("#vote input[name=verdict][value=approve]").check()
        denis.locator("#vote").get_by_role("button", name="Enregistrer mon avis").click()
        rachid.goto(f"{airlock}/demandes/{request}")
        expect(rachid.locator(".headline .tag").first).to_have_text("sortie")
        with rachid.expect_download() as waiting:
            rachid.locator("#telecharger ~ ul a").first.click()
        waiting.value.save_as(tmp_path / "kept")
        assert (tmp_path / "kept").read_bytes() == (folder / "effectifs.csv").read_bytes()
        browser.close()
