"""Boxes, judged by enumeration: every table that a reader can't rule out is written down, and what boxes hid
must differ enough among them. Tables so small would be solved by programs; here boxes have to do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure import secondary
from p4dp_sdk.disclosure.audit import possible
from p4dp_sdk.disclosure.constraints import system_of
from p4dp_sdk.disclosure.cover import Cover
from p4dp_sdk.disclosure.hypercube import (
    Kind,
    Limits,
    Link,
    Quantity,
    Status,
    Suppression,
    TableProblem,
    Tree,
)
from p4dp_sdk.disclosure.secondary import suppress
from p4dp_sdk.wire.errors import Refusal
from tests.unit.disclosure.test_secondary import (
    CUBE,
    SMALL,
    additions,
    cells_of,
    counts,
    dimensions,
    pattern,
    possible_tables,
    too_certain,
)


def by_boxes(problem: TableProblem, limits: Limits) -> Suppression:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secondary, "_SMALL", 0)
        return suppress(problem, limits)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(dims=dimensions, data=st.data())
def test_no_withheld_cell_is_too_certain(dims: tuple[Tree, ...], data: st.DataObject) -> None:
    width = additions(dims).shape[1]
    problem = counts(dims, data.draw(st.lists(st.integers(0, 6), min_size=width, max_size=width)))
    try:
        withheld = pattern(by_boxes(problem, SMALL))
    except Refusal:
        assume(False)
    assert withheld[problem.quantities[0].values < SMALL.min_patients].all()
    if withheld.any():
        assert not too_certain(problem, withheld, possible_tables(problem, withheld, 10), SMALL)


@settings(max_examples=15, deadline=None)
@given(inner=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_nor_in_three_dimensions(inner: list[int]) -> None:
    limits = Limits(min_patients=2)
    problem = counts(CUBE, inner, limits)
    try:
        withheld = pattern(by_boxes(problem, limits))
    except Refusal:
        assume(False)
    if withheld.any():
        assert not too_certain(problem, withheld, possible_tables(problem, withheld, 5), limits)


def large(seed: int, rows: bool = False) -> TableProblem:
    """Codes in chapters by age and sex, as many small as large; with the rows of each patient."""
    rng = np.random.default_rng(seed)
    chapters = (-1, *[0] * 4, *np.repeat([1, 2, 3, 4], 6).tolist())
    dims = (Tree("code", chapters), Tree("age", (-1, *[0] * 6)), Tree("sex", (-1, 0, 0)))
    inner = rng.poisson(rng.gamma(1.0, 60.0, additions(dims).shape[1]))
    problem = counts(dims, inner.tolist(), Limits())
    if not rows:
        return problem
    (patients,) = problem.quantities
    visits = additions(dims) @ (inner + rng.poisson(0.4 * inner))
    status = np.where(visits < 11, Status.PRIMARY, Status.SAFE).astype(np.int8)
    counted = Quantity("rows", Kind.COUNT, visits.astype(float), status, patients.patients, distinct=False)
    return TableProblem(dims, cells_of(dims), (patients, counted), (Link("rows", by="patients", low=1.0),))


@pytest.mark.parametrize("rows", [False, True])
def test_boxes_hide_nearly_everything_at_once(rows: bool) -> None:
    problem = large(5, rows)
    system = system_of(problem)

    state = Cover(problem, system, Limits(), system.must).hide()

    assert possible(system, state.withheld, state.witnesses).all()
    assert system.must.sum() > 50 and len(state.unmet) < 0.1 * system.must.sum()


def test_a_table_of_hundreds_of_cells_is_protected_whole() -> None:
    problem = large(6)

    made = suppress(problem, Limits())

    primary = problem.quantities[0].status == Status.PRIMARY
    assert (made.lower["patients"][primary] == 0).all() and (made.upper["patients"][primary] >= 11).all()
    assert made.kept > 0.5


def test_whoever_is_tired_gets_a_table_or_a_refusal() -> None:
    problem = large(6)
    try:
        proof = secondary.solve(problem, Limits(), tired=lambda: True)
    except Refusal:
        return
    assert secondary.conclude(problem, Limits(), proof).withheld["patients"].any()
