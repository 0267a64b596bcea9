"""PostgreSQL, asked through the gateway's port, gives what pandas and DuckDB give, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_config.gateway.engines.postgresql import Postgresql
from hub_config.gateway.evidence import measure
from hub_config.gateway.rules.plan import RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode
from tests.conformance.elsewhere import Elsewhere, elsewhere, facts
from tests.conformance.expressions import CASES
from tests.conformance.same import rows_of
from tests.postgresql_server import publish_tables, reader, running

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
protected = pytest.mark.parametrize(
    "case", [case for case in CASES if not isinstance(case.protected, ErrorCode)], ids=lambda case: case.name
)


@pytest.fixture(scope="module")
def published(world) -> Iterator[dict[int, Elsewhere]]:
    """The hand-made warehouse once, and four times over."""
    with running() as address:
        found = {}
        for times in (1, 4):
            tables = world.repeated(times)
            publish_tables(address, times, tables)
            found[times] = elsewhere(Postgresql(reader(address), times, "hand-made", 60.0), tables)
        yield found
        for each in found.values():
            each.engine.close()


@pytest.fixture(scope="module")
def local(world):
    return world.engine(4)


@every_case
def test_what_an_analyst_asks(case, world, published):
    plan = split(world.ask(case.ask(world.tables()), published[1], access=AccessLevel.MICRODATA))
    assert isinstance(plan, RowsPlan)
    expected = case.reference(world.frames())
    columns = list(expected.columns)
    assert rows_of(published[1].asked(plan.expression), columns) == rows_of(expected, columns)


@protected
def test_what_is_measured_before_it_is_protected(case, world, published, local):
    """Values, who is behind them and what the memory compares: all that protection looks at."""
    here = split(world.ask(case.ask(world.tables()), local))
    there = split(world.ask(case.ask(world.tables()), published[4]))
    with published[4].session() as session:
        for one, other in zip(here.releases, there.releases, strict=True):
            for whole_up_to in (300_000, 0):  # as little data are measured, and as much
                wanted = measure(world.session(local), one, world.STRICT, world.RING, whole_up_to=whole_up_to)
                got = measure(session, other, world.STRICT, world.RING, whole_up_to=whole_up_to)
                assert facts(got) == facts(wanted)
        for one, other in zip(here.publics, there.publics, strict=True):
            columns = list(one.expression.columns)
            assert rows_of(published[4].asked(other.expression), columns) == rows_of(
                local.to_pyarrow(one.expression), columns
            )
