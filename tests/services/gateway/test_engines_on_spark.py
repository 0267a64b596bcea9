"""The same answers to the last cell, whether DuckDB reads the snapshot or a Spark cluster does; what is
stopped, lost, damaged or another's; and what never leaves the gateway.

All that the gateway sends goes through a relay that listens in.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import ibis
import psutil
import pyarrow as pa
import pytest

from hub_config.gateway.engine import EngineLimits, Opener
from hub_config.gateway.engines.looking import FirstSeen
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.spark import Spark, SparkReading
from hub_config.gateway.engines.texts import MOST
from hub_config.gateway.pseudonyms import ProjectKey
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import ObjectionScope
from hub_config.warehouse.engines.description import Description, describe
from hub_config.warehouse.engines.spark import SparkPlace, close, connected, publish, unpublish
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.snapshot import build_snapshot, open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.relay import Relay, relayed
from tests.services.gateway import peer_enclave
from tests.services.gateway.peer_enclave import demonstration, table
from tests.services.gateway.test_engines import Both, drafts
from tests.spark_cluster import Cluster
from tests.spark_snapshots import keep

LIMITS = EngineLimits(512 * 1024**2, 1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("seen")
    with build_snapshot(directory, source="test", synthetic=True, public=False) as building:
        peer_enclave.fill(building)
    return directory


@pytest.fixture(scope="module")
def wanted(warehouse: Path) -> Description:
    return describe(open_snapshot(warehouse, 1), load_catalogue())


@pytest.fixture(scope="module")
def relay(cluster: Cluster) -> Iterator[Relay]:
    with relayed(cluster.port) as found:
        yield found


@pytest.fixture(scope="module")
def place(cluster: Cluster, relay: Relay, warehouse: Path) -> SparkPlace:
    return SparkPlace(f"sc://localhost:{relay.port}", str(warehouse), cluster.token)


@pytest.fixture
def spark(place: SparkPlace, wanted: Description) -> Spark:
    return Spark(place, 1, wanted)


def opener(place: SparkPlace, wanted: Description) -> Opener:
    return lambda number, database: Spark(place, number, wanted)


@pytest.fixture(scope="module")
def both(place: SparkPlace, wanted: Description, warehouse: Path, tmp_path_factory) -> Iterator[Both]:
    home = tmp_path_factory.mktemp("both")
    assert Spark(place, 1, wanted).description is wanted  # a cold cluster takes its time, no question has
    with ExitStack() as stack:
        made = [
            stack.enter_context(demonstration(warehouse, home / name, LIMITS, elsewhere))
            for name, elsewhere in (("here", None), ("there", opener(place, wanted)))
        ]
        yield Both(*made)


def patients() -> ibis.Table:
    return stored("patients", {"patient_no": "int64", "physician_no": "int32"})


# --- the same answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(drafts()))
async def test_drafts(both: Both, name: str) -> None:
    answer = await both.same("ines", "these-ines", drafts()[name])
    assert answer.num_rows


async def test_rows_have_the_same_pseudonyms_and_the_cluster_never_hears_of_their_key(
    both: Both, relay: Relay
) -> None:
    d = table("diagnoses")
    asked = d.filter(d.cisp2 == "K86").select("patient_id", "date")
    rows = await both.same("rachid", "modeles-rachid", asked)
    assert rows.num_rows > 100
    key = ProjectKey.derive(both.there.gateway.master_key, "modeles-rachid").secret
    said = bytes(relay.said)
    assert b"stored_diagnoses" in said and b"K86" in said
    for secret in (both.there.gateway.master_key, key):
        assert secret not in said and secret.hex().encode() not in said.lower()
    assert not any(str(number).encode() in said for number in rows["patient_id"].to_pylist())


async def test_what_cannot_be_worked_out_is_missing_on_both(both: Both) -> None:
    """A cast, a division, an overflow: NULL, and no error that would be a bit about somebody."""
    d = table("diagnoses")
    hard = d.select(
        cast=d.cisp2.cast("int32"),
        whole=d.consultation_id // (d.consultation_id - d.consultation_id),
        large=(d.consultation_id.cast("int64") + 2**62) * 4,
        narrow=d.consultation_id.cast("int8"),
    )
    rows = await both.same("rachid", "modeles-rachid", hard)
    assert rows["cast"].null_count == rows["whole"].null_count == rows["large"].null_count == rows.num_rows


@pytest.mark.parametrize("who", [{"patient_no": 100}, {"physician_no": 3}])
async def test_who_objects_is_gone_at_the_next_question(both: Both, who: dict[str, int]) -> None:
    """Last of these, since they stay objected."""
    rows = table("diagnoses", "patient_id", "date", "cisp2")
    before = await both.same("rachid", "modeles-rachid", rows)
    both.each(
        lambda e: e.govern(objections.add_objection, **who, scope=ObjectionScope.ALL, on=date(2015, 12, 31))
    )
    after = await both.same("rachid", "modeles-rachid", rows)
    assert 0 < after.num_rows < before.num_rows
    d = table("diagnoses")
    await both.same("ines", "these-ines", d.group_by("cisp2").agg(n=d.patient_id.nunique()))


def test_what_fits_no_number_comes_all_the_same(place: SparkPlace, tmp_path: Path) -> None:
    """The cluster sends patient, GP and date as one number where they are as anybody's."""
    rows = pa.table(
        {
            "patient_no": pa.array([0, 2**28 - 2, 2**28 - 1, -1, None, 5, 5], pa.int64()),
            "physician_no": pa.array([0, 2**18 - 2, None, 2**18 - 1, -(2**31), 1, 1], pa.int32()),
            "date": [
                date(1790, 7, 25),
                date(2149, 6, 5),
                None,
                date(1, 1, 1),
                date(9999, 12, 31),
                *[None] * 2,
            ],
            "cisp2": ["T90", None, "", "K86", "T90", "T90", "T90"],
        }
    )
    wanted = keep(tmp_path / "1", {"facts": rows})
    reading = Spark(replace(place, directory=str(tmp_path)), 1, wanted).open()
    facts = stored("facts", ibis.Schema.from_pyarrow(rows.schema))
    found = pa.Table.from_batches(reading.read(facts.select(*reversed(facts.columns)), {}))
    reading.close()
    assert found.column_names == rows.column_names[::-1]
    assert pa.types.is_dictionary(found["cisp2"].type), "texts are numbers of a list"
    assert Counter(map(str, found.select(rows.column_names).to_pylist())) == Counter(
        map(str, rows.to_pylist())
    )


def test_texts_come_as_they_are(place: SparkPlace, tmp_path: Path) -> None:
    """Listed, all NULL, or too many for a list."""
    odd = ["", "a", "A", "a ", "é", "e\u0301", "'", '"', "`", "\\", "${env:HOME}", "x" * 500, "日本", None]
    rows = pa.table(
        {
            "patient_no": pa.array(range(5_000), pa.int64()),
            "odd": pa.array([odd[i % len(odd)] for i in range(5_000)]),
            "none": pa.nulls(5_000, pa.string()),
            "many": [f"k{i % (MOST + 1)}" for i in range(5_000)],
        }
    )
    wanted = keep(tmp_path / "1", {"facts": rows})
    reading = Spark(replace(place, directory=str(tmp_path)), 1, wanted).open()
    facts = stored("facts", ibis.Schema.from_pyarrow(rows.schema))
    found = pa.Table.from_batches(reading.read(facts.select(*facts.columns), {}))
    reading.close()
    assert [pa.types.is_dictionary(dtype) for dtype in found.schema.types] == [False, True, True, False]
    assert found.sort_by("patient_no").to_pylist() == rows.to_pylist()


def test_a_table_without_rows_is_taken_as_one(spark: Spark) -> None:
    """Of which Spark asks more than of others: its types."""
    schema = {"patient_no": "int64", "until": "date", "why": "string", "is_known": "boolean", "n": "float64"}
    empty = pa.Table.from_pylist([], ibis.schema(schema).to_pyarrow())
    nobody, reading = temporary("nobody", schema), spark.open()
    p = patients()
    for asked, rows in (
        (nobody, 0),
        (p.semi_join(nobody, "patient_no"), 0),
        (p.anti_join(nobody, "patient_no"), 600),
    ):
        assert sum(batch.num_rows for batch in reading.read(asked, {"nobody": empty})) == rows
    reading.close()


# --- names for the files -----------------------------------------------------------------------------------


def test_a_snapshot_is_named_typed_and_counted(place: SparkPlace, wanted: Description) -> None:
    heard: list[str] = []
    publish(place, 1, wanted, lambda name, share: heard.append(name))
    assert heard == list(wanted.tables)
    session = connected(place)
    patients = session.table("snapshot_1.patients")
    assert patients.count() == wanted.tables["patients"].rows
    types = dict(patients.dtypes)
    assert list(types) == list(wanted.tables["patients"].columns)
    assert (types["patient_no"], types["age"], types["sex"]) == ("bigint", "int", "string")
    assert types["birth_month"] == "date"
    close(session)
    publish(place, 1, wanted)  # again: the same


def test_a_cluster_that_would_go_on_with_stopped_questions_is_refused(
    place: SparkPlace, wanted: Description, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_config.warehouse.engines.spark._REAPER", "spark.task.nobody")
    with pytest.raises(WarehouseProblem, match="go on working at stopped questions"):
        publish(place, 1, wanted)


def test_another_snapshot_of_that_number_is_refused(place: SparkPlace, wanted: Description) -> None:
    other = replace(wanted, manifest="0" * 64)
    with pytest.raises(WarehouseProblem, match="is not the manifest of snapshot 1"):
        publish(place, 1, other)
    with pytest.raises(Refusal) as refusal:
        _ = Spark(place, 1, other).description
    assert refusal.value.code is ErrorCode.SNAPSHOT_CORRUPT


def test_a_table_of_other_rows_is_refused(place: SparkPlace, wanted: Description) -> None:
    fewer = replace(wanted.tables["patients"], rows=wanted.tables["patients"].rows - 1)
    with pytest.raises(WarehouseProblem, match=r"other row counts .* patients\. Copy"):
        publish(place, 1, replace(wanted, tables={"patients": fewer}))


@pytest.fixture
def copied(place: SparkPlace, warehouse: Path, tmp_path: Path) -> SparkPlace:
    shutil.copytree(warehouse / "1", tmp_path / "1")
    return replace(place, directory=str(tmp_path))


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(file.read_bytes() + b"0")])
def test_a_table_that_is_missing_or_of_another_length_is_refused(
    copied: SparkPlace, wanted: Description, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    file = tmp_path / "1" / "tables" / "patients.parquet"
    file.chmod(0o600)
    damage(file)
    with pytest.raises(WarehouseProblem, match=r"missing, or not as long .* snapshot 1 says: patients\."):
        publish(copied, 1, wanted)
    with pytest.raises(Refusal) as refusal:
        _ = Spark(copied, 1, wanted).description
    assert refusal.value.code is ErrorCode.SNAPSHOT_CORRUPT


def test_a_table_that_is_replaced_while_the_gateway_runs_is_refused(
    copied: SparkPlace, wanted: Description, tmp_path: Path
) -> None:
    """Though it is as long, and though the engine was opened anew; by a gateway that did not see the one
    before it is believed."""
    file, seen = tmp_path / "1" / "tables" / "patients.parquet", FirstSeen()
    assert Spark(copied, 1, wanted, seen).description is wanted
    assert Spark(copied, 1, wanted, seen).description is wanted
    other = tmp_path / "other"
    other.write_bytes(bytes(reversed(file.read_bytes())))
    os.utime(other, (0, 0))
    other.replace(file)
    for _ in range(2):
        with pytest.raises(Refusal) as refusal:
            _ = Spark(copied, 1, wanted, seen).description
        assert refusal.value.code is ErrorCode.SNAPSHOT_CORRUPT
    assert Spark(copied, 1, wanted, FirstSeen()).description is wanted


def test_names_of_another_enclave_are_left_alone(place: SparkPlace, wanted: Description) -> None:
    unpublish(place, 1)
    session = connected(place)
    session.sql("CREATE DATABASE snapshot_1").collect()
    with pytest.raises(WarehouseProblem, match="The cluster has another snapshot_1"):
        publish(place, 1, wanted)
    session.sql("DROP DATABASE snapshot_1").collect()
    close(session)


def test_a_directory_that_the_workers_do_not_see_is_named(place: SparkPlace, wanted: Description) -> None:
    elsewhere = replace(place, directory="/srv/elsewhere")
    with pytest.raises(WarehouseProblem, match="can't read the snapshot below /srv/elsewhere"):
        publish(elsewhere, 1, wanted)
    with pytest.raises(Refusal) as refusal:
        _ = Spark(elsewhere, 1, wanted).description
    assert refusal.value.code is ErrorCode.SNAPSHOT_MISSING


# --- stopped, lost, damaged --------------------------------------------------------------------------------


def executors(cluster: Cluster) -> Iterator[tuple[psutil.Process, float]]:
    """Those at work, and the seconds that each has worked."""
    for process in psutil.Process(cluster.supervisor).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any("CoarseGrainedExecutorBackend" in word for word in process.cmdline()):
                yield process, sum(process.cpu_times()[:2])


def busy(cluster: Cluster, before: Mapping[psutil.Process, float]) -> list[psutil.Process]:
    """Who works for longer than a question of few rows takes."""
    return [process for process, worked in executors(cluster) if worked > before.get(process, worked) + 3]


def test_a_stopped_question_is_stopped_on_the_cluster(
    spark: Spark, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many pairs of pairs as would keep a worker busy for days. It is at work when it is told to stop, and
    ends; others are answered."""
    monkeypatch.setattr("hub_config.gateway.engines.spark._GRACE", 600.0)  # however busy this machine is
    p = patients()
    warm = spark.open()
    assert list(warm.read(p, {}))
    warm.close()
    before = dict(executors(cluster))
    endless = p
    for _ in range(5):
        endless = endless.cross_join(p.view(), rname="{name}_" + str(_)).select(*p.columns)
    reading, why = spark.open(), []

    def ask() -> None:
        with pytest.raises(Refusal) as refusal:
            list(reading.read(endless.agg(n=ibis._.physician_no.sum()), {}))
        why.append(refusal.value.code)

    asking = threading.Thread(target=ask)
    asking.start()
    while not (at_work := busy(cluster, before)):
        time.sleep(0.1)
    while asking.is_alive():
        reading.interrupt()
        asking.join(0.5)
    assert why == [ErrorCode.TIMED_OUT]  # said by the cluster: who is merely cut off hears nothing
    reading.close()
    psutil.wait_procs(at_work)
    other = spark.open()
    assert sum(batch.num_rows for batch in other.read(p, {})) > 100
    other.close()


def asked(reading: SparkReading) -> int:
    return sum(batch.num_rows for batch in reading.read(patients(), {}))


def test_a_session_whose_question_ended_well_is_taken_by_the_next_without_its_views(spark: Spark) -> None:
    one = spark.open()
    assert asked(one) > 100
    beside = spark.open()
    assert beside.session is not one.session, "each has one for itself"
    one.close()
    one.interrupt()  # too late: it may be another's
    again = spark.open()
    assert again.session is one.session
    assert not again.session.catalog.tableExists("stored_patients")
    assert asked(again) > 100
    again.close()
    beside.close()
    spark.close()
    assert spark.open().session not in (one.session, beside.session)


@pytest.mark.parametrize("ending", ["stopped", "left", "failed", "old", "forgotten by the cluster"])
def test_any_other_session_is_left(spark: Spark, ending: str) -> None:
    now = [0.0]
    spark.idle.clock = lambda: now[0]
    one = spark.open()
    match ending:
        case "stopped":
            one.interrupt()
        case "left":
            next(one.read(patients(), {}))
        case "failed":
            unknown = stored("patients", {"nothing": "int64"})
            with pytest.raises(Refusal):
                list(one.read(unknown.filter(unknown.nothing > 0), {}))
    one.close()
    match ending:
        case "old":
            now[0] = spark.idle.seconds
        case "forgotten by the cluster":
            one.session.client.release_session()
    other = spark.open()
    assert other.session is not one.session
    assert asked(other) > 100
    other.close()
    spark.close()


def test_a_cluster_that_is_lost_is_told_and_found_again(spark: Spark, relay: Relay) -> None:
    reading = spark.open()
    relay.cut()
    with pytest.raises(Refusal) as refusal:
        list(reading.read(patients(), {}))
    assert refusal.value.code is ErrorCode.WAREHOUSE_UNREACHABLE
    reading.close()
    with pytest.raises(Refusal) as refusal:
        spark.open()
    assert refusal.value.code is ErrorCode.WAREHOUSE_UNREACHABLE
    relay.mend()
    again = spark.open()
    assert list(again.read(patients(), {}))
    again.close()


def test_a_damaged_file_is_told_without_what_is_in_it(
    place: SparkPlace, wanted: Description, tmp_path: Path, warehouse: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tables = tmp_path / "1" / "tables"
    tables.mkdir(parents=True)
    (tables / "patients.parquet").write_bytes(b"PAR1 Zoe Zappa 0612345678 PAR1")
    reading = Spark(replace(place, directory=str(tmp_path)), 1, wanted).open()
    with pytest.raises(Refusal) as refusal:
        list(reading.read(patients(), {}))
    assert refusal.value.code is ErrorCode.SNAPSHOT_CORRUPT
    assert refusal.value.__cause__ is None and "Zappa" not in str(refusal.value) + caplog.text
    reading.close()


def test_who_has_not_the_token_is_told_nothing(place: SparkPlace, wanted: Description) -> None:
    stranger = replace(place, token="guessed")
    with pytest.raises(Refusal) as refusal:
        Spark(stranger, 1, wanted).open()
    assert refusal.value.code is ErrorCode.WAREHOUSE_UNREACHABLE
    with pytest.raises(WarehouseProblem, match="refuses the token") as problem:
        publish(stranger, 1, wanted)
    assert "guessed" not in str(problem.value) and "guessed" not in repr(stranger)
