"""The same answers to the last cell, whether DuckDB reads the snapshot or a Spark cluster does; what is
stopped, lost, damaged or another's; and what never leaves the gateway.

All that the gateway sends goes through a relay that listens in.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import ibis
import pytest

from hub_config.gateway.engine import EngineLimits, Opener
from hub_config.gateway.engines.port import stored
from hub_config.gateway.engines.spark import Spark
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


def test_a_stopped_question_is_stopped_on_the_cluster(spark: Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many pairs of pairs as would keep both workers busy for days; then they are free."""
    monkeypatch.setattr("hub_config.gateway.engines.spark._GRACE", 600.0)  # however busy this machine is
    p = patients()
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
    while asking.is_alive():
        reading.interrupt()
        asking.join(0.5)
    assert why == [ErrorCode.TIMED_OUT]  # said by the cluster: who is merely cut off hears nothing
    reading.close()
    other = spark.open()
    assert sum(batch.num_rows for batch in other.read(p, {})) > 100
    other.close()


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
