"""Whose patients the people of a cell are, against counting them one by one."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.evidence.contributions import NO_PHYSICIAN, Packing
from hub_config.gateway.evidence.counted import Counted
from hub_config.gateway.evidence.physicians import doctors_of
from hub_config.gateway.rules.plan import Measure

CELLS = 3
ROWS = st.lists(
    st.tuples(st.integers(0, CELLS - 1), st.integers(0, 4), st.integers(NO_PHYSICIAN, 2)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_each_gp_has_their_own(rows):
    cell, unit, gp = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    packing = Packing.of([cell, unit, gp])
    given_rows = Counted.of(packing, [packing.packed([cell, unit, gp])]).of_cells(0, CELLS)
    measure = Measure("n", conditional=False)
    found = doctors_of(given_rows, given_rows.physicians[0], measure, np.ones(len(rows)), CELLS)

    people, amount, of_unit = defaultdict(set), defaultdict(int), defaultdict(lambda: defaultdict(int))
    for c, u, g in rows:
        people[c, g].add(u)
        amount[c, g] += 1
        of_unit[c, u][g] += 1
    own = defaultdict(int)
    for (c, _), with_whom in of_unit.items():
        known = {g: n for g, n in with_whom.items() if g != NO_PHYSICIAN}
        if known:
            own[c, min(known, key=lambda g: (-known[g], g))] += 1
    pairs = list(zip(found.cell.tolist(), found.physician.tolist(), strict=True))
    assert pairs == sorted(people)
    assert found.patients.tolist() == [len(people[pair]) for pair in pairs]
    assert found.amount.tolist() == found.cut.tolist() == [amount[pair] for pair in pairs]
    assert found.own.tolist() == [own[pair] for pair in pairs]
    known_of = [
        {u for (c, u), gps in of_unit.items() if c == k and set(gps) - {NO_PHYSICIAN}} for k in range(CELLS)
    ]
    assert found.known.tolist() == [len(each) for each in known_of]
