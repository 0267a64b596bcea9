"""A snapshot for benchmarks on a cluster of this machine, and its questions raw, naive and protected."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict
from pyspark.sql import SparkSession

from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.gateway.engines.spark import Spark
from hub_config.governance.facts import AccessLevel
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.engines.description import describe
from hub_config.warehouse.engines.spark import SparkPlace, database_of, publish
from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.wire.protocol import Limits
from tests.benchmarks.questions import Question
from tests.services.gateway import peer_enclave
from tests.services.gateway.forgetful import Forgetful
from tests.spark_cluster import Cluster
from tests.spark_cluster import Size as Workers

WORKERS: Final = Workers(memory="1g", driver="1g", long_running=True)
LIMITS: Final = EngineLimits(memory_bytes=3 * 1024**3, threads=2)


@dataclass(frozen=True)
class Sides:
    """The same question three ways, on the same cluster."""

    backend: ibis.BaseBackend
    database: str
    workspace: peer_enclave.Workspace
    engines: Engines

    def raw(self, question: Question) -> Callable[[], object]:
        return self._asked(question(self._table))

    def naive(self, question: Question) -> Callable[[], object]:
        """With distinct patients and GPs counted for every cell, which is what thresholds are about."""
        asked = question(self._table).op()
        counted = {
            f"__{name}": ops.CountDistinct(ops.Field(asked.parent, name))
            for name in ("patient_id", "physician_no")
        }
        return self._asked(asked.copy(metrics=FrozenOrderedDict({**asked.metrics, **counted})).to_expr())

    def protected(self, question: Question) -> Callable[[], object]:
        asked = question(peer_enclave.table)
        return lambda: asyncio.run(self.workspace.answer(asked))

    def forget(self) -> None:
        """The rows that the gateway keeps."""
        for _, engine in self.engines._open.values():
            engine._rows.forget()

    def _asked(self, expression: ibis.Expr) -> Callable[[], object]:
        sql = self.backend.compile(expression)
        return lambda: self.backend.raw_sql(sql).toArrow()

    def _table(self, name: str) -> ibis.Table:
        return self.backend.table(name, database=self.database).rename(patient_id="patient_no")


@contextmanager
def sides(snapshot: Snapshot, cluster: Cluster, home: Path) -> Iterator[Sides]:
    warehouse = snapshot.directory.parent
    place = SparkPlace(cluster.address, str(warehouse), cluster.token)
    wanted = describe(snapshot, load_catalogue())
    publish(place, snapshot.number, wanted)
    session = SparkSession.builder.remote(f"{cluster.address}/;token={cluster.token}").create()
    with _workspace(warehouse, home, lambda number, _: Spark(place, number, wanted)) as (workspace, engines):
        yield Sides(ibis.pyspark.connect(session), database_of(snapshot.number), workspace, engines)
    session.stop()


@contextmanager
def _workspace(warehouse: Path, home: Path, opener: Callable[[int, Path], Spark]) -> Iterator:
    """A person's, in an enclave without a ledger, whose cost is measured elsewhere."""
    settings, hub = Settings(home=home), peer_enclave.HubPeer()
    store = open_store(settings)
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(LIMITS, elsewhere=opener)
        gateway = peer_enclave.make_gateway(settings, store, hub, warehouse, engines, workers, office)
        without = replace(gateway.guard, memory=Forgetful(), sketches=False)
        gateway = replace(gateway, limits=Limits(seconds=900.0), guard=without)
        enclave = peer_enclave.Enclave(gateway, hub, store, settings)
        peer_enclave.add_project(enclave, peer_enclave.charter("bench", AccessLevel.AGGREGATE, "ines"))
        yield enclave.workspace("ines", "bench"), engines
        engines.close()
    store.close()


def cluster_seconds(cluster: Cluster) -> Callable[[Callable[[], object]], float]:
    """Processor seconds that some work takes of this process and of the cluster, whose processes are of one
    group: what else the machine does counts little."""

    def used() -> float:
        return time.process_time() + sum(map(_seconds, Path("/proc").glob("[0-9]*/stat")))

    def _seconds(stat: Path) -> float:
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            return 0.0
        ours = int(fields[2]) == cluster.supervisor
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if ours else 0.0

    def measured(work: Callable[[], object]) -> float:
        before = used()
        work()
        return used() - before

    return measured
