"""Which parts make up a whole: found alike however the parts are looked up."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_config.gateway.rules.earlier import subsets
from hub_config.gateway.rules.earlier.sketches import LOWEST, Samples, lowest

BUCKETS, MOST = 64, 30  # of a sample so small, many cells know a part of theirs only


def side(cells: list[np.ndarray], groups: list[int], keys: np.ndarray, ranks: np.ndarray) -> subsets.Side:
    """Cells of these people, sampled and sketched."""
    held, thresholds, sketch = [], [], np.zeros((len(cells), BUCKETS), dtype=np.uint32)
    for number, people in enumerate(cells):
        everybody = np.sort(ranks[people])
        thresholds.append(int(everybody[MOST]) if len(everybody) > MOST else 2**32)
        held.append(everybody[everybody < thresholds[-1]])
        np.add.at(sketch[number], people % BUCKETS, keys[people])
    offsets = np.concatenate(([0], np.cumsum([len(each) for each in held]))).astype(np.int64)
    samples = Samples(np.array(thresholds, dtype=np.uint64), offsets[:-1], offsets[1:], np.concatenate(held))
    return subsets.Side(lowest(samples), samples, sketch, np.array(groups, dtype=np.int64))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_an_index_finds_the_same_parts(seed):
    draw = np.random.default_rng(seed)
    keys, ranks = (draw.integers(1, 2**32, 400).astype(np.uint32) for _ in range(2))
    whole = draw.permutation(400)[: draw.integers(20, 400)]
    parts, groups = [], []
    for group in range(3):  # the whole in four pieces, of which some are mixed with others and some overlap
        for piece in np.array_split(draw.permutation(whole), 4):
            others = draw.integers(0, 400, draw.integers(0, 6) ** 2)
            parts.append(np.unique(np.append(piece, others[: len(others) * (group > 0)])))
            groups.append(group)
    wholes = side([whole, parts[0], parts[5]], [9, 9, 9], keys, ranks)
    assert wholes.lowest.shape[1] == LOWEST
    found = []
    for often in (1, 10**6):
        with mock.patch.object(subsets, "_OFTEN", often):
            found.append(subsets.subsets(wholes, side(parts, groups, keys, ranks), 15))
    one, other = ([(each.whole, each.parts.tolist(), each.distance) for each in some] for some in found)
    assert one == other
    assert (0, [0, 1, 2, 3], 0) in one
