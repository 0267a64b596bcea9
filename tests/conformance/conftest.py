"""The hand-made warehouse, under the name `world`, and Spark."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from pyspark.sql.connect.session import SparkSession

from hub_config.warehouse.engines.spark import SparkPlace, close, connected
from tests.spark_cluster import Cluster


@pytest.fixture(scope="session")
def world() -> ModuleType:
    from tests.conformance import world

    return world


@pytest.fixture(scope="session")
def spark(cluster: Cluster) -> Iterator[SparkSession]:
    session = connected(SparkPlace(cluster.address, "", cluster.token))
    yield session
    close(session)
