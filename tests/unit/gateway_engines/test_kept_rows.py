"""Rows of an engine elsewhere are fetched once for several questions, and never for one that they are not
the answer to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import ibis
import pyarrow as pa
import pytest

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import explained
from hub_config.gateway.engines.kept_rows import KeptRows, Wanted
from hub_config.gateway.engines.port import WAREHOUSE, stored, temporary
from hub_config.gateway.stopping import Stop, StopReason
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.unit.gateway_engines.far import COLUMNS, FarReading, World, asked, running


@pytest.fixture
def world() -> Iterator[World]:
    with running() as found:
        yield found


# --- what is spared ----------------------------------------------------------------------------------------


def test_the_same_columns_are_fetched_once(world: World) -> None:
    assert world.total("patient_no", "code") == {"patient_no": 1_000, "code": 2}
    assert world.total("code", "patient_no") == {"patient_no": 1_000, "code": 2}
    assert world.total("code") == {"code": 2}, "one of them is enough"
    assert len(world.far.reads) == 1


def test_a_question_at_once_reads_what_another_has(world: World) -> None:
    world.total("patient_no", "code")
    with world.session() as session:
        facts = temporary("facts", COLUMNS)
        mine = session.staged(facts.agg(n=facts.code.nunique()))
        assert world.total("code") == {"code": 2}
        world.rows.forget()
        assert world.databases() == 1, "what is lent stays"
        statement = compile_hardened(mine, session.aggregates)
        assert session.fetch(statement.sql).to_pylist() == [{"n": 2}]
    assert world.databases() == 0


@pytest.mark.parametrize("room", [2**30, 400_000, 0])
def test_many_at_once(world: World, room: int) -> None:
    """Also while rows of others are compressed and forgotten."""
    world.rows.most_bytes = room

    def ask(number: int) -> dict[str, int]:
        return world.total(*(("code", "centre"), ("value",), ("centre",))[number % 3])

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(ask, range(60)))
    assert [found[0], found[1], found[2]] * 20 == found
    assert found[:3] == [{"code": 2, "centre": 5}, {"value": 1_000}, {"centre": 5}]
    assert all(not kept.readers for kept in world.rows._kept)


# --- what is not the same ----------------------------------------------------------------------------------


def test_an_objection_counts_at_once(world: World) -> None:
    assert world.total("patient_no") == {"patient_no": 1_000}
    assert world.total("patient_no", objecting=(7, 8)) == {"patient_no": 998}
    assert world.databases() == 1, "nobody keeps the rows of who objected since"
    assert world.total("patient_no") == {"patient_no": 1_000}, "a lifted one, too"


def test_an_objection_shows_late_where_keys_leave_it_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack: what was kept before is taken for what holds after."""
    of = Wanted.of
    monkeypatch.setattr(Wanted, "of", lambda rows, columns, _: of(rows, columns, {}))
    assert world.total("patient_no", objecting=(1,)) == {"patient_no": 999}
    assert world.total("patient_no", objecting=(7, 8)) == {"patient_no": 999}


def test_a_grant_reads_its_own_rows(world: World) -> None:
    assert world.total("patient_no", "centre") == {"patient_no": 1_000, "centre": 5}
    assert world.total("patient_no", "centre", centre="C1") == {"patient_no": 200, "centre": 1}
    assert world.total("patient_no", "centre", centre="C2") == {"patient_no": 200, "centre": 1}
    assert len(world.far.reads) == 3


def test_no_query_can_name_what_is_kept(world: World) -> None:
    """Other sessions see the tables of the project only: names are bound before anything is compiled."""
    world.total("patient_no")
    with world.session() as other, pytest.raises(Refusal) as refused, explained(other.stop):
        other.connection.execute('SELECT * FROM temp.main."__fetched_0"')
    assert refused.value.code is ErrorCode.ENGINE_FAILED
    assert WAREHOUSE not in (name for (name,) in _catalogs(world))


def _catalogs(world: World) -> list[tuple[str]]:
    return (
        world.engine._connection.cursor().execute("SELECT database_name FROM duckdb_databases()").fetchall()
    )


# --- what goes ---------------------------------------------------------------------------------------------


def test_what_nobody_asks_for_goes(world: World) -> None:
    world.total("patient_no")
    world.clock[0] = world.rows.seconds - 1
    world.total("code")
    world.clock[0] = world.rows.seconds
    world.rows._forget_old()
    assert world.databases() == 1, "asked a second ago"
    world.clock[0] += world.rows.seconds
    world.rows._forget_old()
    assert world.databases() == 0


def test_it_goes_by_itself(world: World) -> None:
    world.rows.seconds = 0.01
    world.total("patient_no")
    world.clock[0] = 1.0
    while (timer := world.rows._timer) is not None:
        timer.join(20)
    assert world.databases() == 0


def test_what_was_asked_longest_ago_makes_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeptRows, "is_much", lambda *_: False)  # a thousand rows take more when compressed
    for number, column in enumerate(("patient_no", "code", "centre")):
        world.clock[0] = number
        world.total(column)
    world.rows.most_bytes = world.rows._bytes() - 1
    world.clock[0] = 3
    world.total("centre")
    assert {next(iter(kept.wanted.columns)) for kept in world.rows._kept} == {"code", "centre"}
    world.rows.most_bytes = 0
    world.total("value")
    assert world.databases() == 0, "what is larger than all that may be kept goes with its question"


def test_rows_are_compressed_only_when_room_is_short(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs as long as fetching them did. Then all are that nobody has, before any is forgotten."""
    world.total("patient_no")
    with world.session() as session:
        asked(session, temporary("facts", COLUMNS).agg(code=ibis._.code.nunique()))
        monkeypatch.setattr(KeptRows, "is_much", lambda *_: True)
        world.total("value")
        assert [kept.is_compressed for kept in world.rows._kept] == [True, False, True]
    assert all(kept.is_compressed and not kept.readers for kept in world.rows._kept)
    assert world.total("value") == {"value": 1_000}
    assert len(world.far.reads) == 3


def test_nothing_is_kept_where_memory_ran_out(world: World) -> None:
    world.total("patient_no")
    world.far.out_of_memory = True
    with pytest.raises(Refusal):
        world.total("value")
    assert world.databases() == 0
    world.far.out_of_memory = False
    assert world.total("value") == {"value": 1_000}


def test_a_fetch_that_fails_leaves_nothing(world: World) -> None:
    class Broken(FarReading):
        def read(self, *given: object) -> Iterator[pa.RecordBatch]:
            yield next(super().read(*given))
            raise Refusal(ErrorCode.WAREHOUSE_UNREACHABLE)

    world.far.open = lambda: Broken(world.far)
    with pytest.raises(Refusal):
        world.total("patient_no")
    assert (world.databases(), world.rows._kept) == (0, [])


def test_a_stopped_reading_that_ends_as_if_it_were_all_is_not_kept(world: World) -> None:
    """Some drivers do not raise: there are no more batches."""
    stop = Stop(60)

    class Ending(FarReading):
        def read(self, *given: object) -> Iterator[pa.RecordBatch]:
            stop.trip(StopReason.TIME)
            return iter(())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.far, "open", lambda: Ending(world.far))
        with world.session(stop=stop) as session, pytest.raises(Refusal) as refused:
            facts = temporary("facts", COLUMNS)
            session.staged(facts.agg(n=facts.code.nunique()))
    assert refused.value.code is ErrorCode.TIMED_OUT
    assert (world.databases(), world.rows._kept) == (0, [])
    assert world.total("code") == {"code": 2}


def test_the_copy_is_looked_at_though_all_rows_are_kept(world: World) -> None:
    """Rows of a copy that is not there any more answer nothing, and nobody keeps them."""
    assert world.total("code") == {"code": 2}
    world.far.is_another = True
    with pytest.raises(Refusal) as refused:
        world.total("code")
    assert refused.value.code is ErrorCode.SNAPSHOT_CORRUPT
    assert (len(world.far.reads), world.databases()) == (1, 0)


def test_an_end_that_fails_keeps_nothing_lent(world: World) -> None:
    class Stuck(FarReading):
        def close(self) -> None:
            raise RuntimeError("lost")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.far, "open", lambda: Stuck(world.far))
        with pytest.raises(RuntimeError):
            world.total("code")
    (kept,) = world.rows._kept
    assert not kept.readers
    world.rows.forget()
    assert world.databases() == 0


def test_what_is_forgotten_is_lent_to_nobody_else(world: World) -> None:
    facts = temporary("facts", COLUMNS)
    with world.session() as session:
        asked(session, facts.agg(code=facts.code.nunique()))
        world.rows.forget()
        read = len(world.far.reads)
        assert world.total("code") == {"code": 2}
    assert len(world.far.reads) == read + 1 and world.databases() == 1


def test_a_snapshot_that_is_replaced_keeps_nothing(world: World) -> None:
    world.total("patient_no")
    world.engine.leave()
    assert world.databases() == 0


# --- what is wanted ----------------------------------------------------------------------------------------


def test_what_holds_what_is_wanted() -> None:
    rows = stored("facts", COLUMNS).op()
    table = pa.table({"patient_no": [1]})
    wanted = Wanted.of(rows, ["code"], {"objecting": table})
    assert wanted.is_in(Wanted.of(rows, ["code", "value"], {"objecting": table}))
    assert not Wanted.of(rows, ["code", "value"], {"objecting": table}).is_in(wanted)
    assert not replace(wanted, rows=stored("others", COLUMNS).op()).is_in(wanted)
    later = Wanted.of(rows, ["code"], {"objecting": pa.table({"patient_no": [1, 2]})})
    assert not wanted.is_in(later)
    assert later.outdates(wanted)
    assert not Wanted.of(rows, ["code"], {}).outdates(wanted), "of another table it says nothing"
