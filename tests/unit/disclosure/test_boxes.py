"""Boxes, judged by enumeration: every table that a reader can't rule out is written down, and what boxes hid
must differ enough among them. Tables so small would be solved by programs; here boxes have to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure import complement, cover, secondary
from p4dp_sdk.disclosure.audit import Audit, possible
from p4dp_sdk.disclosure.constraints import System, system_of
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
from p4dp_sdk.disclosure.search import Search
from p4dp_sdk.disclosure.secondary import suppress
from p4dp_sdk.disclosure.trimming import trimmed
from p4dp_sdk.wire.errors import Refusal
from tests.unit.disclosure.enumeration import (
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


def test_the_same_table_comes_out_the_same() -> None:
    one, other = (secondary.solve(large(6), Limits()) for _ in range(2))

    assert np.array_equal(one.withheld, other.withheld) and len(one.witnesses) == len(other.witnesses)


def test_with_nothing_left_to_try_it_withholds_more_or_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No boxes, no programs: how much is tried is counted, not timed."""
    monkeypatch.setattr(cover, "_MOST", 0)
    monkeypatch.setattr(complement, "_UNKNOWNS", 0)
    problem = large(6)
    try:
        proof = secondary.solve(problem, Limits())
    except Refusal:
        return
    assert secondary.conclude(problem, Limits(), proof).withheld["patients"].any()


# -- what is shown again ----------------------------------------------------------------------------------


def bare(problem: TableProblem, beside: int) -> tuple[System, Search, Audit]:
    """What boxes hide at first, with so many slots beside."""
    system = system_of(problem)
    more = np.zeros(len(system.values), dtype=np.bool_)
    more[np.flatnonzero(~system.must)[:beside]] = True
    made = Cover(problem, system, Limits(), system.must | more)
    return system, made.search, made.hide()


def test_what_is_withheld_in_vain_is_shown_again() -> None:
    problem = large(6)
    system, search, state = bare(problem, 60)
    assert state.is_proof

    smaller = trimmed(system, Limits(), search, state, 1_000)

    assert smaller.is_proof and not np.any(smaller.withheld & ~state.withheld)
    assert np.sum(smaller.withheld & ~system.must) < 0.8 * np.sum(state.withheld & ~system.must)
    assert np.array_equal(trimmed(system, Limits(), search, smaller, 0).withheld, smaller.withheld)


def test_measures_withheld_together_are_shown_together() -> None:
    made = suppress(replace(large(6, rows=True), together=(("patients", "rows"),)), Limits())

    assert np.array_equal(made.withheld["patients"], made.withheld["rows"]) and made.kept > 0.3
