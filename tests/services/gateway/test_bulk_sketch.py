"""Sketches made while rows stream by are those of all contributions at once, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence import growing, lowest_ranks, measure, tally
from hub_config.gateway.evidence.ahead import ahead
from hub_config.gateway.rules.cells import SAMPLE_SIZE, Cells
from hub_config.gateway.rules.plan import PATIENT, MeasureKind
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
    measure_of,
    release,
    session,
    table_of,
)

POSITIVE = measure_of(MeasureKind.SUM, "__w1", name="unbounded", family="sum:y")
ROWS = st.lists(
    st.tuples(
        st.sampled_from((*CODES, None)),
        st.sampled_from((*SEXES, None)),
        st.integers(0, 40),
        st.sampled_from((0, 1, 2, 3, 40, None)),
        st.sampled_from((1, None)),
        st.sampled_from((-50.0, -0.0004, 0.0, 1.5, 60.125, 99.9995, None)),
    ),
    max_size=80,
)
MEASURES = st.sampled_from([ALL, (COUNTED,), (PEOPLE,), (COUNTED, CHOSEN, SUMMED), (PEOPLE, POSITIVE)])


def plain(rows):
    return rows


def repeated(rows):
    """Each patient's rows with each of their rows: people weigh as many rows as they have."""
    return rows.join(rows.view(), PATIENT).select(*[rows[name] for name in rows.columns])


def without_objectors(rows):
    return rows.filter(rows[PATIENT].notin((0, 5, 17)))


RELATIONS = (plain, repeated, without_objectors)


def same_vectors(bulk: Cells, whole: Cells) -> None:
    """Cell by cell, whatever their order."""
    assert set(bulk.labels) == set(whole.labels)
    order = [bulk.labels.index(label) for label in whole.labels]
    for one, other in zip(bulk.columns, whole.columns, strict=True):
        for name in ("by_patient", "by_physician", "physician_counts", "threshold", "records"):
            made = getattr(one.vectors, name)
            assert np.array_equal(made[order], getattr(other.vectors, name)), (other.measure.name, name)
        for number, place in enumerate(order):
            assert np.array_equal(sample(one.vectors, place), sample(other.vectors, number))


def sample(vectors, cell):
    return vectors.ranks[vectors.offsets[cell] : vectors.offsets[cell + 1]]


def both(rows, asked):
    connection = session(t=table_of(rows))
    return (measure(connection, asked, Policy(), RING, whole_up_to=most) for most in (-1, len(rows)))


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from([(), ("code",), ("code", "sex")]), MEASURES, st.sampled_from(RELATIONS))
@example([("A", "F", 5, 1, 1, 1.5)] * 30, ("code",), ALL, RELATIONS[1])
def test_any_rows(rows, keys, measures, relation):
    """GPs who change or are missing, conditions, sums; a few entries at once, so that many are split."""
    asked = release(keys=keys, measures=measures)
    asked = replace(asked, rows=relation(asked.rows))
    with mock.patch.object(growing, "_AT_ONCE", 7), mock.patch.object(tally, "_AT_ONCE", 7):
        same_vectors(*both(rows, asked))


def test_patients_without_gps():
    rows = [("A", "F", p % 30, None, 1, 1.0) for p in range(60)]
    same_vectors(*both(rows, release(keys=("code",), physicians=())))


def test_unknown_numbers_and_too_many_cells_are_refused():
    known = growing.Known(RING.patients(100), np.zeros(3, dtype=np.int64))
    for unit, gp in ((100, 0), (-1, 0), (0, 2), (0, -2)):
        with pytest.raises(Refusal) as refused:
            growing.Entries(known, *(np.array([number]) for number in (0, unit, gp)))
        assert refused.value.code is ErrorCode.SNAPSHOT_CORRUPT
    with pytest.raises(Refusal) as refused:
        growing.Packing(known, 2**60)
    assert refused.value.code is ErrorCode.TOO_MANY_CELLS


def test_what_is_taken_ahead_comes_in_order_and_fails_in_its_place():
    def made():
        yield from range(5)
        raise KeyError("after five")

    taken = ahead(made(), 3)
    assert [next(taken) for _ in range(5)] == list(range(5))
    with pytest.raises(KeyError, match="after five"):
        next(taken)
    assert list(ahead(iter(range(20)), 3)) == list(range(20))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3 * SAMPLE_SIZE), st.integers(1, 60))
def test_the_lowest_ranks_of_a_stream(seed, cells, patients, a_batch):
    """Few different ranks, so that many are equal; contributors come again."""
    draw = np.random.default_rng(seed)
    ranks = draw.integers(0, 2 * patients, patients).astype(np.uint32)
    cell, unit = draw.integers(0, cells, 4 * patients), draw.integers(0, patients, 4 * patients)
    with mock.patch.multiple(lowest_ranks, _LEAST_HELD=1, _A_BLOCK=100):
        stream = lowest_ranks.LowestRanks(cells)
        for start in range(0, len(cell), a_batch):
            stream.add(cell[start : start + a_batch], unit[start : start + a_batch], ranks)
        offsets, found, threshold = stream.found(ranks)
    for number in range(cells):
        everybody = np.sort(ranks[np.unique(unit[cell == number])])
        limit = everybody[SAMPLE_SIZE] if len(everybody) > SAMPLE_SIZE else 2**32
        assert threshold[number] == limit
        assert np.array_equal(found[offsets[number] : offsets[number + 1]], everybody[everybody < limit])
