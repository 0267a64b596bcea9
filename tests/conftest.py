"""What holds for every test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from tests.spark_cluster import Cluster

USUAL = 0o022
STARTS = re.compile(r"tests/(journeys/|services/(hub|spawner)/|attacks/test_(report|sandbox)_)")

SPARK = re.compile(r"tests/\w+/(\w+/)*test_\w*spark\w*\.py")

NOTHING_IMPORTED = providers._local_constants
_PATIENT = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", _PATIENT, derandomize=True)
settings.register_profile("explore", _PATIENT, derandomize=False)


def pytest_configure(config: pytest.Config) -> None:
    """Each run tries the same examples, on any machine, however busy, whatever else the process imported.
    To look for new ones: `pytest --hypothesis-profile=explore`."""
    if config.getoption("--hypothesis-profile", None) is None:
        settings.load_profile("same")
        # Else hypothesis draws from the constants of whatever is imported by then.
        providers._get_local_constants = lambda: NOTHING_IMPORTED


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Several files may run at once, never parts of one: what a file starts, it starts once. What starts an
    enclave or a workspace runs apart from its like: some look for their processes on the whole machine. What
    stands on Spark shares one.

    A scheduler rather than marks: xdist 3.8 writes the groups of marks where pytest 9.2 does not read them,
    and then deals out the tests of a file one by one.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def group(file: str) -> str:
    if STARTS.match(file):
        return "enclaves"
    return "spark" if SPARK.match(file) else file


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Spark of this machine. What asks for it stands in a file named after Spark: those run together, and
    start it once."""
    from tests.spark_cluster import running

    with running() as found:
        yield found


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a PostgreSQL server of this process, for databases of a test's own."""
    from tests.postgresql_server import server

    with server() as uri:
        yield uri


@pytest.fixture(scope="session")
def migrated(postgres: str) -> Iterator[str]:
    """The name of a database there that the migrations made: what a store of a test's own is copied from."""
    from sqlalchemy import make_url

    from tests.fresh_stores import migrate_new
    from tests.postgresql_server import fresh_database

    with fresh_database(postgres) as url:
        migrate_new(url)
        yield str(make_url(url).database)


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """`up` closes new files to everybody else, for its whole process; the next test must not inherit that."""
    os.umask(USUAL)
    yield
    os.umask(USUAL)
