"""Léa's trial may seek patients. She names them by a rule, and hears how many. Dr Martin, with no connection
at all, makes a key in a page kept on her own computer and reads its thirty digits to Alix, then to Dora.
Diane approves, Alix hands over a file, and only Dr Martin sees in it whom it is about.

Offices and gateway answer as in the enclave, in this process; the GP's page is a file in a real Chromium.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from hub_config import desk
from hub_config.desk.recontact.lists import closed, padded
from hub_config.gateway.engine import EngineLimits
from hub_config.governance.facts import AccessLevel
from hub_config.governance.recontact.facts import PracticeKey
from hub_config.governance.roles import Role
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.snapshot import build_snapshot
from hub_config.web.site import Site, create_site
from p4dp_sdk.wire.graph import encode
from tests.pages import Visit, visiting
from tests.services.gateway.peer_enclave import Enclave, add_project, charter, demonstration, fill, table

PHRASE = "cinq mots tirés au hasard"
AT = datetime(2026, 1, 5, tzinfo=UTC)
GP = 3  # whose patients are 3, 15, 27…
SOUGHT = {synthetic_id(Kind.PATIENT, n) for n in range(5, 600) if n % 12 == GP and n // 12 % 2 == 0}


@dataclass(frozen=True)
class Offices:
    app: FastAPI
    request: str

    def alix(self) -> Visit:
        return visiting(self.app, "alix", Role.AQD)


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Offices]:
    """An enclave where Léa has asked already."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with build_snapshot(home / "warehouse", source="test", synthetic=True, public=False) as building:
        fill(building)
    with demonstration(home / "warehouse", home, EngineLimits(2**29, 1)) as enclave:
        add_project(enclave, charter("essai-lea", AccessLevel.AGGREGATE, "lea", recontact=True))
        request = asyncio.run(asked_by_lea(enclave))
        enclave.gateway.engines.close()  # elsewhere a process of its own: DuckDB opens a file one way
        yield Offices(site_of(enclave, tmp_path), request)


def site_of(enclave: Enclave, templates: Path) -> FastAPI:
    site = Site(
        name="register",
        title="Registre",
        settings=enclave.settings,
        templates=templates,
        menu=desk.MENU,
        guests=(desk.GUEST,),
    )
    return create_site(site, routers=desk.routers(), state=desk.state(enclave.settings, enclave.store))


async def asked_by_lea(enclave: Enclave) -> str:
    d = table("diagnoses")
    sought = json.loads(encode(d.filter(d.cisp2 == "T90").select("patient_id").distinct()))
    said = {"title": "Essai DIABÈTE", "protocol": "Chère consœur,\nun essai.", "query": sought}
    async with enclave.workspace("lea", "essai-lea").client() as client:
        answer = await client.post("/v1/recontact", json=said)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["request"])


def made_key(page: Page, kept: Path) -> tuple[str, str]:
    """What Dr Martin reads aloud, and the public key; the private one stays in `kept`."""
    page.fill("#phrase", PHRASE)
    page.fill("#encore", PHRASE)
    page.click("#creer")
    expect(page.locator("#empreinte")).to_have_text(re.compile(r"^(\d{5} ){5}\d{5}$"))
    for button, name in (("#prendre-publique", "publique.pem"), ("#prendre-privee", "privee.json")):
        with page.expect_download() as download:
            page.click(button)
        download.value.save_as(kept / name)
    return page.inner_text("#empreinte"), (kept / "publique.pem").read_text()


def recorded(offices: Offices, heard: str, public: str) -> None:
    entry = {"cabinet": "CAB-14", "source": "test", "logiciel": "Logimed", "date": "2024-01-01"}
    assert offices.alix().post("/participation/entrees", entry).status_code == 303
    gp = synthetic_id(Kind.PHYSICIAN, GP)
    key = {"cabinet": "CAB-14", "identifiant": gp, "cle": public, "empreinte": heard}
    answer = offices.alix().post("/recontact/cles", key)
    assert answer.status_code == 303, answer.text
    dora = visiting(offices.app, "dora", Role.DPO)
    (confirmation,) = re.findall(r"/recontact/cles/[\w-]+/confirmation", dora.get("/recontact").text)
    assert dora.post(confirmation, {"empreinte": heard, "identifiant": gp}).status_code == 303


def handed_over(offices: Offices) -> str:
    diane, alix = visiting(offices.app, "diane", Role.MEDECIN_DIM), offices.alix()
    assert diane.post(f"/recontact/{offices.request}", {"etape": "approve"}).status_code == 303
    assert alix.post(f"/recontact/{offices.request}", {"etape": "announce"}).status_code == 303
    shown = alix.get(f"/recontact/{offices.request}").text
    (file,) = re.findall(r"/recontact/[\w-]+/cabinets/[\w-]+", shown)
    answer = alix.post(file)
    assert answer.status_code == 200
    assert not any(identifier in shown + answer.text for identifier in SOUGHT)
    return answer.text


def open_list(page: Page, kept: Path, phrase: str) -> None:
    page.set_input_files("#liste", kept / "liste.json")
    page.set_input_files("#privee", kept / "privee.json")
    page.fill("#ouvre", phrase)
    page.click("#ouvrir")


def test_only_the_gp_sees_whom_it_is_about(offices: Offices, page: Page, tmp_path: Path) -> None:
    kept = tmp_path / "cabinet"
    kept.mkdir()
    (kept / "outil.html").write_bytes(offices.alix().get("/recontact/outil").content)
    reached: list[str] = []
    page.on("request", lambda request: reached.append(request.url))
    page.context.set_offline(True)
    page.goto((kept / "outil.html").as_uri())
    heard, public = made_key(page, kept)
    private = (kept / "privee.json").read_text()
    assert json.loads(private)["iterations"] >= 600_000 and "PRIVATE" not in private + public
    recorded(offices, heard, public)
    (kept / "liste.json").write_text(handed_over(offices), encoding="utf-8")
    page.reload()  # another day
    open_list(page, kept, "une autre phrase de passe")
    expect(page.locator("#liste-probleme")).to_contain_text("phrase de passe")
    expect(page.locator("#resultat")).to_be_hidden()
    open_list(page, kept, PHRASE)
    expect(page.locator("#t-resultat")).to_have_text("Essai DIABÈTE")
    expect(page.locator("#protocole")).to_contain_text("Chère consœur")
    assert set(page.locator("#patients td").all_inner_texts()) == SOUGHT
    assert {url.split(":")[0] for url in reached} <= {"file", "blob"}, reached


def made_by_anybody(document: dict[str, str], public: str) -> dict[str, str]:
    """A list of nobody under other words: the key is public."""
    own = PracticeKey("K", "CAB-14", "test", "test", GP, public, document["key"], "x", AT, "y", None)
    return document | closed(padded([], own, 25), own, document)


def test_another_practices_list_and_a_torn_one_are_told(offices: Offices, page: Page, tmp_path: Path) -> None:
    kept = tmp_path / "cabinet"
    kept.mkdir()
    (kept / "outil.html").write_bytes(offices.alix().get("/recontact/outil").content)
    page.goto((kept / "outil.html").as_uri())
    heard, public = made_key(page, kept)
    recorded(offices, heard, public)
    document = json.loads(handed_over(offices))
    for change, told in (
        ({"key": "1" * 30}, "une autre clé"),
        ({"sealed": "AAAA" + document["sealed"]}, "abîmée"),
        ({"title": "Un autre essai"}, "abîmée"),
        ({"format": "x"}, "Choisissez la liste"),
    ):
        (kept / "liste.json").write_text(json.dumps(document | change))
        open_list(page, kept, PHRASE)
        expect(page.locator("#liste-probleme")).to_contain_text(told)
        expect(page.locator("#resultat")).to_be_hidden()
    hostile = {
        "protocol": "<img src=x onerror=document.title='pris'>\u2028\x7f\x01\\\"\r\n\t",
        "title": "<b>x</b>",
    }
    (kept / "liste.json").write_text(json.dumps(made_by_anybody(document | hostile, public)))
    open_list(page, kept, PHRASE)
    expect(page.locator("#t-resultat")).to_have_text("<b>x</b>")
    expect(page.locator("#protocole img")).to_have_count(0)
