"""A publication table as secondary suppression sees it: a hypercube with its margins and hierarchies, and
what is decided of each number so far. Pure.

A *slot* is one measure of one cell. Slots are tied by equations (a parent is the sum of its children, the
other coordinates fixed), by inequalities where patients may stand under several children (the largest child
≤ parent ≤ the sum), and by links and relations between the measures of one cell. Whoever reads the table
knows all of that, every slot shown, and that counts are whole and not negative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from p4dp_sdk.disclosure.policy import Policy

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Status(IntEnum):
    """What is decided of a slot before secondary suppression."""

    SAFE = 0  # may be shown, may be withheld
    PRIMARY = 1  # must be withheld, and be protected
    KNOWN = 2  # public already (an earlier publication, a structural zero): can't be withheld
    HELD = 3  # withheld in an earlier publication: stays so


class Kind(StrEnum):
    COUNT = "count"  # whole, not negative
    MAGNITUDE = "magnitude"  # a sum of amounts


@dataclass(frozen=True)
class Tree:
    """The codes of one dimension. `parents[i]` is the position of the parent of code i, which stands before
    it; -1 for the root, code 0, the total. Depth may be uneven, and a parent may have one child.

    `partitions`: a patient stands under one code of a level only, so that distinct patients add up.
    """

    name: str
    parents: tuple[int, ...]
    partitions: bool = True


@dataclass(frozen=True)
class Quantity:
    """One measure of all cells, in the order of `TableProblem.coordinates`; arrays have an entry a cell.

    `distinct`: it counts patients once, so it adds up only along dimensions that partition them; anything
    else adds up along all. `patients` and `physicians` contribute to the cell (`physicians` None: no GP
    rule). `physician_buckets`: bit b is set where a GP of bucket b contributes, so that the GPs of several
    cells together can be bounded from below; a missing GP sets none. `largest`: a magnitude's largest
    contribution. `bounds`: what a cell could be at all, as far as a reader knows. `cost`: of withholding;
    None: what suits the values.
    """

    name: str
    kind: Kind
    values: Floats
    status: NDArray[np.int8]  # of Status
    patients: Ints
    distinct: bool = True
    physicians: Ints | None = None
    physician_buckets: NDArray[np.uint64] | None = None
    largest: Floats | None = None
    bounds: tuple[float, float] = (0.0, math.inf)
    cost: Floats | None = None


@dataclass(frozen=True)
class Link:
    """Two measures of one cell, as a reader knows them to be tied: low · by ≤ of ≤ high · by.

    Patients and rows: Link("rows", by="patients", low=1). A sum and the count of its values, with the
    catalogue's bounds: Link("sum", by="values", low=4.0, high=20.0).
    """

    of: str
    by: str
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Relation:
    """Measures that make up nothing in every cell, as a reader knows: Σ coefficient · measure = 0. All, the
    young and the old: Relation((("young", 1.0), ("old", 1.0), ("all", -1.0)))."""

    terms: tuple[tuple[str, float], ...]

    @property
    def whole(self) -> str | None:
        """The measure that is the sum of all others, two at least; None where none is."""
        for sign in (-1.0, 1.0):
            heads = [name for name, coefficient in self.terms if coefficient == sign]
            parts = [name for name, coefficient in self.terms if coefficient == -sign]
            if len(heads) == 1 and len(parts) > 1 and len(parts) + 1 == len(self.terms):
                return heads[0]
        return None


@dataclass(frozen=True)
class Known:
    """Cells of one measure whose sum an earlier table told."""

    name: str
    cells: tuple[int, ...]


@dataclass(frozen=True)
class TableProblem:
    """One table to publish, with everything that follows from it.

    `coordinates[c, d]` is the code of cell c in `dims[d]`. Every combination that a reader could think of is
    there, margins included; one that is missing counts as publicly zero. `relations` tie measures in every
    cell. `together` names measures that are withheld together, where how they are tied is not known. `sums`
    are public, though no cell of the table.
    """

    dims: tuple[Tree, ...]
    coordinates: Ints
    quantities: tuple[Quantity, ...]
    links: tuple[Link, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    relations: tuple[Relation, ...] = ()
    sums: tuple[Known, ...] = ()


@dataclass(frozen=True)
class Limits:
    """The interval rule, and how long may be spent. Of a withheld slot of value v, with its feasibility
    interval [L, U]: a primary count keeps L = 0 and U ≥ `min_patients`; any other count
    U − L ≥ max(`min_patients`, `width` · v); a magnitude L ≤ v − m and U ≥ v + m, where m is the larger of
    `margin` · |v| and the largest contribution."""

    min_patients: int = 11
    min_physicians: int = 3
    width: float = 0.20
    margin: float = 0.15
    max_cells: int = 6_000
    seconds: float = 30.0

    @classmethod
    def of(cls, policy: Policy, seconds: float = 30.0) -> Limits:
        return cls(
            policy.min_patients,
            policy.min_physicians,
            max_cells=policy.max_published_cells,
            seconds=seconds,
        )


@dataclass(frozen=True)
class Suppression:
    """What is withheld of each measure, by its name (primaries included), and the interval that is proved
    for each withheld slot: a reader can't narrow it below [lower, upper] (NaN where shown)."""

    withheld: Mapping[str, Flags]
    lower: Mapping[str, Floats]
    upper: Mapping[str, Floats]

    @property
    def kept(self) -> float:
        """The share of slots that are shown."""
        slots = sum(len(flags) for flags in self.withheld.values())
        return 1.0 - sum(int(flags.sum()) for flags in self.withheld.values()) / slots if slots else 1.0
