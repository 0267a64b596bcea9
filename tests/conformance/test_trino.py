"""What would be sent to Trino: it is compiled and read by another parser, never run. A stand-in for the
driver shows what is bound, fetched and refused."""

from __future__ import annotations

import datetime
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import ibis
import pyarrow as pa
import pytest
import sqlglot
from ibis.backends.sql.compilers import TrinoCompiler
from ibis.common.exceptions import OperationNotDefinedError

from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.pushdown import parted
from hub_config.gateway.engines.trino import Trino, TrinoReading, compiled, connect
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import Description, Stored
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.conformance.expressions import CASES

EXACT = "Ibis has no exact quantiles for Trino, which has none: the gateway works them out"
NOT_THERE = dict.fromkeys(
    ("quantiles", "quartiles of whole numbers", "median of a per-patient feature"), EXACT
)
ADDRESS = Address("trino://localhost:8080/p4dp", "p4dp_gateway")
WANTED = Description("0" * 64, {"diagnoses": Stored(16, {"patient_no": "BIGINT", "cisp2": "VARCHAR"})})


def _marked(case):
    why = NOT_THERE.get(case.name)
    marks = [pytest.mark.xfail(raises=OperationNotDefinedError, reason=why)] if why else []
    return pytest.param(case, id=case.name, marks=marks)


every_case = pytest.mark.parametrize("case", [_marked(case) for case in CASES])


def parsed(sql: str) -> sqlglot.Expression:
    return sqlglot.parse_one(sql, read="trino", error_level=sqlglot.ErrorLevel.RAISE)


def tables(world) -> SimpleNamespace:
    found = {name: ibis.Schema.from_pyarrow(table.schema) for name, table in world.repeated(1).items()}
    return SimpleNamespace(table=lambda name: temporary(name, dict(found[name].items())), schemas=found)


@every_case
def test_the_whole_question_is_sql_of_trino(case, world):
    plan = split(world.ask(case.ask(world.tables()), tables(world), access=AccessLevel.MICRODATA))
    tree = parsed(TrinoCompiler().to_sqlglot(plan.expression).sql("trino"))
    assert isinstance(tree, sqlglot.exp.Query)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_gateway_would_send_is_sql_of_trino(case, world):
    ours = tables(world)
    bound = {name: stored(name, dict(schema.items())) for name, schema in ours.schemas.items()}
    plan = split(world.ask(case.ask(world.tables()), ours, access=AccessLevel.MICRODATA))
    parts = parted(plan.expression, bound, Trino(ADDRESS, 1, WANTED).means, "session_0").fragments
    assert parts
    for part in parts:
        sql, given = compiled(part.rows, {})
        read = {table.name for table in parsed(sql).find_all(sqlglot.exp.Table)}
        assert given == [] and read & set(bound)


def test_numbers_of_people_are_bound_and_stand_in_no_sql():
    rows = stored("diagnoses", {"patient_no": "int64", "cisp2": "string"})
    objecting = temporary("objecting", {"patient_no": "int64", "until": "date"})
    numbers = pa.table({"patient_no": [314159, 271828], "until": [datetime.date(2020, 2, 29), None]})
    sql, given = compiled(rows.anti_join(objecting, "patient_no"), {"objecting": numbers})
    assert given == [314159, datetime.date(2020, 2, 29), 271828, None]
    assert "314159" not in sql and sql.count("?") == 4
    assert "CAST(? AS BIGINT), CAST(? AS DATE)" in sql
    assert parsed(sql.replace("?", "NULL")).ctes[0].alias == "objecting"
    nobody, given = compiled(rows.anti_join(objecting, "patient_no"), {"objecting": numbers.slice(0, 0)})
    assert "WHERE FALSE" in nobody and given == [None, None]


# --- the driver's stand-in ---------------------------------------------------------------------------------


class Cursor:
    def __init__(self, rows: list[list[object]], error: Exception | None = None) -> None:
        self.rows, self.error, self.cancelled = rows, error, False

    def execute(self, sql: str, parameters: Any = None) -> None:
        if self.error:
            raise self.error

    def fetchmany(self, most: int) -> list[list[object]]:
        taken, self.rows = self.rows[:most], self.rows[most:]
        return taken

    def fetchone(self) -> list[object]:
        return self.rows[0]

    def cancel(self) -> None:
        self.cancelled = True


def reading(cursor: Cursor) -> TrinoReading:
    return TrinoReading(SimpleNamespace(cursor=lambda: cursor, close=lambda: None))


def diagnoses() -> ibis.Table:
    return stored("diagnoses", {"patient_no": "int64", "cisp2": "string"})


def test_rows_come_in_batches_of_the_types_that_were_promised():
    got = pa.Table.from_batches(reading(Cursor([[1, "K86"], [2, None]])).read(diagnoses(), {}))
    assert got.schema.types == [pa.int64(), pa.string()]
    assert got.to_pylist() == [{"patient_no": 1, "cisp2": "K86"}, {"patient_no": 2, "cisp2": None}]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SCHEMA_NOT_FOUND", ErrorCode.SNAPSHOT_MISSING),
        ("EXCEEDED_TIME_LIMIT", ErrorCode.TIMED_OUT),
        ("DIVISION_BY_ZERO", ErrorCode.ENGINE_FAILED),
        (None, ErrorCode.WAREHOUSE_UNREACHABLE),
    ],
)
def test_errors_are_refusals_without_their_text(name, code):
    error = type("TrinoError", (Exception,), {"error_name": name})("of the value 4711")
    with pytest.raises(Refusal) as refusal:
        list(reading(Cursor([], error)).read(diagnoses(), {}))
    assert refusal.value.code is code
    assert refusal.value.__cause__ is None and "4711" not in str(refusal.value)


def test_a_running_query_is_cancelled():
    cursor = Cursor([[1, "K86"]])
    one = reading(cursor)
    next(one.read(diagnoses(), {}))
    one.interrupt()
    assert cursor.cancelled


def test_a_table_of_other_rows_is_refused(monkeypatch):
    monkeypatch.setattr(
        "hub_config.gateway.engines.trino.connect", lambda *_: reading(Cursor([[15]])).connection
    )
    with pytest.raises(Refusal) as refusal:
        _ = Trino(ADDRESS, 1, WANTED).description
    assert refusal.value.code is ErrorCode.SNAPSHOT_CORRUPT
    monkeypatch.setattr(
        "hub_config.gateway.engines.trino.connect", lambda *_: reading(Cursor([[16]])).connection
    )
    assert Trino(ADDRESS, 1, WANTED).description is WANTED


def test_over_a_network_it_is_encrypted_and_without_the_driver_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "trino", None)
    with pytest.raises(Refusal) as refusal:
        connect(ADDRESS, 1)
    assert refusal.value.code is ErrorCode.WAREHOUSE_UNREACHABLE
    driver = ModuleType("trino")
    driver.dbapi = SimpleNamespace(connect=lambda **given: given)
    driver.auth = SimpleNamespace(BasicAuthentication=lambda user, password: (user, password))
    monkeypatch.setitem(sys.modules, "trino", driver)
    far = connect(Address("trino://trino.example/p4dp", "p4dp_gateway", "secret"), 7)
    assert (far["http_scheme"], far["port"], far["schema"], far["catalog"]) == (
        "https",
        8443,
        "snapshot_7",
        "p4dp",
    )
    assert far["auth"] == ("p4dp_gateway", "secret")
    assert connect(ADDRESS, 7)["http_scheme"] == "http"
