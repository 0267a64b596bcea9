"""Who adds most to a cell, in falling order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hub_config.gateway.evidence.contributions import Added, Contributions
from hub_config.gateway.evidence.tally import tally
from hub_config.gateway.rules.cells import TOPS
from hub_config.gateway.rules.plan import Measure, MeasureKind

CELLS = 3
ROWS = Measure("n", False, kind=MeasureKind.ROWS)
rows_of = st.dictionaries(st.tuples(st.integers(0, 20), st.integers(0, CELLS - 1)), st.integers(1, 9))


def given_by(rows: dict[tuple[int, int], int]) -> Contributions:
    unit, cell = (np.array([key[i] for key in rows], dtype=np.int64) for i in (0, 1))
    return Contributions.of(cell, unit, (), {None: Added(np.array(list(rows.values()), dtype=np.int64))})


@given(rows_of)
def test_the_largest_of_each_cell_in_falling_order(rows):
    found = tally(given_by(rows), CELLS, ROWS).tops
    for cell in range(CELLS):
        most = sorted((n for (_, where), n in rows.items() if where == cell), reverse=True)[:TOPS]
        assert found[cell].tolist() == most + [0] * (TOPS - len(most))


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=40))
def test_of_a_sum_they_are_the_largest_in_size_with_what_they_add(values):
    total = np.array(values)
    unit = np.arange(len(total))
    one = np.ones(len(total), dtype=np.int64)

    added = Added(one, total, np.abs(total))
    given_values = Contributions.of(0 * unit, unit, (), {"x": added})
    found = tally(given_values, 1, Measure("s", False, kind=MeasureKind.SUM, weight="x"))
    most = sorted(np.abs(total), reverse=True)[:TOPS]
    assert found.tops[0].tolist() == most + [0] * (TOPS - len(most))
    assert np.array_equal(np.abs(found.nets), found.tops) and set(found.nets[0]) <= {*total, 0.0}


def test_distinct_patients_have_no_rows_to_stand_out_by():
    patients = Measure("n", False, kind=MeasureKind.PATIENTS)
    assert tally(given_by({(1, 0): 7}), CELLS, patients).tops is None
