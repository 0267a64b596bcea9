"""A new governance store by copy: the migrations run once a process, each test starts from what they left.

Imported by the conftest of whoever opens stores. What the migrations do is proved where they run each time,
in tests/services/governance/test_store.py and test_upgrading.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub_config.governance import store
from hub_config.governance.migrating import migrate


@pytest.fixture(scope="session", autouse=True)
def stores_by_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    whole = tmp_path_factory.mktemp("store") / "governance.db"

    def filled(engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            _copy(_migrated(whole), Path(engine.url.database or ""))
        migrate(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "migrate", filled)
        yield


@pytest.fixture
def stores_by_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an enclave."""
    monkeypatch.setattr(store, "migrate", migrate)


def _copy(whole: Path, empty: Path) -> None:
    if not empty.stat().st_size:
        empty.write_bytes(whole.read_bytes())


def _migrated(whole: Path) -> Path:
    if not whole.exists():
        migrate_new(f"sqlite:///{whole}.draft")
        Path(f"{whole}.draft").rename(whole)
    return whole


def migrate_new(url: str) -> None:
    engine = store.make_engine(url)
    migrate(engine)
    engine.dispose()  # the last connection leaves one whole file
