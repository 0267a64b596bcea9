"""Somebody of the AQD who wants to know whether a neighbour is a patient of a practice, and leave no trace.

The form tells an identifier that is somebody's from one that is nobody's; so a question must cost something:
an objection that cannot be undone, or a line on the log, and there are not many lines in a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI

from hub_config import desk
from hub_config.desk.participation import pages
from hub_config.governance.audit import read_records
from hub_config.governance.objections import actions as objections
from hub_config.governance.roles import Role
from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from hub_config.warehouse.local_ids import synthetic_id
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.snapshot import build_snapshot
from hub_config.web.site import Site, create_site
from tests.pages import visiting

PRESENT, ABSENT = synthetic_id(Kind.PATIENT, 2), synthetic_id(Kind.PATIENT, 99)
GP, NO_GP = synthetic_id(Kind.PHYSICIAN, 1), synthetic_id(Kind.PHYSICIAN, 99)
SOURCE = "preset A"
MOST = pages.MOST_UNFOUND


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    with build_snapshot(made.warehouse_dir, source=SOURCE, synthetic=True, public=True) as building:
        run = building.connection.execute
        run("INSERT INTO centres (centre_id) VALUES ('C01')")
        run("INSERT INTO physicians (physician_no, centre_id) VALUES (1, 'C01')")
        run("INSERT INTO patients (patient_no, physician_no, centre_id) VALUES (2, 1, 'C01')")
        building.finish(date(2022, 12, 31), date(2000, 1, 1), date(2022, 12, 31))
    return made


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def app(settings: Settings, store: Store, tmp_path: Path) -> FastAPI:
    site = Site(
        name="register",
        title="R",
        settings=settings,
        templates=tmp_path,
        menu=desk.MENU,
        guests=(desk.GUEST,),
    )
    return create_site(site, routers=desk.routers(), state=desk.state(settings, store))


def ask(app: FastAPI, path: str, who: str = "alix", role: Role = Role.AQD, **said: str) -> tuple[int, str]:
    form = {"qui": "patient", "source": SOURCE, "relu": "oui", "reference": "", **said}
    answer = visiting(app, who, role).post(f"/participation/{path}", form)
    return answer.status_code, " ".join(re.findall(r"<p[^>]*>([^<]+)", answer.text))


SILENT = {
    "a bad reference": ("oppositions", {"reference": "M. Dupont, 1950"}, PRESENT, ABSENT),
    "a practice nobody knows": ("retraits", {"cabinet": "CAB-99"}, GP, NO_GP),
}


@pytest.mark.parametrize("how", SILENT)
@pytest.mark.parametrize("defended", [False, True])
def test_no_form_that_fails_tells_whose_an_identifier_is(
    app: FastAPI, store: Store, monkeypatch: pytest.MonkeyPatch, how: str, defended: bool
) -> None:
    path, said, present, absent = SILENT[how]
    if not defended:
        monkeypatch.setattr(pages, "_check_the_rest", lambda *_: None)
    told = [ask(app, path, identifiant=each, **said) for each in (present, absent)]
    assert (told[0] == told[1]) is defended
    with store.session() as session:
        found = objections.objectors(session, "preset A")
    assert not found.patients and not found.physicians, "and nothing came of it"


@pytest.mark.parametrize("defended", [False, True])
def test_a_search_ends_after_some_slips_and_the_dpo_sees_it(
    app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(pages, "MOST_UNFOUND", 1000)
    codes = [ask(app, "oppositions", identifiant=ABSENT)[0] for _ in range(MOST)]
    assert set(codes) == {422}
    assert ask(app, "oppositions", identifiant=PRESENT)[0] == (429 if defended else 303)
    assert ask(app, "oppositions", "dora", Role.DPO, identifiant=PRESENT)[0] == 303, "the DPO goes on"
    said = [
        r.details.get("code") for r in read_records(settings.audit_dir, settings.keys_dir) if r.who == "alix"
    ]
    assert ("too-often" in said) is defended


def test_a_receipt_is_shown_to_who_recorded_it_and_to_the_dpo(app: FastAPI) -> None:
    client = visiting(app, "alix", Role.AQD)
    form = {
        "qui": "patient",
        "source": SOURCE,
        "relu": "oui",
        "reference": "lettre-14",
        "identifiant": PRESENT,
    }
    receipt = client.post("/participation/oppositions", form).headers["location"]
    for who, role, status in (("alix", Role.AQD, 200), ("dora", Role.DPO, 200), ("amel", Role.AQD, 404)):
        other = visiting(app, who, role)
        assert other.get(receipt).status_code == status
        assert ("lettre-14" in other.get("/participation").text) is (status == 200)
