"""What analysts write means the same hardened: the conformance suite's expressions, against plain Ibis."""

from __future__ import annotations

from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.rules.plan import ReleasePlan, RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import Refusal
from tests.conformance import world
from tests.conformance.expressions import CASES
from tests.services.gateway.test_oracles import AGGREGATES, ordered


def hardened(expression: ibis.Table, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    statement = compile_hardened(expression, AGGREGATES)
    for name, table in statement.tables.items():
        connection.register(name, table)
    return connection.execute(statement.sql).to_arrow_table().cast(statement.schema)


def same(one: pa.Table, other: pa.Table) -> bool:
    return one.schema == other.schema and ordered(one.to_pylist()) == ordered(other.to_pylist())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_and_open_aggregates_are_the_same(case: Any) -> None:
    engine = world.engine()
    plan = split(world.ask(case.ask(world.tables()), engine, access=AccessLevel.MICRODATA))
    assert isinstance(plan, RowsPlan)
    assert same(hardened(plan.expression, engine.con), engine.to_pyarrow(plan.expression))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_releases_and_what_follows_them_are_the_same(case: Any) -> None:
    engine = world.engine(4)
    try:
        plan = split(world.ask(case.ask(world.tables()), engine))
    except Refusal:
        return
    assert isinstance(plan, ReleasePlan)
    above = ibis.duckdb.connect()
    for public in plan.publics:
        above.create_table(public.name, engine.to_pyarrow(public.expression))
    for release in plan.releases:
        assert same(hardened(release.rows, engine.con), engine.to_pyarrow(release.rows))
        frame = world.protected(release, world.session(engine), world.STRICT).frame
        above.create_table(release.name, frame)
    assert same(hardened(plan.post, above.con), above.to_pyarrow(plan.post))
