"""No operation that is allowed on rows about somebody can fail on the engine, whatever the rows hold.

Random expressions over hostile values: infinities, NaN, the largest and the least numbers, NULL, empty text,
odd dates. An error would carry values, and its existence a bit.
"""

from __future__ import annotations

import datetime
import math

import duckdb
import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis.common.annotations import SignatureValidationError
from ibis.common.exceptions import IbisError
from ibis.common.temporal import DateUnit

from hub_config.gateway.rules.plan import AuthorisedQuery, BoundTable, PublicPlan
from hub_config.gateway.rules.split import split
from hub_config.gateway.rules.values import BELOW
from hub_config.governance.facts import AccessLevel
from p4dp_sdk.catalogue.model import Column, Role, Table, Unit
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import Refusal

DAY = datetime.date
TYPES = {"i": "int32", "big": "int64", "x": "float64", "s": "string", "d": "date", "b": "boolean"}
HOSTILE = {
    "i": [0, -1, 2**31 - 1, -(2**31), None, 7],
    "big": [0, 2**63 - 1, -(2**63), None, -1, 10**15],
    "x": [0.0, math.inf, -math.inf, math.nan, 1e308, None],
    "s": ["", "a", "12", "2020-02-30", "é'%_", None],
    "d": [DAY(1, 1, 1), DAY(9999, 12, 31), DAY(2020, 2, 29), None, DAY(1970, 1, 1), DAY(2000, 1, 1)],
    "b": [True, False, None, True, False, None],
}
_UNARY = """
Abs Negate Sqrt Ln Log2 Log10 Exp Floor Ceil Sign Not IsNull NotNull IsNan IsInf Lowercase Uppercase
Capitalize Strip LStrip RStrip StringLength ExtractYear ExtractMonth ExtractDay ExtractQuarter
ExtractWeekOfYear ExtractDayOfYear ExtractIsoYear DayOfWeekIndex
"""
_BINARY = """
Add Subtract Multiply Divide FloorDivide Modulus Power Equals NotEquals Less GreaterEqual And Or Xor
NullIf IdenticalTo StringContains StartsWith EndsWith
"""
UNARY, BINARY = _UNARY.split(), _BINARY.split()
CASTS = ["int8", "int32", "int64", "uint8", "float32", "float64", "string", "boolean", "date"]
LITERALS = [0, 1, -1, 7, 0.5, 1e308, 2**62, "a", "12", "", DAY(2020, 2, 29), True]


@pytest.fixture(scope="module")
def bound():
    engine = ibis.duckdb.connect()
    arrays = {
        name: pa.array(values, type=ibis.dtype(TYPES[name]).to_pyarrow()) for name, values in HOSTILE.items()
    }
    engine.create_table("hostile", pa.table(arrays))
    columns = tuple(Column(name, dtype, Role.NUMERIC, name, name) for name, dtype in TYPES.items())
    table = Table("hostile", Unit.PUBLIC, "", "", "", "", columns)
    return engine, BoundTable(table, engine.table("hostile"))


def grow(draw, pool: list[ops.Value]) -> ops.Value | None:
    """One more operation on values made so far; None where Ibis's types forbid it."""
    pick = lambda: draw(st.sampled_from(pool))  # noqa: E731
    kind = draw(
        st.sampled_from(
            ["unary", "binary", "cast", "choice", "round", "clip", "coalesce", "truncate", "literal"]
        )
    )
    try:
        match kind:
            case "unary":
                return getattr(ops, draw(st.sampled_from(UNARY)))(pick())
            case "binary":
                return getattr(ops, draw(st.sampled_from(BINARY)))(pick(), pick())
            case "cast":
                return ops.Cast(pick(), draw(st.sampled_from(CASTS)))
            case "choice":
                return ops.IfElse(pick(), pick(), pick())
            case "round":
                return ops.Round(pick(), draw(st.sampled_from([None, 0, 2])))
            case "clip":
                return ops.Clip(pick(), 0, 10)
            case "coalesce":
                return draw(st.sampled_from([ops.Coalesce, ops.Greatest, ops.Least]))((pick(), pick()))
            case "truncate":
                return ops.DateTruncate(pick(), DateUnit.WEEK)
            case _:
                return ibis.literal(draw(st.sampled_from(LITERALS))).op()
    except (IbisError, SignatureValidationError, TypeError, ValueError):
        return None


def is_typed(value: ops.Value) -> bool:
    """Ibis types late; the wire does it at once."""
    try:
        return value.dtype is not None
    except IbisError:
        return False


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_that_is_allowed_can_fail(bound, data):
    engine, table = bound
    asked = ibis.table(TYPES, name="hostile")
    pool: list[ops.Value] = [ops.Field(asked, name) for name in TYPES]
    for _i in range(data.draw(st.integers(1, 8))):
        made = grow(data.draw, pool)
        if made is not None and is_typed(made):
            pool.append(made)
    query = asked.select(z=pool[-1].to_expr())
    authorised = AuthorisedQuery(
        query, {"hostile": table}, {}, (DAY(2020, 1, 1), DAY(2020, 1, 2)), AccessLevel.AGGREGATE, Policy()
    )
    try:
        plan = split(authorised)
    except Refusal:
        return
    assert isinstance(plan, PublicPlan)
    try:
        sql = ibis.to_sql(plan.expression, dialect="duckdb")
        rows = engine.raw_sql(sql).fetchall()
    except (IbisError, duckdb.BinderException):
        return  # says what the query is, before any row is read
    assert len(rows) == 6  # any other error is the failure


def test_every_operation_here_has_a_rule():
    assert all(getattr(ops, name) in BELOW for name in (*UNARY, *BINARY))


def test_the_hostile_values_do_make_an_engine_fail(bound):
    engine, _table = bound
    for unsafe in ("sqrt(x)", "i * i", "CAST(s AS INT)", "CAST(floor(x) AS BIGINT)", "ln(x)"):
        with pytest.raises(Exception, match="Error"):
            engine.raw_sql(f"SELECT {unsafe} FROM hostile").fetchall()
