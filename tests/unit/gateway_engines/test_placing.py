"""Rows in a project's order, from the snapshot's own file: some at a time where they are many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest

from hub_config.gateway import binding, execution
from hub_config.gateway.engine import Engine, EngineLimits, Session
from hub_config.gateway.engines import in_place
from hub_config.gateway.engines.in_place import InPlace
from hub_config.gateway.engines.placing import IN_ORDER, IN_TURN, PLACE, PLACED, placed
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.pseudonyms import ProjectKey, install, take_turn
from hub_config.gateway.rules.plan import PATIENT
from hub_config.gateway.stopping import Stop
from p4dp_sdk.catalogue.model import Column, Role
from p4dp_sdk.wire.errors import ErrorCode, Refusal

FACTS = {"patient_no": "int64", "code": "string", "value": "int64", PATIENT: "int64"}
PEOPLE = {"patient_no": "int64", "sex": "string", PATIENT: "int64"}
STORED = {"facts": FACTS, "people": PEOPLE}
PATIENTS, EACH = 300, 7
F = temporary("facts" + IN_ORDER, FACTS).select("patient_no", "code", "value")
P = temporary("people" + IN_ORDER, PEOPLE).select("patient_no", "sex")
CODES = temporary("codes", {"code": "string"})

TURNS = {
    "as they are": F,
    "worked out": F.select("value", code=F.code.upper()),
    "chosen": F.filter(F.value > 3),
    "chosen by what can fail": F.filter(F.code.like("t%")),
    "chosen by others": F.filter(F.patient_no.isin(P.filter(P.sex == "F").patient_no)),
    "compared with all": P.filter(P.patient_no > F.value.mean()),
    "joined": F.join(P, "patient_no"),
    "preserved": P.left_join(F.group_by("patient_no").agg(n=F.count()), "patient_no").select("sex", "n"),
    "without others": P.anti_join(F.filter(F.value == 1), "patient_no"),
    "fewer columns": F.drop("code"),
    "of known values": F.drop_null("code"),
    "filled": F.fill_null({"code": "-"}),
}
WHOLE = {
    "once each": F.select("code").distinct(),
    "summed up": F.group_by("patient_no").agg(n=F.count(), most=F.value.max()),
    "added": F.agg(n=F.count()),
    "the first": F.limit(10, offset=3),
    "ordered": F.order_by(F.value.desc()),
    "the highest": F.order_by(F.value.desc()).limit(5),
    "joined and ordered": F.join(P, "patient_no").order_by("value", ibis.desc("sex")),
    "joined, the highest": F.join(P, "patient_no").order_by(ibis.desc("value")).limit(5),
}
AS_BEFORE = {
    "numbered": F.mutate(n=ibis.row_number()),
    "one of each": F.group_by("code").agg(value=F.value.first()),
    "listed": F.group_by("code").agg(value=F.value.collect()),
    "joined with some": F.join(P.limit(5), "patient_no"),
    "joined with itself": F.join(F.view(), "patient_no").select("patient_no"),
    "both sides": F.outer_join(P, "patient_no").select("sex"),
    "one after the other": F.union(F),
    "of nobody": CODES.left_join(F, "code").select("code", "value"),
    "filled whatever it is": P.select("sex").fill_null("-"),
    "different rows": F.agg(n=F.nunique()),
    "called as a place": F.mutate(__place=1),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot(tmp_path_factory.mktemp("snapshot"), PATIENTS)


def snapshot(directory: Path, patients: int) -> Path:
    path = directory / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE facts AS SELECT (i // $each)::BIGINT AS patient_no,"
            " CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 'k86' ELSE 't90' END AS code, (i % 11)::BIGINT AS value"
            " FROM range($all) AS _(i)",
            {"each": EACH, "all": patients * EACH},
        )
        connection.execute(
            "CREATE TABLE people AS SELECT i AS patient_no, CASE i % 3 WHEN 0 THEN 'F' ELSE 'M' END AS sex"
            " FROM range(?) AS _(i)",
            [patients],
        )
    return path


@contextmanager
def asking(database: Path, project: str = "one", memory: int = 2**28) -> Iterator[Session]:
    with closing(Engine(database, EngineLimits(memory, 2))) as engine, engine.session(Stop(60)) as session:
        install(session, ProjectKey.derive(b"master", project))
        for name, columns in STORED.items():
            bind(session, name, {c: t for c, t in columns.items() if c != PATIENT})
        yield session


def bind(session: Session, name: str, columns: Mapping[str, str]) -> None:
    full = SimpleNamespace(name=name, columns=[Column(c, t, Role.RAW, "", "") for c, t in columns.items()])
    plain = stored(name, columns)
    numbered = binding._numbered(full)
    made = {"": plain, IN_ORDER: binding._in_own_order(plain), PLACED: binding._placed(numbered)}
    for suffix, rows in {**made, IN_TURN: binding._in_turn(numbered)}.items():
        place = {PLACE: rows[PLACE]} if PLACE in rows.columns else {}
        shown = rows.select(*columns, **{PATIENT: rows["patient_no"]}, **place)
        session.bind(name + suffix, name, lambda shown=shown: shown)


def shown(session: Session, asked: ibis.Table) -> pa.Table:
    schema = asked.schema().to_pyarrow()
    batches = [pa.record_batch(b.columns, schema.names) for b in execution._streamed(session, asked)]
    return pa.Table.from_batches(batches) if batches else schema.empty_table()


@pytest.mark.parametrize("name", [*TURNS, *WHOLE, *AS_BEFORE])
def test_what_is_placed_and_what_comes_in_turns(name: str) -> None:
    made = placed({**TURNS, **WHOLE, **AS_BEFORE}[name])
    assert (made is not None) is (name not in AS_BEFORE)
    assert made is None or made.in_turns is (name in TURNS)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The turns that were taken."""
    turns: list[int] = []

    def take(session: Session, turn: int, of: int) -> None:
        turns.append(turn)
        take_turn(session, turn, of)

    monkeypatch.setattr(in_place, "take_turn", take)
    return turns


def same_rows(one: pa.Table, other: pa.Table) -> bool:
    order = [(column, "ascending") for column in one.column_names]
    return one.sort_by(order).equals(other.sort_by(order))


@pytest.mark.parametrize("name", [*TURNS, *WHOLE])
def test_rows_are_the_same_in_one_order_however_many_come_at_a_time(
    database: Path, taken: list[int], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {**TURNS, **WHOLE}[name]
    with asking(database) as session:
        whole = shown(session, asked)
        assert not taken and shown(session, asked).equals(whole)
    with asking(database) as session:
        in_turns = shown(replace(session, beneath=InPlace(sorting_bytes=4096)), asked)
    assert bool(taken) is (name in TURNS)
    assert in_turns.equals(whole) and whole.num_rows
    with asking(database) as session, monkeypatch.context() as before:
        before.setattr(in_place, "placed", lambda _: None)
        as_ever = shown(session, asked)
    assert same_rows(as_ever, whole) or name == "the first", "which are not the first of both"


def test_another_project_has_another_order(database: Path) -> None:
    found = []
    for project in ("one", "other"):
        with asking(database, project) as session:
            found.append(shown(session, P)["patient_no"].to_pylist())
    one, other = found
    assert sorted(one) == sorted(other) == list(range(PATIENTS))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < PATIENTS * 0.05


MANY, LITTLE = 60_000, 24 * 1024**2


@pytest.mark.parametrize("defended", [False, True], ids=["sorted-whole", "for-real"])
def test_more_rows_than_the_memory_are_shown_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(in_place, "placed", lambda _: None)
    with asking(snapshot(tmp_path, MANY), memory=LITTLE) as session:
        rows = execution._streamed(session, F)
        if not defended:
            with pytest.raises(Refusal) as refused:
                list(rows)
            assert refused.value.code is ErrorCode.OUT_OF_MEMORY
            return
        found = np.concatenate([batch.column(0).to_numpy() for batch in rows])
    assert len(found) == MANY * EACH
    assert np.count_nonzero(np.diff(found)) == MANY - 1, "a patient's rows stand together"
