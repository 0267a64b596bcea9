"""Spark, asked through the gateway's port, gives what pandas gives and what DuckDB gives, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_config.gateway.engines.spark import Spark
from hub_config.gateway.evidence import measure
from hub_config.gateway.rules.plan import RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.elsewhere import Elsewhere, elsewhere, facts
from tests.conformance.expressions import CASES
from tests.conformance.same import rows_of
from tests.spark_cluster import Cluster
from tests.spark_snapshots import keep, place

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
protected = pytest.mark.parametrize(
    "case", [case for case in CASES if not isinstance(case.protected, ErrorCode)], ids=lambda case: case.name
)


@pytest.fixture(scope="module")
def seen(world, cluster: Cluster, tmp_path_factory) -> Iterator[dict[int, Elsewhere]]:
    """The hand-made warehouse once, and four times over."""
    directory, found = tmp_path_factory.mktemp("warehouse"), {}
    for times in (1, 4):
        tables = world.repeated(times)
        wanted = keep(directory / str(times), tables)
        found[times] = elsewhere(Spark(place(cluster, directory), times, wanted), tables)
    yield found
    for each in found.values():
        each.engine.close()


@every_case
def test_what_an_analyst_asks(case, world, seen):
    plan = split(world.ask(case.ask(world.tables()), seen[1], access=AccessLevel.MICRODATA))
    assert isinstance(plan, RowsPlan)
    expected = case.reference(world.frames())
    columns = list(expected.columns)
    assert rows_of(seen[1].asked(plan.expression), columns) == rows_of(expected, columns)


@protected
def test_what_is_measured_before_it_is_protected(case, world, seen):
    """Values, who is behind them and what the memory compares: all that protection looks at."""
    local = world.engine(4)
    here = split(world.ask(case.ask(world.tables()), local))
    there = split(world.ask(case.ask(world.tables()), seen[4]))
    with seen[4].session() as session:
        for one, other in zip(here.releases, there.releases, strict=True):
            wanted = measure(world.session(local), one, world.STRICT, world.RING)
            assert facts(measure(session, other, world.STRICT, world.RING)) == facts(wanted)
