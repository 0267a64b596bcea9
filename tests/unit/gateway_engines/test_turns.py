"""Rows of an engine elsewhere are shown as they come: a few at a time, no more than the reader takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest

from hub_config.gateway import execution
from hub_config.gateway.binding import _in_own_order
from hub_config.gateway.engine import Engine, EngineLimits, Session
from hub_config.gateway.engines import fetching
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.postgresql import compiled
from hub_config.gateway.engines.pushdown import SAFE, Meaning, parted
from hub_config.gateway.engines.turns import in_turns
from hub_config.gateway.pseudonyms import ProjectKey, install
from hub_config.gateway.stopping import Stop, Stopped, StopReason
from hub_config.warehouse.engines.description import Description, Stored
from p4dp_sdk.wire.errors import ErrorCode, Refusal

COLUMNS = {"patient_no": "int64", "code": "string", "value": "int64"}
PEOPLE = {"patient_no": "int64", "sex": "string"}
BATCH, BATCHES = 1_000, 200
MOST_AHEAD = 4  # batches that may stand in the gateway and have not been taken
FACTS, PATIENTS = temporary("facts", COLUMNS), temporary("patients", PEOPLE)


@dataclass
class Far:
    """An engine elsewhere that counts the batches it gave; one of them may be its last."""

    means: Meaning = SAFE
    given: int = 0
    ends_at: int | None = None
    open_readings: int = 0
    interrupted: bool = False
    description: Description = field(
        default_factory=lambda: Description(
            "",
            {
                "facts": Stored(
                    BATCH * BATCHES, {"patient_no": "BIGINT", "code": "VARCHAR", "value": "BIGINT"}
                ),
                "patients": Stored(3, {"patient_no": "BIGINT", "sex": "VARCHAR"}),
            },
        )
    )

    def open(self) -> FarReading:
        self.open_readings += 1
        return FarReading(self)

    def close(self) -> None: ...


@dataclass(eq=False)
class FarReading:
    far: Far

    def read(self, expression: ibis.Table, tables: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        tree = expression.op()
        plain = {n: ibis.table(n.schema, name=n.name).op() for n in tree.find(ops.UnboundTable)}
        sql = str(ibis.duckdb.compile((plain[tree] if tree in plain else tree.replace(plain)).to_expr()))
        with duckdb.connect() as connection:
            for name, table in tables.items():
                connection.register(name, table)
            connection.register("patients", pa.table({"patient_no": [0, 1, 2], "sex": ["F", "M", "F"]}))
            for number in range(BATCHES if '"facts"' in sql else 1):
                if number == self.far.ends_at:
                    raise Refusal(ErrorCode.WAREHOUSE_UNREACHABLE)
                connection.register("facts", facts(number))
                (batch,) = connection.execute(sql).to_arrow_table().combine_chunks().to_batches()
                self.far.given += 1
                yield batch

    def interrupt(self) -> None:
        self.far.interrupted = True

    def close(self) -> None:
        self.far.open_readings -= 1


def facts(number: int) -> pa.Table:
    first = number * BATCH
    return pa.table(
        {
            "patient_no": pa.array([n % 4 for n in range(first, first + BATCH)], pa.int64()),
            "code": ["t90" if n % 2 else "k86" for n in range(first, first + BATCH)],
            "value": pa.array(range(first, first + BATCH), pa.int64()),
        }
    )


@pytest.fixture
def far() -> Far:
    return Far()


@contextmanager
def asking(far: Far, stop: Stop | None = None, memory: int = 2**28) -> Iterator[Session]:
    engine = Engine(Path("nowhere"), EngineLimits(memory, 1), far)
    try:
        with engine.session(stop or Stop(60)) as session:
            session.bind("facts", "facts", lambda: stored("facts", COLUMNS))
            session.bind("patients", "patients", lambda: stored("patients", PEOPLE))
            yield session
    finally:
        engine.close()


def rows(session: Session, expression: ibis.Table) -> Iterator[pa.RecordBatch]:
    """As rows are shown."""
    return execution._streamed(session, expression)


UPPER = FACTS.mutate(code=FACTS.code.upper())
JOINED = UPPER.join(PATIENTS, "patient_no").filter(ibis._.sex == "F")


@pytest.fixture(autouse=True)
def a_turn_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches or so."""
    monkeypatch.setattr(fetching, "_IN_A_TURN", facts(0).nbytes + 1)


# --- how far ahead -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression", [FACTS, UPPER, JOINED], ids=["as it is", "worked out", "joined"])
@pytest.mark.parametrize("defended", [False, True], ids=["fetched-whole", "for-real"])
def test_no_more_is_read_than_is_taken(
    far: Far, monkeypatch: pytest.MonkeyPatch, expression: ibis.Table, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(fetching, "in_turns", lambda *_: None)
    ahead, taken = [], 0
    with asking(far) as session:
        for batch in rows(session, expression):
            ahead.append(far.given - taken // BATCH)
            taken += batch.num_rows * (1 if expression is not JOINED else 2)
    assert far.given >= BATCHES and taken >= BATCH * BATCHES * 0.9
    assert (max(ahead) <= MOST_AHEAD) is defended


def test_what_comes_is_what_there_is(far: Far) -> None:
    with asking(far) as session:
        found = pa.Table.from_batches(rows(session, JOINED))
        whole = session.fetch(execution.compiled(session, JOINED).sql)
    order = [(name, "ascending") for name in found.column_names]
    assert found.num_rows == BATCH * BATCHES // 2 and set(found["code"].to_pylist()) == {"K86"}
    assert found.sort_by(order).equals(whole.sort_by(order))


def test_much_more_than_the_memory_is_shown_and_what_needs_all_of_it_is_refused(far: Far) -> None:
    """All of 200 batches would be ten times the memory."""
    wide = FACTS.mutate(text=FACTS.code.repeat(200))
    sorted_ = wide.order_by(wide.text, wide.value.desc())
    with asking(far, memory=16 * 1024**2) as session:
        assert sum(batch.num_rows for batch in rows(session, wide)) == BATCH * BATCHES
    with asking(Far(), memory=16 * 1024**2) as session, pytest.raises(Refusal) as refused:
        list(rows(session, sorted_))
    assert refused.value.code is ErrorCode.OUT_OF_MEMORY


# --- ends --------------------------------------------------------------------------------------------------


def test_whoever_goes_away_ends_it(far: Far) -> None:
    with asking(far) as session:
        next(rows(session, UPPER))
        assert far.open_readings == 1
    assert far.open_readings == 0 and far.given <= MOST_AHEAD


def test_a_stop_half_way_reaches_the_engine(far: Far) -> None:
    stop = Stop(60)
    with asking(far, stop) as session:
        coming = rows(session, UPPER)
        next(coming)
        stop.trip(StopReason.CLIENT_GONE)
        with pytest.raises(Stopped):
            list(coming)
    assert far.interrupted and far.given <= MOST_AHEAD and far.open_readings == 0


@pytest.mark.parametrize("expression", [UPPER, JOINED], ids=["worked out", "joined"])
def test_what_fails_at_first_fails_before_anything_is_shown(far: Far, expression: ibis.Table) -> None:
    far.ends_at = 0
    with asking(far) as session, pytest.raises(Refusal) as refused:
        execution._started(rows(session, expression))
    assert refused.value.code is ErrorCode.WAREHOUSE_UNREACHABLE


def test_what_fails_later_ends_the_answer_short(far: Far) -> None:
    far.ends_at = 50
    with asking(far) as session:
        coming = execution._started(rows(session, UPPER))
        with pytest.raises(Refusal):
            list(coming)
    assert far.open_readings == 0


# --- what can come in turns --------------------------------------------------------------------------------

D, P = stored("facts", COLUMNS), stored("patients", PEOPLE)
U = D.mutate(code=D.code.upper())
WHOLE = {
    "an order": U.order_by("value"),
    "a limit": U.limit(10),
    "each once": U.select("code").distinct(),
    "a window": U.mutate(n=ibis.row_number().over(group_by=U.patient_no, order_by=U.value)),
    "compared with all": U.filter(U.value > U.value.mean()),
    "joined with itself": U.join(D.group_by("patient_no").agg(n=D.count()).view(), "patient_no").join(
        U.view().select("patient_no"), "patient_no"
    ),
    "all of both sides": U.outer_join(P.mutate(sex=P.sex.lower()), "patient_no"),
    "one after the other": U.union(U.mutate(value=U.value + 1)),
}
IN_OWN_ORDER = _in_own_order(D).select("patient_no", code=D.code.upper(), value="value")
IN_TURNS = {
    "in the project's order": IN_OWN_ORDER,
    "worked out": U,
    "chosen": U.filter(U.code.like("T%")),
    "joined": U.join(P.mutate(sex=P.sex.lower()), "patient_no"),
    "preserved": U.left_join(P.mutate(sex=P.sex.lower()), "patient_no"),
    "chosen by others": U.semi_join(P.filter(P.sex.lower() == "f"), "patient_no"),
}


@pytest.mark.parametrize("name", [*WHOLE, *IN_TURNS])
def test_what_looks_at_several_rows_at_once_does_not_come_in_turns(name: str) -> None:
    made = parted({**WHOLE, **IN_TURNS}[name], {}, SAFE, "temp")
    assert (in_turns(made, SAFE) is not None) is (name in IN_TURNS)


def test_a_projects_order_is_the_engines_to_give() -> None:
    """Where it can; else all rows are fetched, to be put in order here."""
    own = parted(IN_OWN_ORDER.filter(ibis._.code.like("T%")), {}, SAFE, "temp")
    turns = in_turns(own, SAFE)
    assert turns is not None and turns.placed and not turns.rest.op().find(ops.Sort)
    sql = compiled(turns.rows, "snapshot_1")
    assert "ORDER BY" in sql and "MD5(" in sql and "pg_temp.p4dp_places" in sql.replace('"', "")
    assert in_turns(own, replace(SAFE, places=False)) is None
    (chosen,) = parted(IN_OWN_ORDER.filter(ibis._.value == 4711), {}, SAFE, "temp").fragments
    assert "4711" in compiled(chosen.rows, "snapshot_1"), "a condition passes the order"
    assert in_turns(parted(IN_OWN_ORDER.order_by("value"), {}, SAFE, "temp"), SAFE) is None


def test_rows_come_in_the_projects_order(far: Far) -> None:
    """Which is another in another project, and tells nothing of the order in storage."""
    orders = []
    for project in ("one", "other", "third"):
        with asking(Far()) as session:
            install(session, ProjectKey.derive(b"master", project))
            session.bind("people", "people", lambda: _in_own_order(stored("patients", PEOPLE)))
            people = temporary("people", PEOPLE)
            found = pa.Table.from_batches(rows(session, people.mutate(sex=people.sex.lower())))
            orders.append(found["patient_no"].to_pylist())
            again = pa.Table.from_batches(rows(session, people.mutate(sex=people.sex.lower())))
            assert again["patient_no"].to_pylist() == orders[-1]
    assert [sorted(order) for order in orders] == [[0, 1, 2]] * 3 and len(set(map(tuple, orders))) > 1
