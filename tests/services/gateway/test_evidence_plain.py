"""Values without limits and conditions that no stored value meets: the same values, said in fewer words."""

from __future__ import annotations

import math
from dataclasses import replace

import duckdb
import ibis
import ibis.expr.operations as ops
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.evidence.plain import plainly
from hub_config.gateway.evidence.source import source
from hub_config.gateway.kept import Kept
from hub_config.gateway.rules.plan import PATIENT, MeasureKind
from hub_config.gateway.stopping import Stop
from tests.services.gateway.evidence_world import measure_of, release, session

LAB = ibis.table({"x": "float64", "age": "int32", PATIENT: "int64", "__physician": "int32"}, name="lab")
Value = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 10.0, 10.5, -3.0, math.nan, math.inf]))


def holding(values, ages=(40,)):
    """A warehouse with one table, and the view of a project."""
    made = duckdb.connect(config={"threads": "1"})
    made.execute("ATTACH ':memory:' AS warehouse")
    made.execute("CREATE TABLE warehouse.lab (x DOUBLE, age INTEGER, patient_no BIGINT)")
    rows = [(x, ages[i % len(ages)], i) for i, x in enumerate(values)]
    made.executemany("INSERT INTO warehouse.lab VALUES (?, ?, ?)", rows)
    made.execute(
        f"CREATE VIEW lab AS SELECT *, patient_no AS {PATIENT}, 1::INTEGER AS __physician FROM warehouse.lab"
    )
    return replace(session(), connection=made, stop=Stop(600.0), known={}, kept=Kept())


def clipped(value, low, high):
    return ibis.cases((value > float(high), float(high)), (value < float(low), float(low)), else_=value)


def finite(value):
    return value.notnull() & ~value.isnan() & ~value.isinf()


def deviation(low=0, high=10, centre=None):
    """As the rules write it: clipped, about a centre or without those who have nothing."""
    value = clipped(LAB.x, low, high)
    if centre is not None:
        return ibis.ifelse(finite(LAB.x), value - float(centre), None)
    return ibis.ifelse(finite(LAB.x), value, None).nullif(0.0)


def weighed(value):
    return LAB.select(
        PATIENT,
        "__physician",
        code=ibis.literal("A"),
        __w0=value,
        __w1=ibis.ifelse(finite(LAB.x), ibis.literal(1, "int8"), None),
    )


def fetched(connection, rows):
    sql = compile_hardened(rows, connection.aggregates).sql
    return connection.fetch(f"SELECT __w0, __w1 FROM ({sql}) ORDER BY {PATIENT}").to_pydict()


@settings(max_examples=40, deadline=None)
@given(st.lists(Value, min_size=1, max_size=8), st.sampled_from([0, 1, -5]), st.sampled_from([None, 0, 5]))
def test_values_are_the_same(values, low, centre):
    connection, rows = holding(values), weighed(deviation(low=low, centre=centre))
    assert fetched(connection, plainly(connection, rows)) == fetched(connection, rows)


@pytest.mark.parametrize(
    "values, gone",
    [
        ([1.0, None, 9.5], {ops.SearchedCase, ops.IsNan, ops.IsInf, ops.NullIf}),
        ([0.0, None, 9.5], {ops.SearchedCase, ops.IsNan, ops.IsInf}),
        ([1.0, 10.5], {ops.IsNan, ops.IsInf}),
        ([1.0, math.nan], set()),
        ([None], set()),
    ],
)
def test_what_no_value_meets_is_left_out(values, gone):
    connection = holding(values)
    made = plainly(connection, weighed(deviation())).op()
    every = {ops.SearchedCase, ops.IsNan, ops.IsInf, ops.NullIf}
    assert {kind for kind in every if not made.find(kind)} == gone


def test_other_cases_are_left_alone():
    """The bounds the wrong way round, another value in the middle, a third case."""
    connection = holding([1.0, 9.5])
    for made in (
        ibis.cases((LAB.x > 0.0, 0.0), (LAB.x < 10.0, 10.0), else_=LAB.x),
        ibis.cases((LAB.x > 10.0, 10.0), (LAB.x < 0.0, 0.0), else_=LAB.age.cast("float64")),
        ibis.cases((LAB.x > 10.0, 10.0), (LAB.x < 0.0, 0.0), (LAB.x == 1.0, 2.0), else_=LAB.x),
        ibis.cases((LAB.x > 10.0, 7.0), (LAB.x < 0.0, 0.0), else_=LAB.x),
    ):
        assert plainly(connection, weighed(made)).op().find(ops.SearchedCase)


@pytest.mark.parametrize(
    "values, shared", [([1.0, None, 9.5], True), ([0.0, None, 9.5], False), ([1.0, math.nan], False)]
)
def test_a_value_and_its_count_are_known_to_count_the_same_rows(values, shared):
    connection = holding(values)
    bounds = {"bounds": (0.0, 10.0)}
    measures = (measure_of(MeasureKind.SUM, "__w0", **bounds), measure_of(MeasureKind.ROWS, "__w1"))
    made = source(connection, release((), measures, rows=weighed(deviation())))
    assert (made.presence("__w0") == made.presence("__w1")) is shared


def test_whole_numbers_are_as_plain():
    connection = holding([1.0], ages=(0, 98))
    age = clipped(LAB.age.cast("float64"), 0, 120)
    rows = weighed(ibis.ifelse(LAB.age.notnull(), age - 60.0, None))
    made = plainly(connection, rows)
    assert not made.op().values["__w0"].find((ops.SearchedCase, ops.IfElse))
    assert fetched(connection, made) == fetched(connection, rows)
