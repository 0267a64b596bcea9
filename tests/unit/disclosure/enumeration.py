"""All the tables that a reader can't rule out, written down, and which withheld cells they leave too
certain."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from p4dp_sdk.disclosure.hypercube import Ints
from p4dp_sdk.disclosure.secondary import (
    Kind,
    Limits,
    Quantity,
    Status,
    Suppression,
    TableProblem,
    Tree,
)

SMALL = Limits(min_patients=3)  # so that all tables can be enumerated
FLAT = {2: Tree("sex", (-1, 0, 0)), 3: Tree("class", (-1, 0, 0, 0)), 4: Tree("band", (-1, 0, 0, 0, 0))}
CUBE = (Tree("a", (-1, 0, 0)), Tree("b", (-1, 0, 0)), Tree("c", (-1, 0, 0)))

# a parent with one child, and a leaf beside parents
UNEVEN = Tree("chapter", (-1, 0, 1, 0, 0, 4, 4))


def cells_of(dims: tuple[Tree, ...]) -> Ints:
    ranges = [range(len(tree.parents)) for tree in dims]
    return np.array(list(itertools.product(*ranges)), dtype=np.int64).reshape(-1, len(dims))


def leaves(tree: Tree) -> list[int]:
    return [code for code in range(len(tree.parents)) if code not in tree.parents]


def is_in(tree: Tree, code: int, ancestor: int) -> bool:
    while code not in (-1, ancestor):
        code = tree.parents[code]
    return code == ancestor


def additions(dims: tuple[Tree, ...]) -> np.ndarray:
    """Cells × innermost cells: which stands in which."""
    inner = list(itertools.product(*(leaves(tree) for tree in dims)))
    return np.array(
        [
            [all(is_in(t, c, a) for t, c, a in zip(dims, leaf, cell, strict=True)) for leaf in inner]
            for cell in cells_of(dims)
        ],
        dtype=np.int64,
    )


def counts(
    dims: tuple[Tree, ...], inner: list[int], limits: Limits = SMALL, **more: np.ndarray
) -> TableProblem:
    """Patients, where every key partitions them; whatever is under the threshold is primary."""
    values = additions(dims) @ np.array(inner, dtype=np.int64)
    status = np.where(values < limits.min_patients, Status.PRIMARY, Status.SAFE).astype(np.int8)
    facts = {"patients": values, "status": status, **more}
    quantity = Quantity("patients", Kind.COUNT, values.astype(np.float64), **facts)  # type: ignore[arg-type]
    return TableProblem(dims, cells_of(dims), (quantity,))


def possible_tables(problem: TableProblem, withheld: np.ndarray, most: int) -> np.ndarray:
    """All tables of counts that agree with what is shown, with up to `most` in an innermost cell."""
    sums, values = additions(problem.dims), problem.quantities[0].values
    width = sums.shape[1]
    inner = np.indices((most + 1,) * width, dtype=np.int8).reshape(width, -1)
    for cell in np.flatnonzero(~withheld):
        inner = inner[:, inner[sums[cell] == 1].sum(axis=0, dtype=np.int16) == values[cell]]
    return sums @ inner


def too_certain(problem: TableProblem, withheld: np.ndarray, tables: np.ndarray, limits: Limits) -> list[int]:
    """The withheld cells that break the interval rule."""
    quantity = problem.quantities[0]
    low, high = tables.min(axis=1), tables.max(axis=1)
    width = np.maximum(limits.min_patients, limits.width * quantity.values)
    primary = quantity.status == Status.PRIMARY
    kept = np.where(primary, (low == 0) & (high >= limits.min_patients), high - low >= width)
    return [int(cell) for cell in np.flatnonzero(withheld & ~kept)]


def pattern(made: Suppression) -> np.ndarray:
    return made.withheld["patients"]


dimensions = st.sampled_from([(FLAT[4],), (UNEVEN,), (FLAT[2], FLAT[2]), (FLAT[3], FLAT[2]), CUBE[:2]])
