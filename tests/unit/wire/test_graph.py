"""The codec: whatever is wrong with a document ends in a Refusal with the right code, and in nothing else."""

from __future__ import annotations

import datetime
import json
import math

import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis import _

from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.graph import decode, encode
from p4dp_sdk.wire.protocol import Limits
from p4dp_sdk.wire.user_tables import MAX_ROWS
from p4dp_sdk.wire.vocabulary import OPERATIONS

PEOPLE = ibis.schema({"patient_id": "int64", "sex": "string", "born": "date", "value": "float64"})
people = ibis.table(PEOPLE, name="people")


def schema_of(name: str) -> ibis.Schema:
    if name != "people":
        raise Refusal(ErrorCode.UNKNOWN_TABLE, table=name)
    return PEOPLE


def document(*nodes: object, **fields: object) -> bytes:
    return json.dumps({"protocol": 1, "nodes": list(nodes), **fields}).encode()


def table(name: str = "people") -> dict[str, object]:
    return {"op": "Table", "args": {"name": name}}


def node(op: str, **args: object) -> dict[str, object]:
    return {"op": op, "args": args}


def refusal(content: bytes, limits: Limits | None = None) -> ErrorCode:
    with pytest.raises(Refusal) as refused:
        decode(content, schema_of, limits)
    return refused.value.code


ROUND_TRIPS = {
    "literals": people.select(
        a=ibis.literal(True),
        b=ibis.literal(2**62),
        c=ibis.literal(-0.5),
        d=ibis.literal("é'\"\\ \u2028"),
        e=ibis.literal(datetime.date(2020, 2, 29)),
        f=ibis.literal(datetime.datetime(2020, 2, 29, 12, 30, 15)),
        g=ibis.null("string"),
        h=ibis.literal(math.inf),
        i=ibis.literal(None),
        j=ibis.literal("1.50", type="decimal(10, 2)"),
    ),
    "intervals": people.mutate(later=_.born + ibis.interval(months=3)),
    "units": people.mutate(week=_.born.truncate("W"), year=_.born.year()),
    "dropped columns": people.drop("value", "sex"),
    "filled columns": people.fill_null({"sex": "?"}),
    "casts": people.mutate(x=_.value.cast("!int64"), y=_.sex.try_cast("date")),
    "a scalar": people.count(),
    "a column": people.sex,
    "bins": people.group_by(b=_.value.bucket([0, 0.5, 10])).agg(n=_.count()),
    "windows": people.mutate(r=ibis.row_number().over(group_by="patient_id", order_by=ibis.desc("born"))),
    "two views": people.view().join(people.view(), "patient_id").count(),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_round_trip_is_exact(name):
    written = ROUND_TRIPS[name]
    read = decode(encode(written), schema_of)
    assert read.equals(written)
    assert encode(read) == encode(written)


def test_a_users_table_travels_by_column():
    mine = ibis.memtable(
        pd.DataFrame({"code": ["A", None], "day": [datetime.date(2020, 2, 29), None], "x": [1.5, math.nan]})
    )
    content = encode(mine)
    read = decode(content, schema_of)
    assert encode(read) == content
    assert read.schema() == mine.schema()
    assert read.op().name.startswith("user_table_") and read.op().name == decode(content, schema_of).op().name


WRONG = {
    "not JSON": (b"\xff{", ErrorCode.MALFORMED),
    "no document": (b"[]", ErrorCode.MALFORMED),
    "no nodes": (b'{"protocol": 1}', ErrorCode.MALFORMED),
    "empty": (document(), ErrorCode.MALFORMED),
    "more than nodes": (document(table(), sql="SELECT 1"), ErrorCode.MALFORMED),
    "nested JSON": (
        b'{"protocol": 1, "nodes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        ErrorCode.MALFORMED,
    ),
    "a number too long to read": (b'{"protocol": 1, "nodes": [' + b"9" * 5_000 + b"]}", ErrorCode.MALFORMED),
    "another protocol": (b'{"protocol": 2, "nodes": [1]}', ErrorCode.PROTOCOL_VERSION),
    "protocol true": (b'{"protocol": true, "nodes": [1]}', ErrorCode.PROTOCOL_VERSION),
    "a node that is no node": (document(7), ErrorCode.MALFORMED),
    "a node with more": (document({**table(), "x": 1}), ErrorCode.MALFORMED),
    "forward reference": (document(node("CountStar", arg={"$": 1}), table()), ErrorCode.MALFORMED),
    "negative reference": (document(table(), node("CountStar", arg={"$": -1})), ErrorCode.MALFORMED),
    "reference by name": (document(table(), node("CountStar", arg={"$": "0"})), ErrorCode.MALFORMED),
    "unknown word": (document(table(), node("CountStar", arg={"pickle": "x"})), ErrorCode.MALFORMED),
    "unknown table": (document(table("objections")), ErrorCode.UNKNOWN_TABLE),
    "table with a schema": (
        document({"op": "Table", "args": {"name": "people", "schema": []}}),
        ErrorCode.MALFORMED,
    ),
    "user function": (document(node("ScalarUDF", arg=1)), ErrorCode.UNKNOWN_OPERATION),
    "SQL": (document(node("SQLQueryResult", query="SELECT 1")), ErrorCode.UNKNOWN_OPERATION),
    "randomness": (document(node("RandomScalar")), ErrorCode.UNKNOWN_OPERATION),
    "an attribute of the module": (document(node("__builtins__")), ErrorCode.UNKNOWN_OPERATION),
    "missing argument": (document(table(), node("Field", rel={"$": 0})), ErrorCode.ILL_TYPED),
    "extra argument": (document(table(), node("CountStar", arg={"$": 0}, x=1)), ErrorCode.ILL_TYPED),
    "argument of another kind": (document(table(), node("CountStar", arg="people")), ErrorCode.ILL_TYPED),
    "operation without a type": (
        document(
            node("Literal", value=1, dtype={"type": "int8"}),
            node("Literal", value=True, dtype={"type": "boolean"}),
            node("Power", left={"$": 0}, right={"$": 1}),
        ),
        ErrorCode.ILL_TYPED,
    ),
    "unknown column": (document(table(), node("Field", rel={"$": 0}, name="nope")), ErrorCode.ILL_TYPED),
    "nested type": (
        document(node("Literal", value=None, dtype={"type": "array<int64>"})),
        ErrorCode.MALFORMED,
    ),
    "literal of another type": (
        document(node("Literal", value="x", dtype={"type": "int64"})),
        ErrorCode.ILL_TYPED,
    ),
    "impossible date": (
        document(node("Literal", value={"date": "2021-02-29"}, dtype={"type": "date"})),
        ErrorCode.MALFORMED,
    ),
    "impossible unit": (
        document(
            table(),
            node("Field", rel={"$": 0}, name="born"),
            node("DateTruncate", arg={"$": 1}, unit={"unit": ["X", 1]}),
        ),
        ErrorCode.MALFORMED,
    ),
    "a sort key is no answer": (
        document(
            table(), node("Field", rel={"$": 0}, name="born"), node("SortKey", arg={"$": 1}, ascending=True)
        ),
        ErrorCode.MALFORMED,
    ),
    "reserved name": (
        document(
            table(),
            node("Field", rel={"$": 0}, name="sex"),
            node("Project", parent={"$": 0}, values={"map": [["__patient", {"$": 1}]]}),
        ),
        ErrorCode.MALFORMED,
    ),
    "names alike but for case": (
        document(
            table(),
            node("Field", rel={"$": 0}, name="sex"),
            node("Project", parent={"$": 0}, values={"map": [["sex", {"$": 1}], ["SEX", {"$": 1}]]}),
        ),
        ErrorCode.MALFORMED,
    ),
    "one name twice": (
        document(
            table(),
            node("Field", rel={"$": 0}, name="sex"),
            node("Project", parent={"$": 0}, values={"map": [["a", {"$": 1}], ["a", {"$": 1}]]}),
        ),
        ErrorCode.MALFORMED,
    ),
    "unprintable name": (
        document(
            table(),
            node("Field", rel={"$": 0}, name="sex"),
            node("Project", parent={"$": 0}, values={"map": [["a\u0000b", {"$": 1}]]}),
        ),
        ErrorCode.MALFORMED,
    ),
    "user table without columns": (document(node("Memtable", schema=[], columns=[])), ErrorCode.MALFORMED),
    "user table with ragged columns": (
        document(node("Memtable", schema=[["a", "int64"], ["b", "int64"]], columns=[[1], [1, 2]])),
        ErrorCode.MALFORMED,
    ),
    "user table of another type": (
        document(node("Memtable", schema=[["a", "int64"]], columns=[["x"]])),
        ErrorCode.ILL_TYPED,
    ),
    "user table with a reserved column": (
        document(node("Memtable", schema=[["__patient", "int64"]], columns=[[1]])),
        ErrorCode.MALFORMED,
    ),
    "user table too long": (
        document(node("Memtable", schema=[["a", "int64"]], columns=[[1] * (MAX_ROWS + 1)])),
        ErrorCode.USER_TABLE_RULE,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_by_name(name):
    content, code = WRONG[name]
    assert refusal(content, Limits(request_bytes=10**6)) is code


def test_limits():
    assert refusal(b" " * 300_000) is ErrorCode.TOO_LARGE
    assert refusal(document(*[table()] * 30), Limits(nodes=29)) is ErrorCode.TOO_MANY_NODES
    deep = people.value
    for _i in range(60):
        deep = deep.abs()
    assert decode(encode(people.select(x=deep)), schema_of, Limits(depth=63)) is not None
    assert refusal(encode(people.select(x=deep)), Limits(depth=62)) is ErrorCode.TOO_DEEP


@pytest.mark.parametrize(
    "expr", [people.select(x=ibis.random()), people.select(x=_.sex.hash()), people.select(x=ibis.now())]
)
def test_what_has_no_word_is_not_sent(expr):
    with pytest.raises(Refusal) as refused:
        encode(expr)
    assert refused.value.code is ErrorCode.UNKNOWN_OPERATION


def test_the_vocabulary_holds_no_function_of_the_engine_or_of_the_user():
    for name in (
        "ScalarUDF",
        "AggUDF",
        "SQLQueryResult",
        "SQLStringView",
        "RandomScalar",
        "Hash",
        "TimestampNow",
        "RowID",
    ):
        assert name not in OPERATIONS


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_words = st.sampled_from(
    ["$", "list", "map", "set", "type", "unit", "date", "timestamp", "decimal", "float", "interval", "x"]
)
_values = st.recursive(
    _scalars | st.builds(lambda i: {"$": i}, st.integers(-1, 6)) | st.just({"type": "int64"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_words, inner, max_size=1)
        | st.builds(
            lambda pairs: {"map": [list(pair) for pair in pairs]},
            st.lists(st.tuples(st.text(max_size=3), inner), max_size=2),
        )
    ),
    max_leaves=6,
)
_NAMES = """
arg name rel parent values predicates left right where dtype value to unit groups metrics first rest
keys n offset how table schema columns cases results default bool_expr identifier distinct func
group_by order_by start end
"""
_arguments = st.sampled_from(_NAMES.split())
_nodes = st.fixed_dictionaries(
    {
        "op": st.sampled_from([*OPERATIONS, "Table", "Memtable", "Nope"]),
        "args": st.dictionaries(_arguments, _values, max_size=4),
    }
)
_quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decodes_or_refuses(content: bytes) -> None:
    try:
        decode(content, schema_of)
    except Refusal as refused:
        assert all(isinstance(value, str | int) for value in refused.params.values())


@_quick
@given(st.lists(_nodes, min_size=1, max_size=6))
def test_any_graph_decodes_or_is_refused(nodes):
    decodes_or_refuses(json.dumps({"protocol": 1, "nodes": [table(), *nodes]}).encode())


@_quick
@given(
    st.recursive(
        _scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=10
    )
)
def test_any_json_is_refused(content):
    with pytest.raises(Refusal):
        decode(json.dumps(content).encode(), schema_of)


@_quick
@given(st.binary(max_size=64))
def test_any_bytes_are_refused(content):
    with pytest.raises(Refusal):
        decode(content, schema_of)


@_quick
@given(st.data())
def test_a_sound_document_damaged_anywhere_decodes_or_is_refused(data):
    sound = json.loads(
        encode(people.group_by("sex").agg(n=_.count(where=_.value > 1)).order_by("n").limit(3))
    )
    position = data.draw(st.integers(0, len(sound["nodes"]) - 1))
    args = sound["nodes"][position]["args"]
    name = data.draw(st.sampled_from(sorted(args)))
    args[name] = data.draw(_values)
    decodes_or_refuses(json.dumps(sound).encode())
