"""Things an analyst writes survive the wire exactly, mean what pandas says, and mean it still once
protected."""

from __future__ import annotations

import ibis.expr.operations as ops
import pytest

from hub_config.gateway.rules.definition import definition
from hub_config.gateway.rules.plan import ReleasePlan, RowsPlan
from hub_config.gateway.rules.split import split
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from tests.conformance.expressions import CASES
from tests.conformance.same import rows_of

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def travelled(case, world):
    return decode(encode(case.ask(world.tables())), world.schema)


def has_user_table(expression) -> bool:
    return bool(expression.op().find(ops.InMemoryTable))


def test_there_are_sixty_of_them():
    assert len(CASES) >= 60 and len({case.name for case in CASES}) == len(CASES)


@every_case
def test_survives_the_wire_exactly(case, world):
    written = case.ask(world.tables())
    read = decode(encode(written), world.schema)
    assert encode(read) == encode(written)
    assert read.equals(written) or has_user_table(written)
    assert read.as_table().schema() == written.as_table().schema()


@every_case
def test_unprotected_gives_what_pandas_gives(case, world):
    engine = world.engine()
    plan = split(world.ask(travelled(case, world), engine, access=AccessLevel.MICRODATA))
    assert isinstance(plan, RowsPlan)
    expected = case.reference(world.frames())
    columns = list(expected.columns)
    got = engine.to_pyarrow(plan.expression)
    assert set(columns) == set(got.column_names)
    assert rows_of(got, columns) == rows_of(expected, columns)


@every_case
def test_protected_with_the_floors_out_shows_the_same_numbers(case, world):
    engine = world.engine()
    query = world.ask(travelled(case, world), engine, world.LOOSE)
    if isinstance(case.protected, ErrorCode):
        with pytest.raises(Refusal) as refusal:
            split(query)
        assert refusal.value.code is case.protected
        return
    plan = split(query)
    assert isinstance(plan, ReleasePlan)
    got = world.answer(plan, engine, world.LOOSE)
    assert got.schema.types == query.expression.as_table().schema().to_pyarrow().types
    expected = case.reference(world.frames())
    for measure in case.protected:
        columns = [*case.keys, measure]
        wanted = rows_of(expected, columns)
        shown = [row for row in rows_of(got, columns) if row[-1] is not None]
        assert shown
        assert [row for row in shown if row not in wanted] == []


@every_case
def test_protected_with_the_floors_in_shows_no_small_number(case, world):
    """Four copies of everybody: a shown count is one of 11 patients at least, and right."""
    if isinstance(case.protected, ErrorCode):
        return
    engine = world.engine(4)
    query = world.ask(travelled(case, world), engine)
    got = world.answer(split(query), engine, world.STRICT)
    open_plan = split(world.ask(travelled(case, world), engine, access=AccessLevel.MICRODATA))
    truth = engine.to_pyarrow(open_plan.expression)
    for measure in case.protected:
        columns = [*case.keys, measure]
        shown = [row for row in rows_of(got, columns) if row[-1] is not None]
        wanted = rows_of(truth, columns)
        assert [row for row in shown if row not in wanted] == []
        assert all(isinstance(row[-1], float) or row[-1] >= 11 for row in shown)


@every_case
def test_the_definition_names_tables_only(case, world):
    text = definition(case.ask(world.tables()))
    assert "__patient" not in text
    assert "pressure" not in text or case.name != "own code list joined before"
