"""Codes that nobody has stand for each other: a smaller problem, whose proof holds for the whole."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure.audit import check
from p4dp_sdk.disclosure.complement import protect
from p4dp_sdk.disclosure.constraints import system_of
from p4dp_sdk.disclosure.exchange import expanded, reduced
from p4dp_sdk.disclosure.hypercube import Kind, Limits, Quantity, Status, TableProblem, Tree
from p4dp_sdk.disclosure.secondary import conclude, solve

LIMITS = Limits(min_physicians=1)
SEX = Tree("sex", (-1, 0, 0))
CODES = Tree("code", (-1, 0, 0, *[1] * 5, *[2] * 4), partitions=False)  # two chapters of five and four codes


def table(counts: Any, doubled: bool = True) -> TableProblem:
    """Codes × sex with their totals. `counts[code, sex]` rows, a patient for each, or for one or two."""
    cells = list(product(range(3), range(len(CODES.parents))))
    rows = np.array([counted(counts, sex, code) for sex, code in cells])
    patients = np.array([counted((counts + 1) // 2, sex, code) for sex, code in cells]) if doubled else rows
    quantities = tuple(
        Quantity(name, Kind.COUNT, values.astype(float), small(patients), patients, distinct=distinct)
        for name, values, distinct in (("patients", patients, True), ("rows", rows, False))
    )
    return TableProblem((SEX, CODES), np.array(cells), quantities)


def counted(counts: Any, sex: int, code: int) -> int:
    sexes = [0, 1] if sex == 0 else [sex - 1]
    chapters = {0: range(9), 1: range(5), 2: range(5, 9)}
    return int(counts[np.ix_(list(chapters.get(code, [code - 3])), sexes)].sum())


def small(patients: Any) -> Any:
    return np.where(patients < 11, Status.PRIMARY, Status.SAFE).astype(np.int8)


def test_what_nobody_has_is_left_once_in_each_chapter() -> None:
    counts = np.zeros((9, 2), dtype=int)
    counts[0], counts[5], counts[6] = (40, 60), (80, 30), (1, 0)
    smaller = reduced(table(counts))
    assert smaller is not None
    assert len(smaller.problem.dims[1].parents) == 3 + 2 + 3
    assert smaller.problem.dims[0] == SEX and len(smaller.problem.coordinates) == 3 * 8
    assert reduced(table(np.full((9, 2), 40))) is None


def test_what_is_public_stands_for_nothing() -> None:
    problem = table(np.zeros((9, 2), dtype=int))
    for quantity in problem.quantities:
        quantity.status[:] = Status.KNOWN
    assert reduced(problem) is None


counts_of_codes = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 3, 12, 40, 300]), st.integers(0, 60)), min_size=9, max_size=9
)


@given(counts_of_codes, st.sets(st.integers(0, 8), min_size=2))
@example([*[(0, 0)] * 7, (3, 1), (40, 19)], {0, 1})  # the shortest witnesses all share an insider
@settings(max_examples=25, deadline=None)
def test_the_proof_of_the_part_proves_the_whole(counts: Any, nobody: set[int]) -> None:
    numbers = np.array(counts)
    numbers[sorted(nobody)] = 0
    problem = table(numbers)
    smaller, system = reduced(problem), system_of(problem)
    if smaller is not None:
        part = protect(system_of(smaller.problem), LIMITS, system_of(smaller.problem).must)
        withheld, witnesses = expanded(smaller, part.withheld, part.witnesses)
        assert np.array_equal(withheld & system.must, system.must)
        assert check(system, LIMITS, withheld, witnesses).is_proof
    conclude(problem, LIMITS, solve(problem, LIMITS))
