"""What would be sent to Trino: it is compiled and read by another parser, never run. A stand-in for the
driver shows what is bound, fetched and refused."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest
import sqlglot
from ibis.backends.sql.compilers import TrinoCompiler
from ibis.common.exceptions import OperationNotDefinedError

from hub_config.gateway.engines import trino as engine
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.pushdown import SAFE, parted
from hub_config.gateway.engines.trino import Trino, TrinoReading, compiled
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from hub_config.warehouse.engines import trino as operator
from hub_config.warehouse.engines.address import Address
from hub_config.warehouse.engines.description import Description, Stored
from hub_config.warehouse.engines.trino import connected
from hub_config.warehouse.problems import WarehouseProblem
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.conformance.elsewhere import elsewhere, hardened
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
        read = {table.name for table in parsed(compiled(part.rows)).find_all(sqlglot.exp.Table)}
        assert read and read <= set(bound)


DIAGNOSES = {"patient_no": "int64", "cisp2": "string"}
OBJECTING = temporary("objecting", {"patient_no": "int64"})
LEFT = stored("diagnoses", DIAGNOSES).anti_join(OBJECTING, "patient_no")


def test_numbers_of_people_are_not_sent():
    """The driver writes what is bound into the statement, and the cluster keeps statements."""
    (part,) = parted(LEFT, {}, replace(SAFE, places=False), "temp").fragments
    assert "objecting" in compiled(part.rows), "without the defence it is"
    (part,) = parted(LEFT, {}, Trino(ADDRESS, 1, WANTED).means, "temp").fragments
    assert "objecting" not in compiled(part.rows)
    with pytest.raises(Refusal):
        next(reading(Cursor([])).read(LEFT, {"objecting": pa.table({"patient_no": [314159]})}))


def test_what_names_them_is_worked_out_in_the_gateway(monkeypatch):
    """Asked of a DuckDB in Trino's place, which keeps what it was sent."""
    sent = []
    held = duckdb.connect()
    held.execute(
        "CREATE TABLE diagnoses AS SELECT i::BIGINT AS patient_no, 'K86' AS cisp2 FROM range(16) t(i)"
    )

    class Duck(Cursor):
        def execute(self, sql: str, parameters: Any = None) -> None:
            sent.append(sql)
            (read,) = sqlglot.transpile(sql, read="trino", write="duckdb")
            self.rows = [list(row) for row in held.execute(read).fetchall()]

    monkeypatch.setattr(engine, "connected", lambda *_: reading(Duck([])).connection)
    there = elsewhere(
        Trino(ADDRESS, 1, WANTED), {"diagnoses": ibis.schema(DIAGNOSES).to_pyarrow().empty_table()}
    )
    with closing(there.engine), there.session() as session:
        session.store("objecting", pa.table({"patient_no": [3, 14, 15]}))
        assert session.ask(LEFT.select("patient_no"))["patient_no"].to_pylist() == [
            n for n in range(16) if n not in (3, 14, 15)
        ]
        shown = temporary("diagnoses", DIAGNOSES).anti_join(OBJECTING, "patient_no")
        assert hardened(session, shown).num_rows == 13
    assert sent and not any("objecting" in sql or "14" in sql for sql in sent)


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

    def fetchall(self) -> list[list[object]]:
        return self.rows

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
    monkeypatch.setattr(engine, "connected", lambda *_: reading(Cursor([[15]])).connection)
    with pytest.raises(Refusal) as refusal:
        _ = Trino(ADDRESS, 1, WANTED).description
    assert refusal.value.code is ErrorCode.SNAPSHOT_CORRUPT
    monkeypatch.setattr(engine, "connected", lambda *_: reading(Cursor([[16]])).connection)
    assert Trino(ADDRESS, 1, WANTED).description is WANTED


def driver() -> ModuleType:
    made = ModuleType("trino")
    made.dbapi = SimpleNamespace(connect=lambda **given: given)
    made.auth = SimpleNamespace(BasicAuthentication=lambda user, password: (user, password))
    return made


def test_without_the_driver_whoever_starts_or_asks_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "trino", None)
    with pytest.raises(WarehouseProblem, match=r"pip install .* trino"):
        connected(ADDRESS, 1)
    with pytest.raises(Refusal) as refusal:
        Trino(ADDRESS, 1, WANTED).open()
    assert refusal.value.code is ErrorCode.WAREHOUSE_UNREACHABLE


def test_over_a_network_it_is_encrypted(monkeypatch):
    monkeypatch.setitem(sys.modules, "trino", driver())
    far = connected(Address("trino://trino.example/p4dp", "p4dp_gateway", "secret"), 7)
    assert (far["http_scheme"], far["port"], far["schema"], far["catalog"]) == (
        "https",
        8443,
        "snapshot_7",
        "p4dp",
    )
    assert far["auth"] == ("p4dp_gateway", "secret")
    assert connected(ADDRESS, 7)["http_scheme"] == "http"


# --- what an operator is told ------------------------------------------------------------------------------


COLUMNS = [["diagnoses", "patient_no", "bigint"], ["diagnoses", "cisp2", "varchar(8)"]]


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        (COLUMNS, 16, None),
        ([], 16, "lacks diagnoses"),
        (COLUMNS[:1], 16, r"diagnoses\.cisp2 \(varchar\)"),
        ([["diagnoses", "patient_no", "integer"], COLUMNS[1]], 16, r"diagnoses\.patient_no \(bigint\)"),
        (COLUMNS, 15, "other rows than the snapshot in diagnoses"),
    ],
)
def test_what_trino_has_is_compared_with_the_snapshot(monkeypatch, columns, rows, said):
    class Holding(Cursor):
        def execute(self, sql: str, parameters: Any = None) -> None:
            self.rows = columns if "information_schema" in sql else [[rows]]

    monkeypatch.setattr(operator, "connected", lambda *_: reading(Holding([])).connection)
    if said is None:
        operator.check(ADDRESS, 1, WANTED)
        return
    with pytest.raises(WarehouseProblem, match=f"snapshot_1 .*{said}"):
        operator.check(ADDRESS, 1, WANTED)


@pytest.mark.parametrize(
    ("name", "said"), [(None, "does not answer"), ("PERMISSION_DENIED", "let p4dp_gateway")]
)
def test_an_error_of_trinos_is_told_without_its_text(monkeypatch, name, said):
    error = type("TrinoError", (Exception,), {"error_name": name})("of the value 4711")
    monkeypatch.setattr(operator, "connected", lambda *_: reading(Cursor([], error)).connection)
    with pytest.raises(WarehouseProblem, match=said) as problem:
        operator.check(ADDRESS, 1, WANTED)
    assert problem.value.__cause__ is None and "4711" not in str(problem.value)
