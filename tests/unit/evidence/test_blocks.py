"""Evidence of cells looked at some at a time, of patients read part by part, against all of it at once."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence import tally
from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, Added, Contributions, Packing
from hub_config.gateway.evidence.counted import Counted
from hub_config.gateway.evidence.layout import Layout, Margin
from hub_config.gateway.rules.plan import Measure, MeasureKind

CELLS = 6
MARGINS = (
    Margin(np.arange(CELLS) % 2, np.ones(CELLS, dtype=bool), partitions=False),
    Margin(np.arange(CELLS) // 2, np.arange(CELLS) > 1, partitions=True),
)
ENTRIES = st.dictionaries(
    st.tuples(st.integers(0, CELLS - 1), st.integers(0, 9), st.integers(NO_PHYSICIAN, 3)),
    st.tuples(st.integers(0, 5), st.integers(-9, 9)),
    max_size=60,
)
KINDS = st.sampled_from([MeasureKind.PATIENTS, MeasureKind.ROWS, MeasureKind.SUM])


def contributions(entries) -> Contributions:
    keys = np.array(sorted(entries), dtype=np.int64).reshape(-1, 3)
    rows, total = (np.array([entries[tuple(key)][i] for key in keys], dtype=np.int64) for i in (0, 1))
    added = Added(rows, total * 1.0, abs(total) * 1.0)
    return Contributions.of(keys[:, 0], keys[:, 1], [keys[:, 2]], {"x": added})


@settings(max_examples=40, deadline=None)
@given(ENTRIES, KINDS, st.booleans(), st.integers(1, 30))
def test_it_is_the_same(entries, kind, conditional, at_once):
    laid, measure = Layout(CELLS, MARGINS), Measure("n", conditional, kind=kind, weight="x")
    whole = tally.backing([contributions(entries)], laid, measure, 2)
    parts = [contributions({key: entries[key] for key in entries if key[1] % 3 == i}) for i in range(3)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tally, "_AT_ONCE", at_once)
        found = tally.backing(parts, laid, measure, 2)
    for name, expected in asdict(whole).items():
        assert np.array_equal(getattr(found, name), expected), name


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, CELLS - 1), st.integers(0, 9), st.integers(NO_PHYSICIAN, 3))))
def test_rows_as_numbers_say_the_same(rows):
    each = {row: (rows.count(row), 0) for row in rows}
    laid, measure = Layout(CELLS, MARGINS), Measure("n", False, kind=MeasureKind.ROWS)
    entries = contributions(each)
    whole = replace(entries, added={None: Added(entries.added["x"].rows)})
    packing = Packing.within([(0, CELLS), (0, 9), (NO_PHYSICIAN, 3)])
    packed = packing.packed([np.array([row[i] for row in rows], dtype=np.int64) for i in range(3)])
    found = tally.backing([Counted.of(packing, [packed])], laid, measure, 2)
    for name, expected in asdict(tally.backing([whole], laid, measure, 2)).items():
        assert np.array_equal(getattr(found, name), expected), name


def test_neighbours_are_looked_at_together_up_to_a_size(monkeypatch):
    monkeypatch.setattr(tally, "_AT_ONCE", 3)
    two_each = contributions({(cell, unit, 0): (1, 1) for cell in (0, 1, 4) for unit in range(2)})
    assert list(tally.blocks([two_each], CELLS)) == [(0, 1), (1, CELLS)]
    assert list(tally.blocks([two_each, two_each], CELLS)) == [(0, 1), (1, 4), (4, CELLS)]
    assert list(tally.blocks([contributions({})], CELLS)) == [(0, CELLS)]
