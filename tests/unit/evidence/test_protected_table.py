"""The table that a person gets, from settled values."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hub_config.gateway.rules.plan import Domain, Measure, MeasureKind, Release
from hub_config.gateway.rules.protect import Shown, table
from p4dp_sdk.wire.errors import ErrorCode, Refusal

CODES = Domain(("code",), (("A",), ("B",), (None,)))
SEXES = Domain(("sex",), (("F",), ("M",)))


def release(keys=("code", "sex"), domains=(CODES, SEXES), closed=True, **columns) -> Release:
    columns = columns or {"n": "int64"}
    kinds = {"int64": MeasureKind.ROWS, "float64": MeasureKind.SUM}
    measures = tuple(Measure(name, conditional=False, kind=kinds[dtype]) for name, dtype in columns.items())
    schema = ibis.schema({**dict.fromkeys(keys, "string"), **columns})
    return Release("r", ibis.table(schema, name="t"), schema, tuple(keys), measures, domains, closed)


def shown(values, withheld, snapped=None) -> Shown:
    return Shown(np.array(values), np.array(withheld, dtype=bool), snapped)


def test_closed_tables_come_back_whole_and_unknown_labels_if_shown():
    labels = (("B", "M"), ("A", "F"), (None, "F"), ("Z", "M"), (None, "M"))
    made = table(release(), labels, {"n": shown([20, 5, 30, 40, 2], [False, True, False, False, True])})
    rows = [tuple(row.values()) for row in made.frame.to_pylist()]
    assert rows == [
        ("A", "F", None), ("A", "M", None), ("B", "F", None), ("B", "M", 20), ("Z", "M", 40), (None, "F", 30),
    ]  # fmt: skip
    assert (made.measures["n"].shown, made.measures["n"].withheld) == (3, 3)
    assert not made.rows_may_be_missing and "frequency" in made.reasons


def test_open_keys_lose_their_failing_rows():
    made = table(release(closed=False), (("x", "y"), ("a", "b")), {"n": shown([20, 5], [False, True])})
    assert made.frame.num_rows == 1 and made.rows_may_be_missing and made.reasons == ()


def test_nothing_stands_under_a_mark():
    made = table(
        release(keys=("sex",), domains=(SEXES,)), (("F",), ("M",)), {"n": shown([7, 99], [True, False])}
    )
    values = made.frame.column("n").combine_chunks()
    assert np.frombuffer(values.buffers()[1], dtype=np.int64)[:2].tolist() == [0, 99]


def test_a_number_that_is_none_is_withheld():
    made = table(
        release(keys=("sex",), domains=(SEXES,), total="float64"),
        (("F",), ("M",)),
        {"total": shown([np.nan, np.inf], [False, False])},
    )
    assert made.frame.column("total").null_count == 2 and made.measures["total"].withheld == 2


def test_whole_numbers_are_rounded_and_snapped_cells_named():
    made = table(
        release(keys=("sex",), domains=(SEXES,)),
        (("F",), ("M",)),
        {"n": shown([19.9999, 30.0], [False, False], np.array([True, False]))},
    )
    assert made.frame.column("n").to_pylist() == [20, 30]
    assert made.measures["n"].snapped == 1 and made.measures["n"].snapped_labels == (("F",),)


@pytest.mark.parametrize("labels", [(), ((),)])
def test_a_table_of_one_cell_has_one_row_whoever_is_in_it(labels):
    made = table(release(keys=(), domains=()), labels, {"n": shown([3] * len(labels), [True] * len(labels))})
    assert made.frame.to_pylist() == [{"n": None}]


def test_all_cells_small_look_like_none():
    labels = (("A", "F"), ("B", "M"))
    empty = table(release(), (), {"n": shown(np.empty(0, dtype=np.int64), [])})
    small = table(release(), labels, {"n": shown([10, 1], [True, True])})
    assert empty.frame.equals(small.frame) and empty.measures == small.measures
    assert empty.reasons == small.reasons


def test_one_cell_twice_is_refused():
    with pytest.raises(Refusal) as refused:
        table(release(), (("A", "F"), ("A", "F")), {"n": shown([20, 30], [False, False])})
    assert refused.value.code is ErrorCode.ENGINE_FAILED


def test_a_hundred_thousand_cells():
    days = tuple((datetime.date(2000, 1, 1) + datetime.timedelta(n),) for n in range(1_000))
    keys = {"day": "date", "code": "string"}
    domains = (Domain(("day",), days), Domain(("code",), tuple((f"c{n}",) for n in range(100))))
    schema = ibis.schema({**keys, "n": "int64"})
    asked = Release(
        "r", ibis.table(schema, name="t"), schema, tuple(keys), (Measure("n", False),), domains, True
    )
    labels = tuple((day, f"c{n}") for (day,) in days for n in range(0, 100, 2))
    made = table(asked, labels, {"n": Shown(np.arange(50_000), np.arange(50_000) % 3 == 0)})
    assert made.frame.num_rows == 100_000 and made.measures["n"].shown == 33_333
    assert made.frame.column("n").to_pylist()[:4] == [None, None, 1, None]
