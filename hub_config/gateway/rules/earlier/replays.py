"""What a draft gives again: a cell whose very question this project was answered before. Pure.

A question has a *definition* (`definitions`): what a cell is, whatever the data. Where the same was asked
before, and what it counts now is not *far* from what it counted then, the number shown then is given again,
with its date, and a cell that failed then stays withheld. So whether somebody objected in between, or a
practice withdrew, shows in nothing: who asks learns what is on record for them already.

*Far* is more than few patients (`snap_radius` and a keyed 0 to `snap_jitter`), more than few GPs, and no GP
nearly alone: the limits that published numbers have, wider than those of drafts, since nothing is lost by
them but news. They are drawn for the pair of the two sets of people, so it does not drift: what was given
again is never what the next is measured against.

Which number is given, and which date, follows from what the project was shown. What follows from the data is
one bit, that it is not far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints
from hub_config.gateway.rules.earlier.anchors import UNION, Anchors
from hub_config.gateway.rules.earlier.rivals import Reach, are_near
from hub_config.gateway.rules.earlier.sketches import Pairs, distances
from hub_config.governance.ledger.group import DEFINITION_WORDS

Flags = NDArray[np.bool_]
Dates = NDArray[np.datetime64]

NEVER: Final = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Given:
    """Of each cell: the row whose value is given again (-1: none), whether the very same people stand behind
    it, and when this project was shown that value first."""

    rows: Ints
    same: Flags
    dates: Dates

    @classmethod
    def nothing(cls, cells: int) -> Given:
        return cls(np.full(cells, -1), np.zeros(cells, dtype=bool), np.full(cells, NEVER))


def given_again(
    anchors: Anchors, first: int, definitions: NDArray[np.uint64] | None, shown: Dates, reach: Reach
) -> Given:
    """What is given again of the cells that stand in `anchors` from row `first` on. `shown`: of each group,
    when this project was shown it in a draft first; NaT: never."""
    cells = len(anchors) - first
    if definitions is None or not np.any(definitions) or np.all(np.isnat(shown)):
        return Given.nothing(cells)
    pairs = _of_same_definition(anchors, first, definitions, shown)
    sketch = anchors["by_patient"]
    pairs = Pairs(pairs.left, pairs.right, distances(sketch, sketch, pairs.left, pairs.right))
    near = are_near(anchors, pairs, replace(reach, exact=True))
    rows = np.full(cells, -1)
    np.maximum.at(rows, pairs.left[near] - first, pairs.right[near])  # the newest
    given = np.flatnonzero(rows >= 0)
    same = np.zeros(cells, dtype=bool)
    same[given] = np.all(sketch[first + given] == sketch[rows[given]], axis=1)
    return Given(rows, same, _first_shown(anchors, pairs, rows, first, shown))


def _of_same_definition(anchors: Anchors, first: int, definitions: NDArray[np.uint64], shown: Dates) -> Pairs:
    """Each cell with the rows that this project was shown, or had withheld, under its definition."""
    groups = anchors["group"][:first]
    known = np.append(~np.isnat(shown), False)  # the last: groups of this answer itself
    drafts = ~anchors["publication"][:first] & (anchors["kind"][:first] != UNION)
    rows = np.flatnonzero(known[np.minimum(groups, len(shown))] & drafts)
    defined = anchors["definition"]
    order = np.argsort(definitions[:, -1], kind="stable")
    wanted = definitions[order]
    low = defined[rows, DEFINITION_WORDS - 1]
    at = np.minimum(np.searchsorted(wanted[:, -1], low), len(wanted) - 1)
    met = np.all(wanted[at] == defined[rows], axis=1) & np.any(defined[rows] != 0, axis=1)
    return Pairs(first + order[at[met]], rows[met], np.zeros(int(met.sum()), dtype=np.int64))


def _first_shown(anchors: Anchors, pairs: Pairs, rows: Ints, first: int, shown: Dates) -> Dates:
    """When the project was shown each cell's value for the first time, under this definition."""
    cell, values = pairs.left - first, anchors["values"]
    alike = (rows[cell] >= 0) & (values[pairs.right] == values[rows[cell]])
    dates = np.full(len(rows), np.iinfo(np.int64).max)
    np.minimum.at(dates, cell[alike], shown[anchors["group"][pairs.right[alike]]].astype(np.int64))
    return np.where(dates == np.iinfo(np.int64).max, NEVER, dates.astype("datetime64[s]"))
