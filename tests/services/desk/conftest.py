"""The desk's pages on a site of their own, on SQLite; the actions are tested on PostgreSQL too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from hub_config import desk
from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from hub_config.web.site import Site, create_site


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def app(settings: Settings, store: Store, tmp_path: Path) -> FastAPI:
    site = Site(
        name="register",
        title="Registre",
        settings=settings,
        templates=tmp_path,
        menu=desk.MENU,
        uploads=desk.UPLOADS,
        guests=(desk.GUEST,),
    )
    return create_site(site, routers=desk.routers(), state=desk.state(settings, store))
