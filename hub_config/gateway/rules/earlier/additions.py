"""What a person can add up of one answer, against what was shown before. Pure.

Where few patients or none tell a sum of the answer's cells from an anchor (or from another sum shown), the
sum must give that value: the largest cell that was to be shown with a value of its own takes the difference.
Were it left as it is, every way of splitting a group would be one more independent estimate of its size. A
sum made of values known before tells nothing new and is left alone. A cell that would fall below the
threshold is withheld instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.earlier.anchors import UNION, Anchors, Union, rolled_up, summed
from hub_config.gateway.rules.earlier.rivals import Reach
from hub_config.gateway.rules.earlier.sketches import fingerprints, folded, near
from hub_config.gateway.rules.earlier.subsets import LARGEST_BATCH, subsets
from hub_config.gateway.rules.memory import Batch, Settlement
from hub_config.governance.ledger.group import Kind

Flags = NDArray[np.bool_]
COUNTS: Final = "count"  # the family of counts: a threshold applies to their values


class Outcome(Protocol):
    """What has become of each cell so far, to be changed in place."""

    values: Floats
    settlements: NDArray[np.int8]
    kinds: NDArray[np.int8]
    sources: Ints


@dataclass(frozen=True)
class Claim:
    """The sum of these cells is known already: it is `value`."""

    members: Ints
    value: float


@dataclass(frozen=True)
class Answer:
    """One batch whose cells are settled one by one: they stand in `anchors` from row `first` on. `rows` are
    the earlier ones that sums are compared with."""

    batch: Batch
    outcome: Outcome
    anchors: Anchors
    first: int
    rows: Ints
    reach: Reach

    @property
    def shown(self) -> Flags:
        return np.asarray(self.outcome.settlements != Settlement.WITHHELD)

    @property
    def stands_for(self) -> Ints:
        """Of each cell, the row of those whose number it shows: its own, or its anchor's."""
        sources = self.outcome.sources
        own = self.first + np.arange(len(sources))
        return np.asarray(self.anchors["origin"][np.where(sources < 0, own, sources)])


def agree_with_history(answer: Answer) -> None:
    """Move cells so that every sum with a known value gives it: the finest sums first, that of all last."""
    own = answer.outcome.settlements == Settlement.SHOWN
    if not len(answer.rows) or not own.any():
        return
    bound = np.zeros(len(own), dtype=bool)
    for claim in (*_of_subsets(answer), *_of_margins(answer)):
        _satisfy(claim, answer, own, bound)


def _satisfy(claim: Claim, answer: Answer, own: Flags, bound: Flags) -> None:
    """Move the largest cell with a value of its own, one that no earlier claim holds if there is any."""
    if not np.all(answer.shown[claim.members]):
        return  # a cell of it was withheld for an earlier claim: nobody can add it up any more
    movable = claim.members[own[claim.members]]
    gap = claim.value - float(np.nansum(answer.outcome.values[claim.members]))
    if len(movable) and gap:
        free = movable[~bound[movable]]
        among = free if len(free) else movable
        cell = int(among[np.argmax(answer.batch.patients[among])])
        own[cell] = _move(cell, gap, answer)
    bound[claim.members] = True


def _move(cell: int, gap: float, answer: Answer) -> bool:
    """Add `gap` to a cell and to those that copy it; withhold them where too little is left. Whether it is
    still shown."""
    outcome, batch = answer.outcome, answer.batch
    alike = np.append(np.flatnonzero(outcome.sources == answer.first + cell), cell)
    value = outcome.values[cell] + gap
    if batch.family == COUNTS and value < answer.reach.policy.min_patients:
        outcome.values[alike] = np.nan
        outcome.settlements[alike] = Settlement.WITHHELD
        outcome.kinds[alike] = Kind.WITHHELD
        return False
    outcome.values[alike] = value
    outcome.settlements[cell] = Settlement.SNAPPED
    return True


# --- which sums are known ----------------------------------------------------------------------------------


def comparable(anchors: Anchors, in_scope: Flags) -> Ints:
    """The rows that sums are compared with: values shown of their own, and sums of shown ones."""
    return np.flatnonzero(np.isin(anchors["kind"][: len(in_scope)], (Kind.ANCHOR, UNION)) & in_scope)


@dataclass(frozen=True)
class _Cells:
    patients: Ints
    values: Floats
    by_patient: NDArray[np.uint32]
    by_physician: NDArray[np.uint32]


def _of_margins(answer: Answer) -> Iterator[Claim]:
    batch, sketch = answer.batch, answer.anchors["by_patient"][answer.stands_for]
    codes = [np.unique(key, return_inverse=True)[1] for key in batch.keys]
    keys = np.array(codes, dtype=np.int64).reshape(len(codes), len(batch.values))
    cells = _Cells(batch.patients, answer.outcome.values, sketch, batch.vectors.by_physician)
    for union in rolled_up(keys, answer.shown):
        yield from _known_sums(union, cells, answer)


def _known_sums(union: Union, cells: _Cells, answer: Answer) -> Iterator[Claim]:
    """Each sum that few patients tell from an earlier row, with the value of the earliest."""
    anchors, rows, reach = answer.anchors, answer.rows, answer.reach
    sums = summed(cells, union).by_patient
    sketch = anchors["by_patient"][rows]
    pairs = near(sums, sketch, folded(sums), anchors["patient_bits"][rows], reach.most_few)
    words = reach.words(fingerprints(sums[pairs.left]), fingerprints(sketch[pairs.right]))
    pairs = pairs.where(pairs.distance <= reach.few(words))
    numbers, earliest = np.unique(pairs.left, return_index=True)
    for number, place in zip(numbers.tolist(), earliest.tolist(), strict=True):
        yield Claim(union.of(number), float(anchors["values"][rows[pairs.right[place]]]))


def _of_subsets(answer: Answer) -> Iterator[Claim]:
    """Sums of some cells that are no margin."""
    anchors, rows = answer.anchors, answer.rows
    shown = np.flatnonzero(answer.shown)
    if len(answer.outcome.values) > LARGEST_BATCH or len(shown) < 2:
        return
    wholes = rows[anchors["kind"][rows] == Kind.ANCHOR]
    parts = anchors.side(answer.first + shown, answer.stands_for[shown])
    for found in subsets(anchors.side(wholes), parts, answer.reach.most_few):
        row = int(wholes[found.whole])
        if answer.reach.covers_sum(anchors, row, found):
            yield Claim(shown[found.parts], float(anchors["values"][row]))
