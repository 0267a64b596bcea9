"""The airlock's door in Inès' workspace: the real application, domain and checks; a hub of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from hub_config.airlock.intake.app import Office, create_app
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pseudonyms import Searched
from hub_config.governance.bindings import Binding
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.sockets.doors import bound
from hub_config.sockets.identity import SCOPE, TokenOwner
from p4dp_sdk.wire.publication import Document
from tests.services.airlock.domain.house import House, furnished
from tests.unit.sdk.signed_tables import pem, signed

WORDS = {
    "title": "Tableau 1 de la thèse",
    "purpose": "Thèse",
    "context": "Patients de 40 à 84 ans, 2015-2019",
    "controls": "Effectifs d’au moins 11",
}
POLICY = {
    "min_patients": 11,
    "min_physicians": 3,
    "min_outside": 11,
    "max_physician_share": 0.85,
    "dominance_k": 0.85,
}


@dataclass
class HubOfOurs:
    """Tokens are `<user>/<server>`; what it is told to forget it knows no more."""

    gone: set[str] = field(default_factory=set)

    async def owner_of(self, token: str) -> TokenOwner | None:
        user, _, server = token.partition("/")
        if token in self.gone or not server:
            return None
        return TokenOwner(user, True, frozenset({f"{SCOPE}!server={user}/{server}"}))


@dataclass
class Door:
    """The airlock as workspaces reach it."""

    house: House
    hub: HubOfOurs
    app: ASGIApp
    open: list[httpx.AsyncClient] = field(default_factory=list)

    def of(self, user: str, project: str, token: str | None = None) -> httpx.AsyncClient:
        binding = Binding(f"b-{user}-{project}", user, project, project)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=bound(self.app, binding)),
            base_url="http://airlock",
            headers={"Authorization": f"Bearer {token or f'{user}/{project}'}"},
            timeout=400,
        )
        self.open.append(client)
        return client


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    store = open_store(Settings(home=tmp_path / "home"))
    yield furnished(House(store, Settings(home=tmp_path / "home")))
    store.close()


@pytest.fixture
async def door(house: House) -> AsyncIterator[Door]:
    keys = house.settings.publication_keys_dir
    keys.mkdir(parents=True)
    (keys / f"{signed().signature.key}.pem").write_text(pem())
    desk = Desk(house.store, house.shelf, house.settings, lambda: house.now)
    hub = HubOfOurs()
    with ThreadPoolExecutor(4) as workers:
        made = Door(
            house, hub, create_app(Office(desk, hub, workers, search=lambda *_: Searched((), done=True)))
        )
        yield made
        for client in made.open:
            await client.aclose()


@pytest.fixture
def ines(door: Door) -> httpx.AsyncClient:
    return door.of("ines", "these-ines")


def published(**changes: Any) -> Document:
    """A table of Inès' project, on its snapshot, as the gateway signs them."""
    return signed(**{"policy": POLICY, "snapshot": 1, **changes})
