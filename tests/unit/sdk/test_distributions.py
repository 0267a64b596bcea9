"""Histograms and quantiles are ordinary Ibis with literal classes: run on DuckDB, written for the gateway."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

import p4dp_sdk as p4dp
from p4dp_sdk.errors import BadClassesError, BadQuantilesError, UnknownBoundsError
from p4dp_sdk.wire.graph import decode, encode

PEOPLE = pd.DataFrame(
    {
        "patient_id": [1, 1, 2, 3, 4],
        "age": pd.array([9, 9, 10, 119, None], "Int32"),
        "value": [18.4, 25.0, 25.0, 31.0, None],
        "sex": ["F", "F", "F", "M", "M"],
    }
)


def people() -> ibis.Table:
    return ibis.memtable(PEOPLE)


def patients() -> ibis.Table:
    schema = {"patient_id": "int64", "age": "int32", "value": "float64", "sex": "string", "born": "date"}
    return ibis.table(schema, name="patients")


def counted(question: ibis.Table) -> dict[str, int]:
    frame = question.execute()
    return dict(zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True))


def labels_of(question: ibis.Table) -> list[str]:
    """The classes that the question writes, in their order."""
    (cases,) = question.op().find(ibis.expr.operations.SearchedCase)
    return [label.value for label in (*cases.results, cases.default)]


def test_patients_are_counted_once_a_class_and_missing_is_a_class() -> None:
    table = people()
    assert counted(p4dp.histogram(table.value, [18.5, 25])) == {
        "< 18.5": 1, "≥ 25": 3, "non renseigné": 1,
    }  # fmt: skip
    assert counted(p4dp.histogram(table.age, [10, 20], rows=True)) == {
        "00-09": 2, "10-19": 1, "20+": 1, "non renseigné": 1,
    }  # fmt: skip


def test_limits_come_from_the_catalogue_wherever_the_column_has_been() -> None:
    p = patients()
    filtered = p.filter(p.sex == "F")
    for column in (p.age, filtered.age, filtered.join(p, "patient_id").age):
        labels = labels_of(p4dp.histogram(column))
        assert (labels[0], labels[1], labels[-2], labels[-1]) == ("00-09", "10-19", "110+", "non renseigné")
        assert len(labels) == 13


def test_classes_lie_between_two_values_at_a_round_step() -> None:
    p = patients()
    assert labels_of(p4dp.histogram(p.age, between=(18, 80), bins=12))[:3] == ["00-19", "20-29", "30-39"]
    narrow = labels_of(p4dp.histogram(p.value, between=(0, 1), bins=4))
    assert narrow == ["< 0.25", "0.25 – < 0.5", "0.5 – < 0.75", "≥ 0.75", "non renseigné"]
    assert labels_of(p4dp.histogram(p.age, between=(0, 3), bins=20))[:3] == ["00-00", "01-01", "02+"]


def test_a_computed_column_needs_limits() -> None:
    p = patients()
    with pytest.raises(UnknownBoundsError, match="edges"):
        p4dp.histogram(p.age * 2)
    with pytest.raises(UnknownBoundsError):
        p4dp.histogram(p.value)  # the catalogue's table has no such column
    assert labels_of(p4dp.histogram(p.age * 2, [10, 20]))[0] == "00-09"


@pytest.mark.parametrize("asked", [{"between": (5, 5)}, {"bins": 1}, {"bins": 10_000}, {"edges": [3, 2]}])
def test_impossible_classes_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(BadClassesError):
        p4dp.histogram(patients().age, **asked)  # type: ignore[arg-type]


def test_quantiles_by_group() -> None:
    table = people()
    frame = p4dp.quantiles(table.value, by="sex").order_by("sex").execute()
    assert list(frame.columns) == ["sex", "patients", "p05", "p25", "p50", "p75", "p95"]
    assert frame["p50"].tolist() == [25.0, 31.0]
    assert frame["patients"].tolist() == [2, 2]
    alone = p4dp.quantiles(table.value, at=[0.025, 0.5]).execute()
    assert list(alone.columns) == ["patients", "p02_5", "p50"]


@pytest.mark.parametrize("at", [[], [0.0, 0.5], [0.5, 1.0]])
def test_a_minimum_or_maximum_is_not_asked(at: list[float]) -> None:
    with pytest.raises(BadQuantilesError, match="maximum"):
        p4dp.quantiles(patients().age, at=at)


def test_without_patients_rows_are_counted() -> None:
    centres = ibis.table({"age": "int32"}, name="patients")
    assert list(p4dp.histogram(centres.age).columns) == ["age", "rows"]


def test_both_can_be_sent() -> None:
    p = patients()
    for question in (p4dp.histogram(p.age), p4dp.quantiles(p.age, by=["sex"])):
        assert decode(encode(question), lambda _name: p.schema()).equals(question)
