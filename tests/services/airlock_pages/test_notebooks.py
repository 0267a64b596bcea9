"""A project's own notebook is registered: a member asks, a physician without a part in it reads the code and
decides, anybody of the project takes it back. The real pages over the real store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub_config.airlock.actions.tending import Tended, tend
from hub_config.airlock.notices.letters import Letter, compose
from hub_config.governance.actions import add_member
from hub_config.governance.audit import read_records
from hub_config.governance.charter import MemberRole
from hub_config.governance.notebooks import reading
from hub_config.governance.notebooks.facts import NotebookState, Registration
from hub_config.governance.notices.models import Notice, NoticeKind
from tests.pages import Visit

from .little_airlock import LittleAirlock

CODE = [
    {"cell_type": "markdown", "metadata": {}, "source": "# Mes patients hypertendus"},
    {
        "cell_type": "code", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": None,
        "source": 'code: str = "K86"  # Diagnostic',
    },
    {
        "cell_type": "code", "metadata": {"collapsed": True}, "execution_count": 7,
        "source": ["import base64\n", "print(code)"],
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "trois patients"}],
    },
]  # fmt: skip
WORDS = {
    "project": "these-ines",
    "file": "analyse.ipynb",
    "name": "these-hta",
    "purpose": "Décrire les patients hypertendus de ma thèse.",
    "outputs": "table.csv : effectifs par âge et sexe\n\nfigure.png : la courbe des effectifs",
}


def notebook(cells: list[dict[str, object]]) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.fixture
def house(airlock: LittleAirlock) -> Iterator[LittleAirlock]:
    folder = airlock.desk.settings.homes_dir / "these-ines" / "ines"
    folder.mkdir(parents=True)
    (folder / "analyse.ipynb").write_bytes(notebook(CODE))
    yield airlock


def asked(house: LittleAirlock, **more: str) -> str:
    answer = house.visit("ines").post("/notebooks/nouveau", {**WORDS, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).rsplit("/", 1)[-1]


def facts(house: LittleAirlock, number: str) -> Registration:
    with house.desk.store.session() as session:
        found = reading.find(session, number)
    assert found is not None
    return found


def judged(visit: Visit, house: LittleAirlock, number: str, verdict: str = "approve", **more: str) -> int:
    said = {"verdict": verdict, "sha256": facts(house, number).sha256, **more}
    return int(visit.post(f"/notebooks/{number}/avis", said).status_code)


def test_a_notebook_is_asked_for_read_and_accepted(house: LittleAirlock) -> None:
    ines, diane = house.visit("ines"), house.visit("diane")
    assert "analyse.ipynb" in ines.get("/notebooks/nouveau?projet=these-ines").text
    number = asked(house)
    assert number in diane.get("/notebooks").text
    seen = diane.get(f"/notebooks/{number}").text
    for told in ("these-hta", "K86", "import base64", "Mes patients", "figure.png", "encode ou décode"):
        assert told in seen, told
    assert "trois patients" not in seen, "results are not taken along"
    assert judged(diane, house, number) == 303
    found = facts(house, number)
    assert (found.state, found.decided_by) == (NotebookState.APPROVED, "diane")
    with house.desk.store.session() as session:
        content = reading.content_of(session, found)
        assert content is not None and b"trois patients" not in content
        assert reading.standing_hashes(session, "these-ines") == {number: found.sha256}
        assert reading.standing_hashes(session, "modeles-rachid") == {}
    assert judged(house.visit("denis"), house, number, "refuse", reason="Je ne suis pas d'accord.") == 403
    settings = house.desk.settings
    events = [
        each for each in read_records(settings.audit_dir, settings.keys_dir) if "notebook." in each.what
    ]
    assert [(each.who, each.what) for each in events] == [
        ("ines", "notebook.ask"),
        ("diane", "notebook.approve"),
    ]
    assert {each.details["sha256"] for each in events} == {found.sha256}


def test_a_physician_of_the_project_is_told_why_they_do_not_decide(house: LittleAirlock) -> None:
    number, why = asked(house), "Vous êtes, ou étiez, membre du projet these-ines"
    assert why not in house.visit("diane").get(f"/notebooks/{number}").text
    with house.desk.store.change() as session:
        audit = house.desk.store.recorder("admin")
        add_member(session, "these-ines", "diane", MemberRole.CHERCHEUR, audit=audit)
    page = house.visit("diane").get(f"/notebooks/{number}").text
    assert why in page and "/avis" not in page
    assert why not in house.visit("ines").get(f"/notebooks/{number}").text, "who asked expects no form"


def test_a_refusal_says_why_and_lets_nothing_run(house: LittleAirlock) -> None:
    number, diane = asked(house), house.visit("diane")
    assert judged(diane, house, number, "refuse") == 409, "without a reason"
    assert judged(diane, house, number, "refuse", reason="Retirez la cellule 3.") == 303
    assert "Retirez la cellule 3." in house.visit("ines").get(f"/notebooks/{number}").text
    assert judged(diane, house, number) == 403, "and is the end of it"
    with house.desk.store.session() as session:
        assert reading.standing(session, "these-ines") == []
    assert asked(house), "its name is free again"


def test_a_member_takes_it_back(house: LittleAirlock) -> None:
    number = asked(house)
    assert judged(house.visit("diane"), house, number) == 303
    assert house.visit("rachid").post(f"/notebooks/{number}/retirer", {}).status_code == 404
    assert house.visit("ines").post(f"/notebooks/{number}/retirer", {}).status_code == 303
    with house.desk.store.session() as session:
        assert reading.standing(session, "these-ines") == []
    assert house.visit("ines").post(f"/notebooks/{number}/retirer", {}).status_code == 403


WRONG = [
    ({"name": "Ma Thèse"}, "Donnez un nom"),
    ({"purpose": "court"}, "à quoi il sert"),
    ({"outputs": "../clé.csv : une clé de la maison"}, "ligne 1"),
    ({"outputs": "a.csv : effectifs par âge\na.csv : effectifs par sexe"}, "ligne 2"),
    ({"outputs": "modele.pickle : les coefficients du modèle"}, "ligne 1"),
    ({"outputs": "these-hta.html : prend la place de la page"}, "ligne 1"),
    ({"rows": "1"}, "données individuelles"),
    ({"file": "../../rachid/analyse.ipynb"}, "ne se lit pas"),
    ({"file": "absent.ipynb"}, "ne se lit pas"),
    ({"file": ""}, "Choisissez le notebook"),
]
UNREADABLE = [
    ({"cell_type": "raw", "source": "<script>"}, "cellule brute"),
    ({"cell_type": "code", "source": "x = 1\u202e# vu"}, "caractères invisibles"),
    ({"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "import os"}, "parameters"),
    ({"cell_type": "code", "source": "x = 1\n" * 20_000}, "trop long"),
]


def test_what_does_not_fit_is_told_and_nothing_is_lost(house: LittleAirlock) -> None:
    ines = house.visit("ines")
    for more, told in WRONG:
        answer = ines.post("/notebooks/nouveau", {**WORDS, **more})
        assert answer.status_code == 409 and told in answer.text and "Enregistrer" in answer.text, told
    with house.desk.store.session() as session:
        assert reading.of_projects(session, ["these-ines"]) == []


def test_what_a_physician_could_not_read_is_not_taken(house: LittleAirlock) -> None:
    ines, folder = house.visit("ines"), house.desk.settings.homes_dir / "these-ines" / "ines"
    for cell, told in UNREADABLE:
        (folder / "analyse.ipynb").write_bytes(notebook([*CODE, cell]))
        answer = ines.post("/notebooks/nouveau", WORDS)
        assert answer.status_code == 409 and told in answer.text, told


def test_a_name_is_taken_once_and_markup_in_a_cell_is_text(house: LittleAirlock) -> None:
    folder = house.desk.settings.homes_dir / "these-ines" / "ines"
    cell = {"cell_type": "markdown", "source": "<img src=x onerror=alert(1)>"}
    (folder / "analyse.ipynb").write_bytes(notebook([*CODE, cell]))
    seen = house.visit("diane").get(f"/notebooks/{asked(house)}").text
    assert "&lt;img src=x" in seen and "<img src=x" not in seen
    answer = house.visit("ines").post("/notebooks/nouveau", WORDS)
    assert answer.status_code == 409 and "déjà un notebook" in answer.text


def notices(house: LittleAirlock, number: str) -> list[tuple[str, NoticeKind]]:
    """Whom they are to, and what they say."""
    with house.desk.store.session() as session:
        query = select(Notice).where(Notice.request == number).order_by(Notice.id)
        return [(each.recipient, NoticeKind(each.kind)) for each in session.scalars(query)]


def tended(house: LittleAirlock, at: datetime) -> Tended:
    return tend(house.desk.store, house.desk.shelf, house.desk.settings, at)


def test_readers_are_told_and_reminded_and_the_requester_hears_the_decision(house: LittleAirlock) -> None:
    """All physicians of the pool; not the requester, and nobody twice. Nothing of it is in a mail."""
    number, at = asked(house), datetime.now(UTC)
    pool = ["denis", "diane", "dorian"]
    told = [(who, NoticeKind.NOTEBOOK_TO_READ) for who in pool]
    assert sorted(notices(house, number)) == told
    assert "Un notebook attend votre lecture" in house.visit("diane").get("/relecture").text
    tended(house, at + timedelta(days=2))
    assert sorted(notices(house, number)) == told
    assert number in tended(house, at + timedelta(days=9)).notebooks
    tended(house, at + timedelta(days=9, hours=1))
    reminders = [who for who, kind in notices(house, number) if kind is NoticeKind.NOTEBOOK_REMINDER]
    assert sorted(reminders) == pool, "once in as many days"
    assert judged(house.visit("diane"), house, number) == 303
    assert notices(house, number)[-1] == ("ines", NoticeKind.NOTEBOOK_APPROVED)
    assert "Votre notebook est enregistré" in house.visit("ines").get("/demandes").text
    assert "notebook attend" not in house.visit("denis").get("/relecture").text, "there is nothing to do"
    assert tended(house, at + timedelta(days=30)).notebooks == ()
    assert house.visit("ines").get(f"/notebooks/{number}").status_code == 200
    assert "Votre notebook est enregistré" not in house.visit("ines").get("/demandes").text
    letter = Letter(1, "diane", NoticeKind.NOTEBOOK_TO_READ, number, at)
    mail = compose(letter, address="d@chu.example", sender="sas@chu.example", origin="https://sas.example")
    assert f"https://sas.example/notebooks/{number}" in (body := mail.get_content())
    assert not [word for word in ("these", "ines", "hta") if word in body]


def test_a_refusal_is_told_and_ones_own_withdrawal_is_not(house: LittleAirlock) -> None:
    number = asked(house)
    assert judged(house.visit("diane"), house, number, "refuse", reason="Retirez la cellule 3.") == 303
    assert notices(house, number)[-1] == ("ines", NoticeKind.NOTEBOOK_REFUSED)
    other = asked(house)
    before = notices(house, other)
    assert house.visit("ines").post(f"/notebooks/{other}/retirer", {}).status_code == 303
    assert notices(house, other) == before
    third = asked(house)
    assert judged(house.visit("diane"), house, third) == 303
    assert house.visit("dora").post(f"/notebooks/{third}/retirer", {}).status_code == 303
    assert notices(house, third)[-1] == ("ines", NoticeKind.NOTEBOOK_WITHDRAWN)


def test_strangers_are_told_that_there_is_none(house: LittleAirlock) -> None:
    number = asked(house)
    for name in ("rachid", "charles"):
        assert house.visit(name).get(f"/notebooks/{number}").status_code == 404
        assert judged(house.visit(name), house, number) == 404
        assert number not in house.visit(name).get("/notebooks").text
    assert house.visit("rachid").post("/notebooks/nouveau", WORDS).status_code == 404
    assert house.visit("dora").get(f"/notebooks/{number}").status_code == 200, "the officer reads"
    assert judged(house.visit("dora"), house, number) == 403, "and does not decide"
