"""What the engine says of a release's cells, against loops over its rows."""

from __future__ import annotations

import math
from dataclasses import replace

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence import cross, measure
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Cells
from hub_config.gateway.rules.limits import refuse_too_many, verdicts
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.services.gateway.evidence_world import (
    ALL,
    CHOSEN,
    CODES,
    COUNTED,
    PEOPLE,
    RING,
    SEXES,
    SUMMED,
    expected,
    measure_of,
    release,
    session,
    table_of,
)

POLICY = Policy()
ROWS = st.lists(
    st.tuples(
        st.sampled_from((*CODES, None)),
        st.sampled_from((*SEXES, None)),
        st.integers(0, 12),
        st.sampled_from((0, 1, 2, 3, None)),
        st.sampled_from((1, None)),
        st.sampled_from((-50.0, -0.25, 0.0, 1.5, 60.125, None)),
    ),
    max_size=60,
)


def measured(rows, asked=None, **options) -> Cells:
    return measure(session(t=table_of(rows)), asked or release(), POLICY, RING, **options)


def check(cells: Cells, rows) -> None:
    keys = cells.release.keys
    for column in cells.columns:
        wanted, backing = expected(rows, keys, column.measure), column.backing
        assert set(cells.labels) == set(wanted)
        for number, label in enumerate(cells.labels):
            one = wanted[label]
            assert column.exact[number] == pytest.approx(one.value, abs=1e-9)
            assert backing.patients[number] == one.patients
            assert backing.physicians[number] == one.physicians
            assert backing.outside[number] == one.outside
            assert backing.outside_few[number] == one.outside_two
            assert backing.left_out[number] == (NOBODY_ELSEWHERE if one.left_out is None else one.left_out)
            assert backing.largest[number] == pytest.approx(one.largest)
            assert backing.second[number] == pytest.approx(one.second)
            assert backing.total[number] == pytest.approx(one.total)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_the_evidence_is_that_of_the_rows(rows):
    check(measured(rows), rows)


@settings(max_examples=8, deadline=None)
@given(ROWS)
def test_roll_ups_are_measured_as_if_they_had_been_asked(rows):
    kept = [("code", "sex"), ("code",), ("sex",), ()]
    rolled = cross(session(t=table_of(rows)), release(), POLICY, RING, kept)
    assert list(rolled) == kept
    for keys, cells in rolled.items():
        check(cells, rows)
        alone = measured(rows, release(keys=keys))
        order = [cells.labels.index(label) for label in alone.labels]
        for one, other in zip(cells.columns, alone.columns, strict=True):
            for name in ("by_patient", "by_physician", "physician_counts", "records", "threshold"):
                assert np.array_equal(getattr(one.vectors, name)[order], getattr(other.vectors, name))
            shares = one.backing.physician_share[order]
            assert shares == pytest.approx(other.backing.physician_share)


@settings(max_examples=8, deadline=None)
@given(ROWS)
def test_sketches_add_up(rows):
    """Cells of one group by another key share no row: their sketches are those of the whole."""
    keys: list[tuple[str, ...]] = [("code", "sex"), ()]
    asked = release(measures=(COUNTED, CHOSEN, SUMMED))
    parts, whole = cross(session(t=table_of(rows)), asked, POLICY, RING, keys).values()
    for one, other in zip(whole.columns, parts.columns, strict=True):
        for name in ("by_patient", "by_physician", "physician_counts"):
            summed = getattr(other.vectors, name).sum(axis=0, dtype=np.uint32)
            assert np.array_equal(getattr(one.vectors, name).sum(axis=0, dtype=np.uint32), summed)


def plain(patients, code="A", sex="F", gp=None):
    return [(code, sex, p, p % 4 if gp is None else gp, 1, 1.0) for p in patients]


def test_equal_record_sets_have_equal_sketches_however_they_are_asked():
    rows = [*plain(range(20)), *plain(range(20, 40), code="B")]
    by_code = measured(rows, release(keys=("code",)))
    filtered = measured(plain(range(20)), release(keys=(), measures=(PEOPLE, CHOSEN)))
    first = by_code.labels.index(("A",))
    for one in by_code.columns[:4]:
        for other in filtered.columns:
            assert np.array_equal(one.vectors.by_patient[first], other.vectors.by_patient[0])
            assert one.vectors.records[first] == other.vectors.records[0]


def test_one_patient_more_changes_one_bucket_and_the_fingerprint():
    few = measured(plain(range(20)), release(keys=()))
    more = measured(plain(range(21)), release(keys=()))
    for one, other in zip(few.columns, more.columns, strict=True):
        assert (one.vectors.by_patient[0] != other.vectors.by_patient[0]).sum() == 1
        assert one.vectors.records[0] != other.vectors.records[0]


def test_samples_hold_everybody_below_their_threshold():
    cells = measured([*plain(range(5_000)), *plain(range(100), code="B")], release(keys=("code",)))
    vectors = cells.columns[0].vectors
    big, small = cells.labels.index(("A",)), cells.labels.index(("B",))
    ranks = np.sort(RING.patients(5_000).ranks)
    found = vectors.ranks[vectors.offsets[big] : vectors.offsets[big + 1]]
    assert np.array_equal(found, ranks[ranks < vectors.threshold[big]]) and len(found) == 256
    assert vectors.threshold[small] == 2**32
    assert np.diff(vectors.offsets)[small] == 100


def test_repeated_rows_make_one_patient_weigh_their_rows_and_no_more_patients():
    cells = measured([*plain(range(15)), *plain([3] * 1_000)], release(keys=()))
    rows, people = cells.columns[0].backing, cells.columns[1].backing
    assert (rows.patients[0], rows.largest[0], rows.total[0]) == (15, 1_001, 1_015)
    assert (people.patients[0], people.largest[0]) == (15, 1)


def test_an_empty_table_has_no_cells():
    for keys in ((), ("code",), ("code", "sex")):
        cells = measured([], release(keys=keys))
        assert cells.labels == () and all(len(column.exact) == 0 for column in cells.columns)


def test_a_row_about_nobody_counts_for_nothing():
    rows = [("A", "F", None, 1, 1, 1.0), *plain(range(3))]
    assert measured(rows, release(keys=())).columns[0].exact.tolist() == [3]


def test_without_a_ledger_only_fingerprints_are_made():
    rows = plain(range(30))
    kept, bare = measured(rows), measured(rows, remember=False)
    for one, other in zip(kept.columns, bare.columns, strict=True):
        assert np.array_equal(one.vectors.records, other.vectors.records)
        assert not other.vectors.by_patient.size and not other.vectors.ranks.size


def test_infinite_and_missing_numbers_of_unbounded_sums_stay_out():
    unbounded = measure_of(MeasureKind.SUM, "__w1", name="total", family="sum:x")
    values = [1.0, math.inf, -math.inf, math.nan, 1e300, -2.0]
    rows = [("A", "F", p, 0, 1, value) for p, value in enumerate(values)]
    column = measured(rows, release(keys=(), measures=(unbounded,))).columns[0]
    assert column.backing.patients[0] == 3 and column.backing.largest[0] == 1e15
    assert math.isfinite(column.exact[0])


def test_gps_may_be_the_unit():
    rows = plain(range(40))
    asked = release(keys=("sex",), measures=(COUNTED, PEOPLE), unit="__physician", physicians=())
    of_gps = measured(rows, asked)
    assert of_gps.columns[1].exact.tolist() == [4]
    assert of_gps.columns[0].backing.physicians is None and of_gps.columns[0].backing.outside is None
    of_patients = measured(rows, release(keys=("sex",)))
    assert not np.array_equal(of_gps.columns[0].vectors.by_patient, of_patients.columns[0].vectors.by_patient)


def test_of_two_gp_columns_the_weaker_counts():
    rows = plain(range(20))
    table = release(keys=("sex",)).rows
    asked = release(
        keys=("sex",),
        measures=(COUNTED,),
        rows=table.mutate(__other=table.sex.length().cast("int32")),
        physicians=("__physician", "__other"),
    )
    backing = measured(rows, asked).columns[0].backing
    assert backing.physicians.tolist() == [1] and backing.outside.tolist() == [0]
    assert backing.physician_share.tolist() == [1.0]


def test_too_many_cells_are_those_that_may_be_shown():
    rows = [("ABC"[p % 3], None, p, p % 4, 1, 1.0) for p in range(120)]
    small = [(f"x{i}", None, i % 13, 0, 1, 1.0) for i in range(200)]
    asked = release(keys=("code",), domains=(), closed=False)
    connection = session(t=table_of([*rows, *small]))
    failing = verdicts(measure(connection, asked, POLICY, RING), POLICY, RING.prf)
    assert {len(mask) for mask in failing.values()} == {203}
    refuse_too_many(failing, Policy(max_cells=3))
    with pytest.raises(Refusal) as refused:
        refuse_too_many(failing, Policy(max_cells=2))
    assert refused.value.code is ErrorCode.TOO_MANY_CELLS


def test_strange_names_and_labels_are_names_and_labels():
    label, names = "A'\"\\;--\u202e𝒳", {'c"; DROP TABLE t; --': "code", "n0": "sex", "é ü": "code"}
    asked = release()
    hidden = [name for name in asked.rows.columns if name.startswith("__")]
    columns = {**names, **dict(zip(hidden, hidden, strict=True))}
    strange = replace(
        asked,
        rows=asked.rows.select(**{new: asked.rows[old] for new, old in columns.items()}),
        keys=tuple(names),
        schema=ibis.schema({**dict.fromkeys(names, "string"), **{m.name: asked.schema[m.name] for m in ALL}}),
        domains=(),
    )
    cells = measured([(label, "", p, p % 3, 1, 1.0) for p in range(12)], strange)
    assert cells.labels == ((label, "", label),) and cells.columns[0].exact.tolist() == [12]
