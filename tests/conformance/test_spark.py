"""Spark gives what pandas gives, cell by cell, when it is asked as an analyst writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import ibis
import pyarrow.parquet as pq
import pytest
from ibis.common.exceptions import OperationNotDefinedError, UnsupportedOperationError
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql.connect.session import SparkSession

from hub_config.gateway.rules.plan import RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.engines.spark import SparkPlace, close, connected
from tests.conformance.expressions import CASES
from tests.conformance.same import rows_of
from tests.spark_cluster import Cluster

NOT_THERE = {
    "weight known at diagnosis, by as-of join": "Ibis has no as-of join for Spark",
    "ISO weeks over New Year": "Ibis has no ISO year for Spark",
}


def _marked(case):
    why = NOT_THERE.get(case.name)
    marks = (
        [pytest.mark.xfail(raises=(UnsupportedOperationError, OperationNotDefinedError), reason=why)]
        if why
        else []
    )
    return pytest.param(case, id=case.name, marks=marks)


every_case = pytest.mark.parametrize("case", [_marked(case) for case in CASES])
brings_tables = pytest.mark.filterwarnings("ignore:'verifySchema' is ignored:UserWarning")


@pytest.fixture(scope="module")
def stored(world, spark: SparkSession, tmp_path_factory) -> Iterator[ibis.BaseBackend]:
    """The hand-made warehouse as Parquet files, which the workers read."""
    directory: Path = tmp_path_factory.mktemp("tables")
    for name, table in world.repeated(1).items():
        file = directory / f"{name}.parquet"
        pq.write_table(table, file)
        spark.read.parquet(str(file)).createOrReplaceTempView(name)
    yield ibis.pyspark.connect(spark)
    for name in world.TABLES:
        spark.catalog.dropTempView(name)


@pytest.fixture(scope="module")
def tables(world, stored) -> SimpleNamespace:
    """Looked up once: each look is a question to the cluster."""
    found = {name: stored.table(name) for name in world.TABLES}
    return SimpleNamespace(table=found.__getitem__)


@pytest.mark.parametrize("token", ["guessed", ""])
def test_who_has_not_the_token_is_refused(cluster: Cluster, token: str) -> None:
    stranger = connected(SparkPlace(cluster.address, "", token))
    with pytest.raises(SparkConnectGrpcException, match="UNAUTHENTICATED"):
        stranger.range(1).count()
    close(stranger)


@brings_tables
@every_case
def test_spark_gives_what_pandas_gives(case, world, stored, tables) -> None:
    plan = split(world.ask(case.ask(world.tables()), tables, access=AccessLevel.MICRODATA))
    assert isinstance(plan, RowsPlan)
    expected = case.reference(world.frames())
    got = stored.to_pyarrow(plan.expression)
    assert rows_of(got, list(expected.columns)) == rows_of(expected, list(expected.columns))
