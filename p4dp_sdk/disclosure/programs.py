"""Linear and integer programs over the tables that a reader can't rule out. HiGHS solves them, through SciPy.

A *move* is the difference of such a table from the true one. What comes back is a suggestion: whoever uses a
move checks it by itself (`audit.is_possible`), so neither rounding nor a solver's mistake can protect a cell
on paper only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.optimize
import scipy.sparse

from p4dp_sdk.disclosure.constraints import System
from p4dp_sdk.disclosure.hypercube import Flags, Floats, Ints

_EAGERNESS: Final = 1e4  # what a unit towards the target is worth, in units of movement
_NODES: Final = 200  # of branch and bound: what takes more counts as not found
_GAP: Final = 0.05
_WHOLE: Final = 1e-6  # HiGHS's own tolerance of integrality


@dataclass(frozen=True)
class Region:
    """Slots that may move while all others stand still, and the rows that tie them."""

    slots: Ints
    matrix: Any  # scipy.sparse.csr_array, rows × slots
    row_low: Floats
    row_high: Floats
    low: Floats
    high: Floats
    whole: Flags
    scale: Floats  # moves are solved in these units

    @property
    def size(self) -> int:
        return len(self.slots)


def region_of(system: System, slots: Ints) -> Region:
    """The moves of `slots` (sorted)."""
    rows = system.rows
    position = np.full(len(system.values), -1, dtype=np.int64)
    position[slots] = np.arange(len(slots))
    inside = position[rows.slot] >= 0
    touched, index = np.unique(rows.row[inside], return_inverse=True)
    values = system.values[slots]
    whole = system.whole[slots]
    scale = np.where(whole, 1.0, _unit(values[~whole]))
    entries = rows.coefficient[inside] * scale[position[rows.slot[inside]]]
    sums = rows.of(system.values)[touched]
    return Region(
        slots=slots,
        matrix=scipy.sparse.csr_array(
            (entries, (index.reshape(-1), position[rows.slot[inside]])), shape=(len(touched), len(slots))
        ),
        row_low=np.minimum(rows.low[touched] - sums, 0.0) if len(touched) else np.zeros(0),
        row_high=np.maximum(rows.high[touched] - sums, 0.0) if len(touched) else np.zeros(0),
        low=(system.low[slots] - values) / scale,
        high=(system.high[slots] - values) / scale,
        whole=whole,
        scale=scale,
    )


def _unit(values: Floats) -> float:
    sizes = np.abs(values[values != 0])
    return float(np.median(sizes)) / 100.0 if len(sizes) else 1.0


def components(system: System, slots: Ints) -> list[Ints]:
    """`slots` in groups that no row ties to each other: each can be judged alone."""
    rows = system.rows
    position = np.full(len(system.values), -1, dtype=np.int64)
    position[slots] = np.arange(len(slots))
    inside = position[rows.slot] >= 0
    touched, index = np.unique(rows.row[inside], return_inverse=True)
    count = len(slots) + len(touched)
    edges = (position[rows.slot[inside]], len(slots) + index.reshape(-1))
    graph = scipy.sparse.coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(count, count))
    _, labels = scipy.sparse.csgraph.connected_components(graph, directed=False)
    labels = labels[: len(slots)]
    order = np.argsort(labels, kind="stable")
    return [slots[part] for part in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)]


def farthest(region: Region, wanted: Floats) -> Floats | None:
    """A move that goes as far as it can towards `wanted` in all slots at once (NaN: no wish; the sign says
    which way). Each wish counts the same."""
    index = np.flatnonzero(~np.isnan(wanted) & (wanted != 0))
    if not len(index):
        return None
    far = np.abs(wanted[index]) / region.scale[index]
    sign = np.sign(wanted[index])
    n, k = region.size, len(index)
    ties = scipy.sparse.csr_array((sign, (np.arange(k), index)), shape=(k, n))
    progress = -scipy.sparse.eye_array(k)
    x = _solve(
        _Program(
            objective=np.concatenate([np.zeros(n), -1.0 / far]),
            matrix=scipy.sparse.block_array([[region.matrix, None], [ties, progress]], format="csr"),
            row_low=np.concatenate([region.row_low, np.zeros(k)]),
            row_high=np.concatenate([region.row_high, np.full(k, np.inf)]),
            low=np.concatenate([region.low, np.zeros(k)]),
            high=np.concatenate([region.high, far]),
            whole=np.concatenate([region.whole, np.zeros(k, np.bool_)]),
        )
    )
    return None if x is None else _move(region, x[:n])


def nearest(
    region: Region, index: int, wanted: float, weights: Floats, still: Flags | None = None, whole: bool = True
) -> Floats | None:
    """A move of slot `index` by `wanted`, or as near to it as can be, that moves the others as little as it
    can: Σ weights · |move| is small. Slots in `still` don't move. Fractions are allowed unless `whole`."""
    n = region.size
    fixed = np.zeros(n, np.bool_) if still is None else still
    up = np.where(fixed, 0.0, np.maximum(region.high, 0.0))
    down = np.where(fixed, 0.0, np.maximum(-region.low, 0.0))
    far = abs(wanted) / float(region.scale[index])
    side = index if wanted > 0 else n + index
    other = n + index if wanted > 0 else index
    high = np.concatenate([up, down])
    high[side] = min(high[side], far)
    high[other] = 0.0
    objective = np.concatenate([weights, weights]).astype(np.float64)
    objective[side] = -_EAGERNESS
    x = _solve(
        _Program(
            objective=objective,
            matrix=scipy.sparse.hstack([region.matrix, -region.matrix], format="csr"),
            row_low=region.row_low,
            row_high=region.row_high,
            low=np.zeros(2 * n),
            high=high,
            whole=np.tile(region.whole & whole, 2),
        )
    )
    return None if x is None else _move(region, x[:n] - x[n:], whole)


def _move(region: Region, units: Floats, whole: bool = True) -> Floats:
    return np.asarray(np.where(region.whole & whole, np.rint(units), units) * region.scale, dtype=np.float64)


@dataclass(frozen=True)
class _Program:
    """Minimise objective · x within rows and bounds."""

    objective: Floats
    matrix: Any
    row_low: Floats
    row_high: Floats
    low: Floats
    high: Floats
    whole: Flags


def _solve(program: _Program) -> Floats | None:
    """The linear program first: its corner is whole where the table is a network (two dimensions). Else by
    branch and bound."""
    x = _highs(program, None, {})
    if x is None or np.all(np.abs(x - np.rint(x))[program.whole] <= _WHOLE):
        return x
    return _highs(program, program.whole.astype(np.float64), {"node_limit": _NODES, "mip_rel_gap": _GAP})


def _highs(program: _Program, integrality: Floats | None, options: dict[str, float]) -> Floats | None:
    rows = scipy.optimize.LinearConstraint(program.matrix, program.row_low, program.row_high)
    found = scipy.optimize.milp(
        program.objective,
        integrality=integrality,
        bounds=scipy.optimize.Bounds(program.low, program.high),
        constraints=rows if program.matrix.shape[0] else None,
        options=options,
    )
    return None if found.x is None else np.asarray(found.x, dtype=np.float64)
