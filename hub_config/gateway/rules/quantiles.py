"""A quantile from protected counts: the middle of a public bin, never somebody's value.

The range that the catalogue gives a value is halved again and again: level 0 is all of it, a leaf one step of
the value (a whole number, a tenth…). The answer is the middle of the finest of these bins that holds the
quantile and has enough patients and GPs, with enough patients on either side; without one it is withheld.
Enough is judged by blurred numbers (`limits`): else the bin's width would tell whether somebody is in it. An
order statistic would be one person's value; a bin that does not depend on the data can't be moved by anybody.
Which bin it is could be: who chooses as many people on either side of a border as it takes would see by the
bin whether one more is there. So the rank is blurred as well, by twice what those add who add most, after who
stands out was cut down (`flattening`); one draw for all quantiles of the same rows.

Evidence is read in two steps. `leaves` finds each cell's leaf from its rows per leaf; then the bins about the
leaf, one a level, are counted (`Descent`), and `settle` chooses. For one row, `Grid.shared` tells how many
levels its leaf has in common with the cell's: it lies in the bins of levels 0 to that, and below or above the
finer ones.

Steps and levels: patients.age 1 year (7 levels), prescriptions.duration_days 1 day (9), biometrics.value 0.1
(12), lab_results.value 0.1 (15), coding_confidence 0.0001 (14), counts per patient 1 (16), durations 1 (17).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from hub_config.gateway.rules.cells import Floats, Ints
from hub_config.gateway.rules.limits import SOMEBODY, clears
from hub_config.gateway.rules.plan import Measure
from p4dp_sdk.disclosure.magnitude import deviates
from p4dp_sdk.disclosure.policy import Policy

_ANY: Final = 1e-6  # rows: the first leaf that has any
_ROUNDING: Final = 1e-9  # of all rows: what adding up in another order changes
MOST_LEAVES: Final = 2**15  # of a number with a fraction: a step is the least power of ten that stays below


@dataclass(frozen=True)
class Grid:
    """`2 ** depth` leaves of width `step`, the first one about `low`. Values outside belong to the end
    leaves."""

    low: float
    step: float
    depth: int

    @property
    def leaves(self) -> int:
        return 1 << self.depth

    @property
    def edge(self) -> float:
        """Where the first leaf begins: whole steps lie in the middle of a leaf, not on a border."""
        return self.low - self.step / 2

    def leaf(self, values: Floats) -> Ints:
        """The leaf of each value: floor((value - edge) / step), within 0 and `leaves` - 1."""
        positions = np.floor((values - self.edge) / self.step)
        return np.asarray(np.clip(positions, 0, self.leaves - 1).astype(np.int64))

    def shared(self, one: Ints, other: Ints) -> Ints:
        """How many levels below the whole range two leaves are in the same bin: `depth` if they are one."""
        differing = np.bitwise_xor(one, other)
        return np.asarray(self.depth - np.frexp(differing.astype(np.float64))[1].astype(np.int64))

    def middle(self, leaf: Ints, level: Ints) -> Floats:
        """The middle of the bin of `level` about `leaf`, without the digits that a float adds."""
        height = self.depth - level
        first = (leaf >> height) << height
        middles = self.edge + (first + np.exp2(height) / 2) * self.step
        return np.asarray(np.round(middles, 1 + max(0, -_exponent(self.step))))


def grid_of(measure: Measure) -> Grid:
    """The grid of a quantile. `bounds` and `step` of the measure are public."""
    if measure.bounds is None or measure.step is None:
        raise ValueError("a quantile has bounds and a step")
    low, high = measure.bounds
    return Grid(low, measure.step, math.ceil(math.log2((high - low) / measure.step + 1)))


def step_of(low: float, high: float, whole: bool) -> float:
    """The width of a leaf between these bounds."""
    if whole or high <= low:
        return 1.0
    return float(10.0 ** math.ceil(math.log10((high - low) / MOST_LEAVES)))


def _exponent(step: float) -> int:
    return math.floor(math.log10(step) + 1e-9)


def moves(caps: Floats, uniforms: Floats, policy: Policy) -> Floats:
    """By how many rows each cell's rank is moved. `caps`: the most that anybody counts."""
    return deviates(uniforms, policy.magnitude_scale) * caps


def leaves(cells: int, cell: Ints, leaf: Ints, rows: Floats, q: float, moved: Floats) -> Ints:
    """Each cell's leaf that holds the quantile `q`: the first by which at least a share `q` of its rows, and
    as many as the rank is `moved` by, is reached. -1 where a cell has no rows.

    `cell`, `leaf` and `rows` are parallel, in any order; several entries may be of one leaf. `rows` of those
    who stand out count as fractions.
    """
    order = np.lexsort((leaf, cell))
    cell, leaf, rows = cell[order], leaf[order], rows[order]
    totals = np.bincount(cell, weights=rows, minlength=cells)
    before = np.cumsum(totals) - totals
    wanted = np.clip(q * totals + moved, np.minimum(_ANY, totals), totals) - _ROUNDING * np.maximum(totals, 1)
    reached = np.cumsum(rows) - before[cell] >= wanted[cell]
    found = np.full(cells, -1, dtype=np.int64)
    holders, first = np.unique(cell[reached], return_index=True)
    found[holders] = leaf[reached][first]
    return found


@dataclass(frozen=True)
class Descent:
    """The nested bins about each cell's quantile, from the whole range (level 0) to the leaf (level `depth`).

    `leaf[c]`: the leaf of cell c, -1 where it has no rows. Arrays of shape (cells, depth + 1), distinct
    patients who have a contributing row in the bin of that level (`patients`), in any bin below it (`below`)
    or above it (`above`): at least. A patient with several rows may be in all three. `outside_few`: those in
    the bin whose own GP (of a row in it) is none of the `min_physicians` - 1 who have most of these, the
    fewest over the tables joined; None in tables about GPs.
    """

    leaf: Ints
    patients: Ints
    below: Ints
    above: Ints
    outside_few: Ints | None


@dataclass(frozen=True)
class Supports:
    """What each cell's numbers of patients in the bin (all, and outside the largest GPs), below and above it
    are blurred by, and its rank; and at which rank who stands out is cut down. Keyed uniforms."""

    patients: Floats
    below: Floats
    above: Floats
    rank: Floats
    cut: Floats


def settle(descent: Descent, grid: Grid, policy: Policy, drawn: Supports) -> tuple[Floats, Ints]:
    """The value of each cell, NaN where it is withheld, and the level of its bin, -1 likewise."""
    enough = np.ones(descent.patients.shape, dtype=bool)
    for people, uniform, limit in (
        (descent.patients, drawn.patients, policy.min_patients),
        (descent.below, drawn.below, policy.min_patients),
        (descent.above, drawn.above, policy.min_patients),
        (descent.outside_few, drawn.patients, SOMEBODY),
    ):
        if people is not None:
            each = np.broadcast_to(uniform[:, None], people.shape)
            enough &= clears(people, limit, each, policy)
    enough &= (descent.leaf >= 0)[:, None]
    finest = np.where(enough, np.arange(grid.depth + 1), -1).max(axis=1)
    middles = grid.middle(np.maximum(descent.leaf, 0), np.maximum(finest, 0))
    return np.where(finest >= 0, middles, np.nan), finest.astype(np.int64)
