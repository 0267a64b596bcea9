"""What protection costs where the rows are on a Spark cluster, beside the raw question there and the naive
way: distinct patients and GPs of every cell, counted by Spark. And the questions of analysts on each engine.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import ibis
import pytest

from hub_config.gateway.engines.postgresql import Postgresql
from hub_config.gateway.engines.spark import Spark
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from tests.benchmarks.engines_spark import WORKERS, cluster_seconds, sides
from tests.benchmarks.page import in_turn, measured, section, table
from tests.benchmarks.questions import Question, Tables, centre_by_year, code_by_year, codes
from tests.benchmarks.scale import Size, build
from tests.conformance import world
from tests.conformance.elsewhere import Elsewhere, elsewhere, hardened
from tests.conformance.expressions import CASES
from tests.postgresql_server import publish_tables, reader
from tests.postgresql_server import running as postgresql
from tests.spark_cluster import running as spark
from tests.spark_snapshots import keep, place

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
TURNS = 7
ASKINGS = ("first, no ledger", "again, no ledger", "first, ledger", "again, ledger")
PEOPLE, MORE = Size(patients=200_000), Size(patients=1_000_000)  # of 20 diagnoses in the mean


def frequencies(t: Tables) -> ibis.Expr:
    """How often each of 690 codes: the least that a scan of everything can be asked."""
    return t("diagnoses").group_by("cisp2").agg(n=ibis._.count())


ASKED = (frequencies, codes, centre_by_year, code_by_year)


@pytest.mark.parametrize(
    ("people", "asked", "turns"), [(PEOPLE, ASKED, TURNS), (MORE, (frequencies, code_by_year), 5)]
)
def test_protection_on_spark(people: Size, asked: Sequence[Question], turns: int, tmp_path: Path) -> None:
    """Processor seconds of cluster and gateway together, with a ledger and without. First: the rows are
    fetched and all cells are new, all else that is found out once a snapshot is known; again: rows and cells
    are there."""
    raws, costs = [], []
    snapshot = build(tmp_path / "snapshots", people)
    with spark(WORKERS) as cluster, sides(snapshot, cluster, tmp_path) as s:
        for question in asked:
            without, with_one = s.protected(question), s.remembered(question)
            works = (without.first, without.again, with_one.first, with_one.again)
            all_ = (s.raw(question), s.naive(question), *works)
            found = measured(*all_, turns=turns, measure=cluster_seconds(cluster))
            raw, naive = (statistics.median(each) for each in found[:2])
            raws.append((question.__name__, *(f"{each:.2f}" for each in (raw, naive, naive / raw))))
            for name, each in zip(ASKINGS, found[2:], strict=True):
                ratios = [one / other for one, other in zip(each, found[0], strict=True)]
                least, median = (f"{which(each):.2f}" for which in (min, statistics.median))
                beside = (f"{which(ratios):.1f}" for which in (min, statistics.median))
                costs.append((question.__name__, name, least, median, *beside))
            print(raws[-1], *costs[-len(ASKINGS) :], sep="\n", flush=True)
    diagnoses = snapshot.manifest.rows["diagnoses"]
    with section(f"Protection on Spark: two workers, {diagnoses:,} diagnoses") as page:
        page += [
            f"Processor seconds of the cluster and the gateway together, {turns} turns, each against the raw",
            "question of its own turn. First: the rows are fetched, and a ledger (SQLite) is empty; again:",
            "the rows are kept, and the ledger has the cells of the answer before.",
            "",
        ]
        page += table(("question", "raw s", "naive s", "naive / raw"), raws)
        head = ("question", "protected", "least s", "median s", "least / raw", "median / raw")
        page += table(head, costs)


@contextmanager
def engines(directory: Path) -> Iterator[dict[str, Callable[[ibis.Expr], object]]]:
    """The hand-made warehouse on each, asked as the gateway asks."""
    tables = world.repeated(4)
    with ExitStack() as stack:
        address = stack.enter_context(postgresql())
        cluster = stack.enter_context(spark(WORKERS))
        publish_tables(address, 4, tables)
        far = {
            "PostgreSQL": Postgresql(reader(address), 4, "hand-made", 60.0),
            "Spark": Spark(place(cluster, directory), 4, keep(directory / "4", tables)),
        }
        found = {name: elsewhere(warehouse, tables) for name, warehouse in far.items()}
        local = world.engine(4)
        yield {"DuckDB": lambda e: hardened(world.session(local), e)} | {
            name: one.asked for name, one in found.items()
        }
        for one in found.values():
            one.engine.close()


def test_questions_of_analysts_on_each_engine(tmp_path: Path) -> None:
    """Latency, on hardly any data: what an engine elsewhere costs however small the question."""
    took: dict[str, list[float]] = {}
    with engines(tmp_path) as asking:
        for case in CASES:
            plans = {name: _plan(case, name) for name in asking}
            works = [lambda ask=ask, plan=plans[name]: ask(plan) for name, ask in asking.items()]
            for name, seconds in zip(asking, in_turn(*works, turns=TURNS), strict=True):
                took.setdefault(name, []).append(seconds)
    rows = []
    for name, each in took.items():
        against = statistics.median(a / b for a, b in zip(each, took["DuckDB"], strict=True))
        figures = (1000 * statistics.median(each), 1000 * max(each), against)
        rows.append((name, *(f"{figure:.1f}" for figure in figures)))
    with section(f"The analysts' {len(CASES)} questions, by engine") as page:
        page += table(("engine", "median ms", "slowest ms", "against DuckDB, median"), rows)


def _plan(case, engine: str) -> ibis.Expr:
    schemas = {name: ibis.Schema.from_pyarrow(each.schema) for name, each in world.repeated(1).items()}
    bound = Elsewhere(None, schemas) if engine != "DuckDB" else world.engine(4)
    return split(world.ask(case.ask(world.tables()), bound, access=AccessLevel.MICRODATA)).expression
