"""Somebody whose departure is on record, and whose session the hub has not ended yet, in a project that is
open to all: no membership ends there with them. They read, ask, send and download, by pages and from their
workspace, with the airlock's own look at the register taken out, and not with it. On both databases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from hub_config.airlock.actions import holding
from hub_config.airlock.app import app_of
from hub_config.airlock.intake import app as door
from hub_config.airlock.intake import picking
from hub_config.airlock.intake.app import Office
from hub_config.airlock.pages import desk as desks
from hub_config.airlock.pages import notebooks
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pseudonyms import Searched
from hub_config.airlock.texts import Denied, Problem
from hub_config.governance import actions as governance
from hub_config.governance.bindings import Binding
from hub_config.governance.register import leaving
from hub_config.governance.releases.facts import State
from hub_config.governance.roles import Role
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.sockets.doors import bound
from hub_config.sockets.identity import SCOPE, TokenOwner
from tests.pages import Visit, visiting
from tests.services.airlock.domain.house import DENIS, DIANE, INES, House, furnished
from tests.services.governance.conftest import settings  # noqa: F401  (a fixture)

OPEN_TO_ALL = "bac-a-sable"
WORDS = {
    "title": "Essai",
    "purpose": "Apprendre",
    "context": "Des lignes fictives",
    "controls": "Effectifs d’au moins 11",
}
NOTEBOOK = json.dumps(
    {
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "print(1)"}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }
).encode()  # fmt: skip


class HubThatLags:
    """It knows every token still."""

    async def owner_of(self, token: str) -> TokenOwner | None:
        user, _, server = token.partition("/")
        return TokenOwner(user, True, frozenset({f"{SCOPE}!server={user}/{server}"}))


@dataclass
class Airlock:
    """Inès in the sandbox project: a draft, a request that waits, and one that left."""

    house: House
    workers: ThreadPoolExecutor
    desk: Desk = field(init=False)
    pages: FastAPI = field(init=False)
    ines: Visit = field(init=False)
    draft: str = field(init=False)
    complete: str = field(init=False)
    waiting: str = field(init=False)
    left: str = field(init=False)

    def __post_init__(self) -> None:
        house = self.house
        with house.store.change() as session:
            governance.ensure_demo(session, 1, synthetic=True, audit=house.store.recorder("admin"))
        self.desk = Desk(house.store, house.shelf, house.settings, lambda: house.now)
        self.pages = app_of(self.desk)
        self.ines = visiting(self.pages, "ines", Role.INTERNE)
        self.draft, self.complete = house.draft(project=OPEN_TO_ALL), house.draft(project=OPEN_TO_ALL)
        self.waiting = house.submitted(project=OPEN_TO_ALL)
        self.left = house.submitted(project=OPEN_TO_ALL)
        for reviewer in (DIANE, DENIS):
            house.vote(self.left, reviewer)
        house.release(self.left)
        folder = house.settings.homes_dir / OPEN_TO_ALL / "ines"
        folder.mkdir(parents=True)
        (folder / "analyse.ipynb").write_bytes(NOTEBOOK)
        (folder / "notes.txt").write_text("Rien de grave.\n")

    def depart(self) -> None:
        with self.house.store.change() as session:
            audit = self.house.store.recorder("dora")
            leaving.leave(session, "ines", reason="Fin d’internat.", audit=audit)

    async def ask(self, method: str, path: str, **more: object) -> int:
        """From her workspace."""
        hub = HubThatLags()
        office = Office(self.desk, hub, self.workers, search=lambda *_: Searched((), done=True))
        binding = Binding("b-ines", "ines", OPEN_TO_ALL, OPEN_TO_ALL)
        transport = httpx.ASGITransport(app=bound(door.create_app(office), binding))
        headers = {"Authorization": f"Bearer ines/{OPEN_TO_ALL}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://airlock", headers=headers
        ) as client:
            return (await client.request(method, path, timeout=120, **more)).status_code  # type: ignore[arg-type]


@pytest.fixture
def airlock(settings: Settings) -> Iterator[Airlock]:  # noqa: F811
    house = furnished(House(open_store(settings), settings))
    with ThreadPoolExecutor(2) as workers:
        yield Airlock(house, workers)
    house.store.close()


@pytest.fixture
def undefended(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def take_out() -> None:
        for room in (desks, door, picking):
            monkeypatch.setattr(room, "require_here", lambda *_: None)

    return take_out


BY_PAGES: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/demandes", {}),
    ("GET", "/demandes/{waiting}", {}),
    ("GET", "/demandes/{left}/fichiers/1/telecharger", {}),
    ("GET", "/demandes/{left}/manifeste", {}),
    ("GET", "/demandes/{left}/fiche-de-controle", {}),
    ("GET", "/demandes/{draft}/espace", {}),
    ("GET", "/notebooks", {}),
    ("POST", "/demandes/nouvelle", {"project": OPEN_TO_ALL, **WORDS}),
    ("POST", "/demandes/{draft}/textes", WORDS),
    ("POST", "/demandes/{draft}/espace", {"file": "notes.txt"}),
    ("POST", "/demandes/{waiting}/reponse", {"text": "Oui."}),
    ("POST", "/demandes/{complete}/envoyer", {}),
    ("POST", "/demandes/{waiting}/retirer", {}),
    ("POST", "/nouvelles/vu", {}),
]
BY_WORKSPACE: list[tuple[str, str, dict[str, object]]] = [
    ("GET", "/v1/requests", {}),
    ("GET", "/v1/requests/{waiting}", {}),
    ("POST", "/v1/requests", {"json": WORDS}),
    ("PUT", "/v1/requests/{draft}", {"json": WORDS}),
    ("PUT", "/v1/requests/{draft}/files?name=notes.txt", {"content": b"Rien de grave.\n"}),
    ("DELETE", "/v1/requests/{draft}/files/1", {}),
    ("POST", "/v1/requests/{complete}/submit", {}),
    ("DELETE", "/v1/requests/{waiting}", {}),
]


def by_pages(airlock: Airlock) -> dict[str, int]:
    found = {}
    for method, path, fields in BY_PAGES:
        where = path.format(**vars(airlock))
        answer = airlock.ines.get(where) if method == "GET" else airlock.ines.post(where, fields)
        found[f"{method} {path}"] = answer.status_code
    return found


async def by_workspace(airlock: Airlock) -> dict[str, int]:
    return {
        f"{method} {path}": await airlock.ask(method, path.format(**vars(airlock)), **more)
        for method, path, more in BY_WORKSPACE
    }


def test_by_pages_a_leaver_reads_and_does_nothing(airlock: Airlock, undefended: Callable[[], None]) -> None:
    airlock.depart()
    before = len(airlock.house.recorded())
    assert set(by_pages(airlock).values()) == {403}
    told = airlock.ines.get("/demandes").text
    assert "Votre départ de la plateforme a été enregistré" in told
    assert "Essai" not in told
    assert len(airlock.house.recorded()) == before, "and nothing was done"
    undefended()
    assert set(by_pages(airlock).values()) <= {200, 303}
    assert airlock.house.facts(airlock.complete).state is State.SUBMITTED, "undefended, she sends"


async def test_from_a_workspace_a_leaver_reads_and_does_nothing(
    airlock: Airlock, undefended: Callable[[], None]
) -> None:
    airlock.depart()
    assert set((await by_workspace(airlock)).values()) == {403}
    undefended()
    assert {status // 100 for status in (await by_workspace(airlock)).values()} == {2}
    assert airlock.house.facts(airlock.complete).state is State.SUBMITTED, "undefended, she sends"


def leaves_meanwhile(airlock: Airlock, monkeypatch: pytest.MonkeyPatch, room: object, name: str) -> None:
    """She leaves while her file is being checked: after she was let in, before anything is written."""
    received = getattr(room, name)

    def slow(*args: object, **named: object) -> object:
        found = received(*args, **named)
        airlock.depart()
        return found

    monkeypatch.setattr(room, name, slow)


@pytest.mark.parametrize("defended", [False, True])
def test_who_leaves_during_the_checks_adds_nothing(
    airlock: Airlock, monkeypatch: pytest.MonkeyPatch, undefended: Callable[[], None], defended: bool
) -> None:
    if not defended:
        undefended()
    leaves_meanwhile(airlock, monkeypatch, picking, "receive")
    airlock.ines.post(f"/demandes/{airlock.draft}/espace", {"file": "notes.txt"})
    names = [file.name for file in airlock.house.facts(airlock.draft).files]
    assert ("notes.txt" in names) is not defended


@pytest.mark.parametrize("defended", [False, True])
async def test_nor_from_a_workspace(
    airlock: Airlock, monkeypatch: pytest.MonkeyPatch, undefended: Callable[[], None], defended: bool
) -> None:
    if not defended:
        undefended()
    leaves_meanwhile(airlock, monkeypatch, door, "receive")
    await airlock.ask("PUT", f"/v1/requests/{airlock.draft}/files?name=notes.txt", content=b"Rien.\n")
    names = [file.name for file in airlock.house.facts(airlock.draft).files]
    assert ("notes.txt" in names) is not defended


def test_a_notebook_is_not_registered_by_who_left(
    airlock: Airlock, monkeypatch: pytest.MonkeyPatch, undefended: Callable[[], None]
) -> None:
    form = {
        "project": OPEN_TO_ALL, "file": "analyse.ipynb", "name": "essai", "outputs": "",
        "purpose": "Décrire les patients fictifs.",
    }  # fmt: skip
    leaves_meanwhile(airlock, monkeypatch, notebooks, "read")
    answer = airlock.ines.post("/notebooks/nouveau", form)
    assert answer.status_code in (403, 404, 409)
    assert airlock.house.recorded("notebook") == []
    undefended()
    with airlock.house.store.change() as session:
        leaving.take_back(session, "ines", audit=airlock.house.store.recorder("admin"))
    assert airlock.ines.post("/notebooks/nouveau", form).status_code == 303, "undefended, it is"
    assert len(airlock.house.recorded("notebook.ask")) == 1


def test_who_is_taken_back_is_let_in_again(airlock: Airlock) -> None:
    airlock.depart()
    assert airlock.ines.get("/demandes").status_code == 403
    with airlock.house.store.change() as session:
        leaving.take_back(session, "ines", audit=airlock.house.store.recorder("admin"))
    assert airlock.ines.get("/demandes").status_code == 200


def test_the_register_itself_is_asked(airlock: Airlock) -> None:
    airlock.depart()
    with airlock.house.store.session() as session, pytest.raises(Denied) as refused:
        holding.require_here(session, INES)
    assert refused.value.problem is Problem.HAS_LEFT
