"""An engine elsewhere that is a DuckDB, and what the gateway keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Engine, EngineLimits, Session
from hub_config.gateway.engines.kept_rows import KeptRows
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.pushdown import SAFE, Meaning
from hub_config.gateway.stopping import Stop
from hub_config.warehouse.engines.description import Description, Stored
from p4dp_sdk.wire.errors import ErrorCode, Refusal

COLUMNS = {"patient_no": "int64", "code": "string", "centre": "string", "value": "int64"}
ROWS = pa.table(
    {
        "patient_no": pa.array(range(1_000), pa.int64()),
        "code": [("T90", "K86")[i % 2] for i in range(1_000)],
        "centre": [f"C{i % 5}" for i in range(1_000)],
        "value": pa.array(range(1_000), pa.int64()),
    }
)


TYPES = dict.fromkeys(COLUMNS, "BIGINT") | {"code": "VARCHAR", "centre": "VARCHAR"}
DESCRIBED = Description("", {"facts": Stored(1_000, TYPES)})


@dataclass
class Far:
    """An engine elsewhere, which is a DuckDB that counts what is read of it."""

    means: Meaning = SAFE
    reads: list[str] = field(default_factory=list)
    out_of_memory: bool = False
    is_another: bool = False  # whether somebody put another copy there
    sent: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda batch: batch
    rows_at_once: int = 1_000

    @property
    def description(self) -> Description:
        if self.is_another:
            raise Refusal(ErrorCode.SNAPSHOT_CORRUPT)
        return DESCRIBED

    def open(self) -> FarReading:
        return FarReading(self)

    def close(self) -> None: ...


@dataclass(eq=False)
class FarReading:
    far: Far

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        if self.far.out_of_memory:
            raise Refusal(ErrorCode.OUT_OF_MEMORY)
        tree = expression.op()
        plain = {n: ibis.table(n.schema, name=n.name).op() for n in tree.find(ops.UnboundTable)}
        sql = str(ibis.duckdb.compile(tree.replace(plain).to_expr()))
        self.far.reads.append(sql)
        with duckdb.connect() as connection:
            connection.register("facts", ROWS)
            for name, table in tables.items():
                connection.register(name, table)
            yield from map(self.far.sent, connection.execute(sql).to_arrow_reader(self.far.rows_at_once))

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class World:
    far: Far
    engine: Engine
    clock: list[float]

    @property
    def rows(self) -> KeptRows:
        return self.engine._rows

    @contextmanager
    def session(
        self, objecting: tuple[int, ...] = (), centre: str | None = None, stop: Stop | None = None
    ) -> Iterator[Session]:
        """Of a grant to one centre or all."""
        with self.engine.session(stop or Stop(60)) as session:
            session.store("objecting", pa.table({"patient_no": pa.array(objecting, pa.int64())}))
            session.bind("facts", (objecting != (), centre), lambda: _granted(centre))
            yield session

    def total(
        self, *columns: str, objecting: tuple[int, ...] = (), centre: str | None = None
    ) -> dict[str, int]:
        with self.session(objecting, centre) as session:
            facts = temporary("facts", COLUMNS)
            return asked(session, facts.agg(**{name: facts[name].nunique() for name in columns}))

    def databases(self) -> int:
        found = self.engine._connection.cursor().execute(
            "SELECT count(*) FROM duckdb_databases() WHERE database_name LIKE 'kept%'"
        )
        return int(found.fetchall()[0][0])


def _granted(centre: str | None) -> ibis.Table:
    rows = stored("facts", COLUMNS)
    rows = rows.anti_join(temporary("objecting", {"patient_no": "int64"}), "patient_no")
    return rows if centre is None else rows.filter(rows.centre == centre)


def asked(session: Session, expression: ibis.Table) -> dict[str, int]:
    statement = compile_hardened(session.staged(expression), session.aggregates)
    (row,) = session.fetch(statement.sql).to_pylist()
    return row


@contextmanager
def running() -> Iterator[World]:
    far, clock = Far(), [0.0]
    engine = Engine(Path("nowhere"), EngineLimits(256 * 1024**2, 2), far)
    engine._rows.clock = lambda: clock[0]
    yield World(far, engine, clock)
    engine.close()
