"""A snapshot for benchmarks on a cluster of this machine, and its questions raw, naive and protected."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.assembly import _Jitter
from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.gateway.engines.spark import Spark
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.memory import Memory
from hub_config.governance.facts import AccessLevel
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.engines.description import describe
from hub_config.warehouse.engines.spark import SparkPlace, close, connected, database_of, publish
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
    enclave: peer_enclave.Enclave
    engines: Engines
    ledgers: Iterator[Ledger]  # each is empty

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

    def protected(self, question: Question) -> Protected:
        """By a person of an enclave without a ledger."""
        return Protected(self, question(peer_enclave.table), Forgetful(), remembers=False)

    def remembered(self, question: Question) -> Protected:
        """With one that is empty at first."""
        return Protected(self, question(peer_enclave.table), next(self.ledgers), remembers=True)

    def forget(self) -> None:
        """The rows that the gateway keeps."""
        for _, engine in self.engines._open.values():
            engine._rows.forget()

    def _asked(self, expression: ibis.Expr) -> Callable[[], object]:
        sql = self.backend.compile(expression)
        return lambda: self.backend.raw_sql(sql).toArrow()

    def _table(self, name: str) -> ibis.Table:
        return self.backend.table(name, database=self.database).rename(patient_id="patient_no")


@dataclass
class Protected:
    """One question to the gateway: again, as nobody changes anything in between; first, as if nobody had
    asked before."""

    sides: Sides
    asked: ibis.Expr
    memory: Memory
    remembers: bool

    def again(self) -> object:
        gateway = self.sides.enclave.gateway
        guard = replace(gateway.guard, memory=self.memory, sketches=self.remembers)
        enclave = replace(self.sides.enclave, gateway=replace(gateway, guard=guard))
        return asyncio.run(enclave.workspace("ines", "bench").answer(self.asked))

    def first(self) -> object:
        self.sides.forget()
        if self.remembers:
            self.memory = next(self.sides.ledgers)
        return self.again()


@contextmanager
def sides(snapshot: Snapshot, cluster: Cluster, home: Path) -> Iterator[Sides]:
    warehouse = snapshot.directory.parent
    place = SparkPlace(cluster.address, str(warehouse), cluster.token)
    wanted = describe(snapshot, load_catalogue())
    publish(place, snapshot.number, wanted)
    session = connected(place)
    backend, database = ibis.pyspark.connect(session), database_of(snapshot.number)
    with ExitStack() as stack:
        made = _enclave(warehouse, home, lambda number, _: Spark(place, number, wanted))
        enclave, engines = stack.enter_context(made)
        ledgers = stack.enter_context(closing(_ledgers(home, enclave.gateway.guard.keyring)))
        yield Sides(backend, database, enclave, engines, ledgers)
    close(session)


@contextmanager
def _enclave(warehouse: Path, home: Path, opener: Callable[[int, Path], Spark]) -> Iterator:
    """With one person in one project."""
    settings, hub = Settings(home=home), peer_enclave.HubPeer()
    store = open_store(settings)
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(LIMITS, elsewhere=opener)
        gateway = peer_enclave.make_gateway(settings, store, hub, warehouse, engines, workers, office)
        enclave = peer_enclave.Enclave(replace(gateway, limits=Limits(seconds=900.0)), hub, store, settings)
        peer_enclave.add_project(enclave, peer_enclave.charter("bench", AccessLevel.AGGREGATE, "ines"))
        yield enclave, engines
        engines.close()
    store.close()


def _ledgers(home: Path, keyring: Keyring) -> Generator[Ledger]:
    """Empty ones, each in an SQLite file of its own."""
    for number in itertools.count():
        with closing(open_store(Settings(home=home / f"ledger-{number}"))) as store:
            yield Ledger(LedgerStore(store), _Jitter(keyring))


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
