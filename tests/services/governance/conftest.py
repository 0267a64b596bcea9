"""The governance store on both databases: a test that asks for `store` runs on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import build_snapshot
from tests.postgresql_server import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an enclave of its own, on each database in turn."""
    if request.param == "sqlite":
        yield Settings(home=tmp_path / "home")
        return
    new = "stores_by_migrations" in request.fixturenames
    like = "template1" if new else request.getfixturevalue("migrated")
    with fresh_database(request.getfixturevalue("postgres"), like=like) as url:
        yield Settings(home=tmp_path / "home", database_url=url)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def make_snapshot() -> Callable[..., int]:
    """Makes a tiny snapshot in an enclave's warehouse; its number."""

    def make(settings: Settings, *, synthetic: bool) -> int:
        source = "test" if synthetic else "mapping vendor"
        with build_snapshot(
            settings.warehouse_dir, source=source, synthetic=synthetic, public=False
        ) as building:
            building.connection.execute("INSERT INTO centres (centre_id) VALUES ('C01'), ('C02')")
            building.connection.execute("INSERT INTO physicians (physician_no) VALUES (1), (2)")
            building.connection.execute("INSERT INTO patients (patient_no) VALUES (1), (2), (30)")
            return building.finish(date(2022, 12, 31), date(2000, 1, 1), date(2022, 12, 31)).number

    return make
