"""What an engine elsewhere is asked for, and what never leaves the gateway."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.operations as ops
import pytest

from hub_config.gateway.engines.declaring import declared
from hub_config.gateway.engines.port import stored, temporary
from hub_config.gateway.engines.pushdown import SAFE, Parted, parted

COLUMNS = {
    "patient_no": "int64", "physician_no": "int32", "code": "string", "date": "date", "value": "float64",
    "raw": "string",
}  # fmt: skip
D = stored("diagnoses", COLUMNS)
P = stored("patients", {"patient_no": "int64", "sex": "string", "age": "int32"})
OBJECTING = temporary("objecting_patients", {"patient_no": "int64"})


@ibis.udf.scalar.builtin(signature=(("int64",), "int64"))
def named(number):  # a key is needed for it
    raise NotImplementedError


def shared(expression: ibis.Table) -> Parted:
    return parted(expression, {}, SAFE, "here")


def asked(expression: ibis.Table) -> list[ibis.Table]:
    return [fragment.rows for fragment in shared(expression).fragments]


def operations(expression: ibis.Table) -> set[str]:
    return {type(node).__name__ for rows in asked(expression) for node in rows.op().find(ops.Node)}


def test_only_the_columns_that_are_read() -> None:
    (rows,) = asked(D.group_by(D.code.upper()).agg(n=D.patient_no.nunique()))
    assert set(rows.columns) == {"code", "patient_no"}


def test_a_count_of_rows_reads_next_to_nothing() -> None:
    (rows,) = asked(D.filter(D.raw.like("%x%")).count().as_table())
    assert len(rows.columns) <= 2
    (rows,) = asked(D.count().as_table())
    assert len(rows.columns) == 1


def test_conditions_sink_below_renaming_and_joins() -> None:
    granted = D.anti_join(OBJECTING, "patient_no").select(patient_id=D.patient_no, cisp2=D.code, day=D.date)
    seen = temporary("diagnoses", dict(granted.schema().items()))
    joined = seen.join(P, seen.patient_id == P.patient_no)
    chosen = joined.filter(joined.cisp2 == "T90", joined.day >= date(2020, 1, 1), joined.sex == "F")
    parts = parted(chosen, {"diagnoses": granted}, SAFE, "here")
    left, right = sorted((each.rows for each in parts.fragments), key=lambda rows: "sex" in rows.columns)
    assert left.op().find(ops.JoinChain) and left.op().find(ops.GreaterEqual)
    assert set(right.columns) == {"patient_no", "sex", "age"}


def test_a_condition_never_passes_what_looks_at_other_rows() -> None:
    place = ibis.row_number().over(group_by=D.patient_no, order_by=D.date)
    first = D.mutate(place=place).filter(ibis._.code == "T90")
    (rows,) = asked(first)
    assert not rows.op().find(ops.Filter)


@pytest.mark.parametrize(
    "chosen",
    [
        D.filter(ibis.row_number().over(group_by=D.patient_no, order_by=D.date) == 0),
        D.filter(D.date == D.date.max().over(group_by=D.patient_no)),
        D.join(P, "patient_no").select(
            D.patient_no, D.code, n=ibis.row_number().over(group_by=D.patient_no, order_by=D.date)
        ),
    ],
    ids=["the first row of each", "the last day of each", "numbered in a join"],
)
def test_nor_a_window_in_a_condition_or_a_join(chosen: ibis.Table) -> None:
    """ "Was the first diagnosis this one?" is not "is there one?"."""
    for rows in asked(chosen.filter(ibis._.code == "T90")):
        assert not rows.op().find(ops.Equals)


def test_no_engine_sees_its_own_settings_asked_for() -> None:
    for text in ("${env:HOME}", "a ${spark.app.name}"):
        expression = D.filter(D.code == text)
        assert all(not rows.op().find(ops.Literal) for rows in asked(expression))


@pytest.mark.parametrize(
    "value",
    [
        D.raw.cast("int32"), 1 / D.value, D.value * 2, D.code.like("%8%"), D.code.re_search("8"),
        D.code.upper(), D.date.year(), D.value.round(), named(D.patient_no), D.patient_no.cast("int8"),
        D.code + "x", D.value.cast("int64"), D.value.sqrt(), D.date + ibis.interval(days=1),
    ],
)  # fmt: skip
def test_what_could_fail_or_mean_something_else_stays(value: ibis.Value) -> None:
    for expression in (D.select(x=value), D.filter(value.notnull()), D.group_by(x=value).agg(n=D.count())):
        sent = operations(expression)
        assert sent <= {"UnboundTable", "Project", "Field", "Filter", "NotNull", "Namespace"}


def test_a_table_of_ones_own_stays() -> None:
    mine = ibis.memtable({"code": ["T90"], "label": ["secret of mine"]})
    parts = shared(D.join(mine, "code"))
    assert all(not fragment.rows.op().find(ops.InMemoryTable) for fragment in parts.fragments)
    assert parts.rest.op().find(ops.InMemoryTable)


def test_a_number_under_a_pseudonym_is_not_looked_for_elsewhere() -> None:
    seen = D.select(patient_id=named(D.patient_no), code=D.code)
    (rows,) = asked(seen.filter(seen.patient_id == 123_456, seen.code == "T90"))
    assert {str(node.value) for node in rows.op().find(ops.Literal)} == {"T90"}


def test_counts_by_patient_are_worked_out_there_and_sums_here() -> None:
    each = D.group_by("patient_no").agg(n=D.count(), last=D.date.max())
    (rows,) = asked(each.group_by("n").agg(people=each.count()))
    assert rows.op().find(ops.Aggregate)
    (rows,) = asked(D.group_by("patient_no").agg(total=D.value.sum()))
    assert not rows.op().find(ops.Aggregate)


def test_text_that_no_engine_takes_stays() -> None:
    for text in ("a\0b", "\ud800"):
        (rows,) = asked(D.filter(D.code == text))
        assert not rows.op().find(ops.Literal)


@pytest.mark.parametrize("ill", [D.patient_no, D.filter(D.code == "T90").patient_no], ids=["all", "chosen"])
def test_what_a_value_is_looked_for_in_is_fetched_as_one_column(ill: ibis.Column) -> None:
    for question in (P.mutate(ill=P.patient_no.isin(ill)), P.filter(~P.patient_no.isin(ill))):
        fetched = [rows for rows in asked(question) if "sex" not in rows.columns]
        assert [rows.columns for rows in fetched] == [("patient_no",)]


def test_a_small_table_of_the_session_may_stand_beside() -> None:
    until = temporary("until", {"patient_no": "int64", "last": "date"})
    beside = D.left_join(until, "patient_no")
    (rows,) = asked(beside.select(beside.code, beside["last"]))
    assert rows.op().find(ops.JoinChain)
    assert len(asked(D.left_join(P, "patient_no"))) == 2  # a large one could make many rows of few


def test_what_is_left_is_the_same_question() -> None:
    """Worked out over the fetched rows in DuckDB, it gives what the whole gives."""
    rows = {
        "patient_no": [1, 1, 2, 3], "physician_no": [1, 1, 2, None], "code": ["T90", "K86", None, "T90"],
        "date": [date(2020, 1, d) for d in (1, 2, 3, 4)], "value": [1.0, None, 3.0, 4.0], "raw": list("abcd"),
    }  # fmt: skip
    backend = ibis.duckdb.connect()
    table = backend.create_table("diagnoses", ibis.memtable(rows, schema=COLUMNS).to_pyarrow())
    for ask in (
        lambda d: (
            d.filter(d.code == "T90").group_by(y=d.date.year()).agg(n=ibis._.count(), v=ibis._.value.sum())
        ),
        lambda d: d.select(d.code, d.patient_no).distinct().group_by("code").agg(n=ibis._.count()),
        lambda d: d.mutate(n=d.patient_no.count().over(group_by=d.patient_no)).filter(ibis._.n > 1)[["raw"]],
        lambda d: d.order_by(d.date.desc()).limit(2).select("raw"),
    ):
        parts = shared(ask(D))
        whole = backend.to_pyarrow(ask(table)).to_pylist()
        for fragment in parts.fragments:
            backend.create_table(fragment.name, backend.to_pyarrow(_over(fragment.rows, table)))
        local = parts.rest.op()
        found = {node: backend.table(node.name).op() for node in local.find(ops.UnboundTable)}
        rest = (found[local] if local in found else local.replace(found)).to_expr()
        assert sorted(map(str, backend.to_pyarrow(rest).to_pylist())) == sorted(map(str, whole))
        for fragment in parts.fragments:
            backend.drop_table(fragment.name)


def _over(rows: ibis.Table, table: ibis.Table) -> ibis.Table:
    tree = rows.op()
    found = {node: table.op() for node in tree.find(ops.UnboundTable)}
    return (found[tree] if tree in found else tree.replace(found)).to_expr()


def test_a_stored_table_is_asked_for_by_name_however_many_columns_it_has() -> None:
    """Ibis writes `*` for all that it knows of a table."""
    some = stored("diagnoses", {"code": "string"})
    sql = ibis.to_sql(declared(some.distinct(), lambda _: {"code": "VARCHAR", "raw": "VARCHAR"}), "postgres")
    assert "*" not in sql and "raw" not in sql
    assert "*" in ibis.to_sql(some.distinct(), "postgres")  # which it would otherwise
