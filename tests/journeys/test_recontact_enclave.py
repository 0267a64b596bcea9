"""Re-contact in the whole enclave, on an export that was loaded: nobody learns who, but the GP in a file.

The operator loads what the practices exported. Dr Martin makes a key on a computer without any connection;
Alix, then Dora, hear its thirty digits and type them. The next load seals. Rachid seeks the women among the
patients, in his notebook, and reads how many there are. Diane reads the query and approves, Alix announces
and hands over a file, and Dr Martin reads in it the numbers of her own patients as her software writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hub_config.warehouse.samples import cabineo
from hub_config.warehouse.samples.population import LAST, people

from .browser import SECONDS, chromium, log_in, open_notebook, open_workspace, photograph
from .conftest import Enclave
from .test_airlock import run
from .test_recontact import PHRASE, made_key, open_list

pytestmark = [pytest.mark.enclave, pytest.mark.timeout(900)]
COUNT, GP, PROJECT = 300, "M020", "essai-rachid"
HERS = {f"D{each.number:07d}" for each in people(COUNT) if each.physician == GP and each.sex == "F"}
TITLE = "Un essai chez la femme"
SOUGHT = f"""import p4dp_sdk as p4dp
ws = p4dp.connect()
patientes = ws.tables.patients.filter(ws.tables.patients.sex == "F")
ws.request_recontact(patientes, "{TITLE}", protocol="Chère consœur,\\nun essai inventé.")"""


@dataclass(frozen=True)
class Exports:
    """What the practices of one vendor exported, and how it is read: as public, since nobody is real."""

    directory: Path
    mapping: Path

    def load(self, enclave: Enclave) -> None:
        enclave.command("warehouse", "load", "--mapping", str(self.mapping), str(self.directory))


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    cabineo.write(tmp_path / "export", people(COUNT), exported_on=LAST)
    shipped = (files("hub_config.warehouse.mappings") / "cabineo.toml").read_text()
    mapping = tmp_path / "cabineo.toml"
    mapping.write_text(shipped.replace('name = "cabineo"\n', 'name = "cabineo"\npublic = true\n', 1))
    return Exports(tmp_path / "export", mapping)


class Offices:
    """Everybody in a browser window of their own, logged in once, at the register."""

    def __init__(self, enclave: Enclave, browser: Browser) -> None:
        self.enclave, self.browser = enclave, browser
        self.register = enclave.address.replace("://", "://registre.", 1)
        self.accounts = json.loads((enclave.home / "identity" / "accounts.json").read_text())
        self.pages: dict[str, Page] = {}

    def at(self, user: str, path: str) -> Page:
        """`path` of the register, or the whole address of another page."""
        address = path if "://" in path else self.register + path
        if user not in self.pages:
            context = self.browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(60 * SECONDS)
            self.pages[user] = context.new_page()
            self.pages[user].goto(address)
            log_in(self.pages[user], user, self.accounts[user]["password"], self.enclave.code(user))
        self.pages[user].goto(address)
        return self.pages[user]


@pytest.fixture
def offices(enclave: Enclave) -> Iterator[Offices]:
    with ExitStack() as stack:
        browser = stack.enter_context(chromium()).context.browser
        assert browser is not None
        yield Offices(enclave, browser)


@pytest.fixture
def practice(offices: Offices, tmp_path: Path) -> Page:
    """Dr Martin's computer: the page that Alix brought on a stick, and no network."""
    alix = offices.at("alix", "/recontact")
    with alix.expect_download() as tool:
        alix.get_by_role("link", name="Télécharger l'outil du cabinet").click()
    tool.value.save_as(tmp_path / "outil.html")
    context = offices.browser.new_context(locale="fr-FR", offline=True)
    page = context.new_page()
    page.goto((tmp_path / "outil.html").as_uri())
    return page


def heard_twice(offices: Offices, heard: str, public: str) -> None:
    """Alix enters the practice and records its key; Dora, on a call of her own, confirms it."""
    alix = offices.at("alix", "/participation")
    for field, said in (("cabinet", "CAB-20"), ("source", "cabineo"), ("logiciel", "Cabinéo")):
        alix.fill(f"#e-{field}", said)
    alix.get_by_role("button", name="Enregistrer l'entrée").click()
    alix = offices.at("alix", "/recontact")
    for field, said in (("identifiant", GP), ("cle", public), ("empreinte", heard)):
        alix.fill(f"#k-{field}", said)
    alix.get_by_role("button", name="Enregistrer la clé").click()
    expect(alix.locator("main")).to_contain_text("à confirmer")
    dora = offices.at("dora", "/recontact")
    dora.get_by_label("Empreinte lue par le médecin").fill(heard)
    dora.get_by_label("Identifiant du médecin dans le logiciel du cabinet").fill(GP)
    dora.get_by_role("button", name="Confirmer la clé").click()
    expect(dora.locator("main")).to_contain_text("en vigueur")


def asked_in_a_notebook(offices: Offices) -> str:
    """What Rachid reads: a number of patients and of the request."""
    page = offices.at("rachid", offices.enclave.address)
    open_workspace(page, PROJECT)
    open_notebook(page, "prise-en-main.ipynb")
    shown = run(page, SOUGHT)
    assert not re.search(r"\bD00\d+", shown), "no patient of anybody's"
    (request,) = set(re.findall(r"C-[2-9a-z]{10}", shown))
    return str(request)


def announced(offices: Offices, request: str) -> None:
    diane = offices.at("diane", f"/recontact/{request}")
    expect(diane.locator("pre")).to_contain_text("sex")
    diane.get_by_role("button", name="Approuver").click()
    alix = offices.at("alix", f"/recontact/{request}")
    alix.get_by_role("button", name="Annoncer aux cabinets").click()
    expect(alix.locator("main")).to_contain_text("Fichiers scellés")


def test_from_a_notebook_to_the_practice(
    enclave: Enclave, offices: Offices, practice: Page, exports: Exports, tmp_path: Path
) -> None:
    exports.load(enclave)
    heard, public = made_key(practice, tmp_path)
    heard_twice(offices, heard, public)
    exports.load(enclave)  # the next one: nothing new is in it, and it seals
    grant = ("--access", "aggregate", "--table", "all", "--legal-basis", "MR-003", "--recontact")
    said = (
        "--title",
        "Essai de Rachid",
        "--purpose",
        "Inviter des patientes",
        "--member",
        "rachid:chercheur",
    )
    enclave.command("project", "create", PROJECT, *said, *grant)
    enclave.command("project", "approve", PROJECT)
    request = asked_in_a_notebook(offices)
    announced(offices, request)
    alix = offices.pages["alix"]
    with alix.expect_download() as file:
        alix.get_by_role("button", name="Télécharger").click()
    file.value.save_as(tmp_path / "liste.json")
    seen = alix.locator("main").inner_text() + (tmp_path / "liste.json").read_text()
    assert not any(identifier in seen for identifier in HERS)
    open_list(practice, tmp_path, PHRASE)
    expect(practice.locator("#t-resultat")).to_have_text(TITLE)
    expect(practice.locator("#protocole")).to_contain_text("un essai inventé")
    assert set(practice.locator("#patients td").all_inner_texts()) == HERS
    photograph(practice, "recontact-practice", tmp_path)
    assert "Intact" in enclave.command("audit", "verify")
