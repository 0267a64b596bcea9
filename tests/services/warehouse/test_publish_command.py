"""`warehouse publish` as an operator types it, of loaded data, on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_config.warehouse.engines.address import Address
from tests.postgresql_server import READER, execute, fetched, running
from tests.services.warehouse.loaded import Home, loaded

PUBLISHER = "p4dp_publisher"
SECRET = "s3cr3t-of-the-publisher"


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with running() as address:
        execute(
            address,
            f"CREATE ROLE {PUBLISHER} LOGIN",
            f"GRANT CREATE, CONNECT ON DATABASE postgres TO {PUBLISHER}",
        )
        yield address


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return loaded(tmp_path_factory.mktemp("operator"))


def test_loaded_data_are_published_once_read_by_the_gateways_role_and_removed(
    home: Home, server: Address
) -> None:
    home.engine("postgresql", server.url)
    for said in ("rows published", "published before"):
        done = home.command("warehouse", "publish", "1")
        assert done.returncode == 0 and said in done.stdout, done.stdout + done.stderr
    reader = Address(server.url, READER)
    for table in ("patients", "diagnoses", "lab_results"):
        assert fetched(reader, f"SELECT count(*) FROM snapshot_1.{table}") == [(home.rows[table],)]
    done = home.command("warehouse", "unpublish", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert fetched(server, "SELECT to_regnamespace('snapshot_1') IS NULL") == [(True,)]


@pytest.mark.parametrize(
    ("engine", "address", "number", "said"),
    [
        ("postgresql", "postgresql://127.0.0.1:1/postgres", "1", "can't be reached"),
        ("postgresql", "", "1", "address"),
        ("postgresql", "trino://127.0.0.1:1/p4dp", "1", "postgresql://host:5432/database"),
        ("trino", "trino://127.0.0.1:1", "1", "trino://host:8443/catalog"),
        ("trino", "trino://127.0.0.1:1/p4dp", "1", "pip install"),
    ],
)
def test_what_cannot_be_published_is_refused_without_a_secret_or_a_trace(
    home: Home, engine: str, address: str, number: str, said: str
) -> None:
    home.engine(engine, address)
    done = home.command("warehouse", "publish", number, P4DP_WAREHOUSE_PUBLISHER_PASSWORD=SECRET)
    told = done.stdout + done.stderr
    assert done.returncode == 2 and said in told, told
    assert SECRET not in told and "Traceback" not in told
