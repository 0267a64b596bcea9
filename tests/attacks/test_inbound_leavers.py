"""Somebody whose departure is on record, and whose session the hub has not ended yet, at the inbound airlock:
a DIM physician who reads and lets in what others handed in, by their role alone; a member who leaves while
their file is being checked. Each gets through with the look at the register taken out, and not with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from hub_config import desk
from hub_config.desk import office
from hub_config.desk.entries import pages
from hub_config.governance import actions as governance
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.register import leaving
from hub_config.governance.rights import entries
from hub_config.governance.rights.facts import EntryKind
from hub_config.governance.roles import Role
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from hub_config.web.site import Site, create_site
from tests.pages import visiting
from tests.services.governance.conftest import settings  # noqa: F401  (a fixture)

TABLE, SCRIPT = "region,effectif\nNormandie,39\n", "print(1)\n"


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:  # noqa: F811
    opened = open_store(settings)
    grant = Grant(access=AccessLevel.AGGREGATE, tables={"patients": None}, legal_basis="MR-004")
    members = {"ines": MemberRole.INTERNE}
    charter = Charter(slug="these-ines", title="T", purpose="p", snapshot=1, grant=grant, members=members)
    with opened.change() as session:
        audit = opened.recorder("admin")
        governance.create_project(session, charter, terms=Terms(SnapshotTerms(1, True)), audit=audit)
        governance.approve(session, "these-ines", audit=audit)
    yield opened
    opened.close()


@pytest.fixture
def app(settings: Settings, store: Store, tmp_path: Path) -> FastAPI:  # noqa: F811
    site = Site(
        name="register", title="Registre", settings=settings, templates=tmp_path, menu=desk.MENU,
        uploads=desk.UPLOADS, guests=(desk.GUEST,),
    )  # fmt: skip
    return create_site(site, routers=desk.routers(), state=desk.state(settings, store))


@pytest.fixture
def undefended(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def take_out() -> None:
        for room in (office, pages):
            monkeypatch.setattr(room, "require_here", lambda *_: None)

    return take_out


def depart(store: Store, who: str) -> None:
    with store.change() as session:
        leaving.leave(session, who, reason="Fin de mission.", audit=store.recorder("dora"))


def hand_in(app: FastAPI, kind: EntryKind, name: str, text: str) -> int:
    return (
        visiting(app, "ines", Role.INTERNE)
        .post(
            "/entrees/these-ines/fichiers",
            {"type": kind.value, "usage": "Comparer."},
            files={"fichier": (name, text.encode())},
        )
        .status_code
    )


def lying(settings: Settings) -> set[str]:  # noqa: F811
    return {path.name for path in entries.Shelf(settings.home).folder("these-ines").iterdir()}


def test_a_physician_who_left_looks_at_nothing(
    app: FastAPI,
    store: Store,
    settings: Settings,  # noqa: F811
    undefended: Callable[[], None],
) -> None:
    assert hand_in(app, EntryKind.TABLE, "regions.csv", TABLE) == 303
    diane = visiting(app, "diane", Role.MEDECIN_DIM)
    number = re.findall(r"(?<![\w-])E-[2-9a-z]{10}(?![\w-])", diane.get("/entrees").text)[0]
    look = f"/entrees/regards/{number}"
    depart(store, "diane")
    refused = [diane.get("/entrees"), diane.get(look), diane.post(look, {"avis": "accept"})]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert not [answer for answer in refused if "Normandie" in answer.text]
    assert number not in refused[0].text
    assert "Votre départ de la plateforme a été enregistré" in refused[0].text
    assert lying(settings) == set()
    undefended()
    assert "Normandie" in diane.get(look).text
    assert diane.post(look, {"avis": "accept"}).status_code == 303
    assert lying(settings) == {"regions.csv"}, "undefended, she lets it in"


@pytest.mark.parametrize("defended", [False, True])
def test_who_leaves_during_the_checks_hands_nothing_in(
    app: FastAPI,
    store: Store,
    settings: Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    undefended: Callable[[], None],
    defended: bool,
) -> None:
    if not defended:
        undefended()
    real = pages.check

    def slow(kind: EntryKind, name: str, content: bytes) -> object:
        depart(store, "ines")
        return real(kind, name, content)

    monkeypatch.setattr(pages, "check", slow)
    assert hand_in(app, EntryKind.SCRIPT, "analyse.py", SCRIPT) == (403 if defended else 303)
    assert ("analyse.py" in lying(settings)) is not defended
