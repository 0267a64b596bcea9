"""Rows counted as one number each, against the same rows put together one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence import contributions
from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, Packing, ordered
from hub_config.gateway.evidence.counted import Counted

ROWS = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 2**40), st.integers(NO_PHYSICIAN, 3), st.integers(NO_PHYSICIAN, 1)
    ),
    max_size=30,
)


def columns(rows):
    return [np.array([row[i] for row in rows], dtype=np.int64) for i in range(4)]


@settings(max_examples=40, deadline=None)
@given(ROWS, st.booleans(), st.integers(0, 5))
def test_each_entry_has_its_rows(rows, repeated, first):
    rows = rows * 2 if repeated else rows
    packing = Packing.within([(0, 6), (0, 2**40), (NO_PHYSICIAN, 3), (NO_PHYSICIAN, 1)])
    parts = [packing.packed(columns(rows[i::3])) for i in range(3)]
    whole = Counted.of(packing, parts)
    found = whole.of_cells(first, 6)
    entries = zip(found.cell + first, found.unit, *found.physicians, strict=True)
    counted = dict(zip(map(tuple, entries), found.added[None].rows, strict=True))
    assert counted == Counter(row for row in rows if row[0] >= first)
    assert list(counted) == sorted(counted)
    assert whole.counts(6).tolist() == [len({row for row in rows if row[0] == c}) for c in range(6)]
    assert all(row[1] <= whole.highest_unit for row in rows)


@pytest.mark.parametrize("wrong", [(-1, 0), (4, 0), (0, -2), (0, 2)])
def test_what_no_number_holds_is_told(wrong):
    packing = Packing.within([(0, 3), (NO_PHYSICIAN, 0)])
    assert packing.holds([np.array([0, 3]), np.array([0, NO_PHYSICIAN])])
    assert not packing.holds([np.array([0, wrong[0]]), np.array([0, wrong[1]])])
    assert Packing.within([(0, 2**40), (0, 2**40)]) is None


@pytest.mark.parametrize("room", [0, 62])
def test_what_fits_no_number_is_sorted_all_the_same(room, monkeypatch):
    monkeypatch.setattr(contributions, "_ROOM", room)
    rows = [(1, 7, 2, -1), (0, 2**40, 3, 0), (1, 7, 2, -1), (1, 7, 0, -1)]
    assert [rows[i] for i in ordered(*columns(rows))] == sorted(rows)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_numbers_have_the_order_of_their_columns(rows):
    given_columns = columns(rows)
    packing = Packing.of(given_columns)
    assert [rows[i] for i in ordered(*given_columns)] == sorted(rows)
    unpacked = packing.unpacked(packing.packed(given_columns))
    assert [column.tolist() for column in unpacked] == [column.tolist() for column in given_columns]
