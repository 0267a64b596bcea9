"""Secondary suppression, judged by enumeration: every table that a reader can't rule out is written down, and
the withheld cells must differ enough among them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import scipy.optimize
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure.constraints import Contradiction, system_of
from p4dp_sdk.disclosure.secondary import (
    Kind,
    Limits,
    Link,
    Quantity,
    Status,
    TableProblem,
    Tree,
    suppress,
)
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.unit.disclosure.enumeration import (
    CUBE,
    FLAT,
    SMALL,
    UNEVEN,
    additions,
    cells_of,
    counts,
    dimensions,
    pattern,
    possible_tables,
    too_certain,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(dims=dimensions, data=st.data())
def test_no_withheld_cell_is_too_certain(dims: tuple[Tree, ...], data: st.DataObject) -> None:
    width = additions(dims).shape[1]
    inner = data.draw(st.lists(st.integers(0, 6), min_size=width, max_size=width))
    problem = counts(dims, inner)
    try:
        withheld = pattern(suppress(problem, SMALL))
    except Refusal as refusal:
        assert refusal.code is ErrorCode.SUPPRESSION_FAILED
        assume(False)
    assert withheld[problem.quantities[0].values < 3].all()
    if withheld.any():
        assert not too_certain(problem, withheld, possible_tables(problem, withheld, 10), SMALL)


@settings(max_examples=15, deadline=None)
@given(inner=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_three_dimensions_where_fractions_would_deceive(inner: list[int]) -> None:
    """A cube is no network: a linear program's corners need not be whole there."""
    limits = Limits(min_patients=2)
    problem = counts(CUBE, inner, limits)
    try:
        withheld = pattern(suppress(problem, limits))
    except Refusal:
        assume(False)
    if withheld.any():
        assert not too_certain(problem, withheld, possible_tables(problem, withheld, 5), limits)


@settings(max_examples=25, deadline=None)
@given(dims=dimensions, data=st.data())
def test_the_intervals_it_states_are_within_the_true_ones(
    dims: tuple[Tree, ...], data: st.DataObject
) -> None:
    width = additions(dims).shape[1]
    problem = counts(dims, data.draw(st.lists(st.integers(0, 6), min_size=width, max_size=width)))
    try:
        made = suppress(problem, SMALL)
    except Refusal:
        assume(False)
    withheld = pattern(made)
    for cell in np.flatnonzero(withheld):
        low, high = interval(problem, withheld, int(cell))
        assert low <= made.lower["patients"][cell] <= made.upper["patients"][cell] <= high


# -- attack -----------------------------------------------------------------------------------------------


def interval(problem: TableProblem, withheld: np.ndarray, cell: int) -> tuple[float, float]:
    """What linear reconstruction makes of one cell: its least and largest value, fractions allowed."""
    sums, values = additions(problem.dims), problem.quantities[0].values
    shown = {"A_eq": sums[~withheld], "b_eq": values[~withheld]} if not withheld.all() else {}
    ends = [scipy.optimize.linprog(sign * sums[cell], **shown) for sign in (1, -1)]
    least, most = (end.fun if end.status == 0 else -np.inf for end in ends)
    return round(least, 6), round(-most, 6)


def test_linear_reconstruction_succeeds_on_primary_suppression_and_fails_on_ours() -> None:
    rng = np.random.default_rng(7)
    dims = (Tree("code", (-1, *[0] * 12)), Tree("region", (-1, 0, 0, 1, 1, 1, 2, 2, 2)))
    problem = counts(dims, rng.poisson(rng.gamma(1.0, 60.0, 72)).tolist(), Limits())
    primary = problem.quantities[0].status == Status.PRIMARY
    withheld = pattern(suppress(problem, Limits()))

    naive = [interval(problem, primary, int(cell)) for cell in np.flatnonzero(primary)]
    ours = [interval(problem, withheld, int(cell)) for cell in np.flatnonzero(primary)]

    assert sum(low == high for low, high in naive) > len(naive) / 2  # computed to the patient
    assert all(low == 0 and high >= 11 for low, high in ours)


# -- by hand ----------------------------------------------------------------------------------------------


def published(*rows: list[int], primary: set[tuple[int, int]], limits: Limits) -> TableProblem:
    """A table as it is printed, total first."""
    values = np.array(rows)
    dims = tuple(Tree(name, (-1, *[0] * (size - 1))) for name, size in zip("rc", values.shape, strict=True))
    status = np.zeros(values.shape, np.int8)
    for cell in primary:
        status[cell] = Status.PRIMARY
    quantity = Quantity("patients", Kind.COUNT, values.ravel().astype(float), status.ravel(), values.ravel())
    return TableProblem(dims, cells_of(dims), (quantity,))


INVESTMENTS = ([190, 45, 101, 44], [80, 20, 50, 10], [49, 8, 19, 22], [61, 17, 32, 12])


def test_a_published_pattern_has_its_published_interval() -> None:
    """Investments by activity and region: Fischetti & Salazar-González, JASA 95 (2000) 916-928. With four
    cells withheld, whoever reads the rest learns that the sensitive 22 lies in [5, 30]."""
    problem = published(*INVESTMENTS, primary={(2, 3)}, limits=Limits())
    withheld = np.zeros((4, 4), np.bool_)
    withheld[np.ix_([2, 3], [1, 3])] = True

    assert interval(problem, withheld.ravel(), 11) == (5, 30)


def test_a_pattern_that_leaves_too_much_known_is_widened() -> None:
    """The same table by our rule: [5, 30] does not hide 22 from below."""
    problem = published(*INVESTMENTS, primary={(2, 3)}, limits=Limits())

    withheld = pattern(suppress(problem, Limits()))

    low, high = interval(problem, withheld, 11)
    assert low == 0 and high >= 11
    assert withheld.sum() <= 7


def test_what_is_safe_is_shown_whole() -> None:
    problem = counts((FLAT[2], FLAT[2]), [20, 30, 40, 50], Limits())

    assert suppress(problem, Limits()).kept == 1.0


def test_a_lone_small_cell_takes_others_along() -> None:
    problem = counts((FLAT[3],), [4, 30, 12], Limits())

    assert pattern(suppress(problem, Limits())).tolist() == [False, True, False, True]  # the cheaper one


def test_all_cells_small() -> None:
    withheld = pattern(suppress(counts((FLAT[2], FLAT[3]), [1, 0, 2, 0, 1, 3], Limits()), Limits()))

    assert withheld.all()


def test_a_table_of_one_cell() -> None:
    total = (Tree("all", (-1,)),)

    assert pattern(suppress(counts(total, [40], Limits()), Limits())).tolist() == [False]
    assert pattern(suppress(counts(total, [4], Limits()), Limits())).tolist() == [True]


def test_a_parent_with_one_child_is_withheld_with_it() -> None:
    withheld = pattern(suppress(counts((UNEVEN,), [4, 30, 25, 28], Limits()), Limits()))

    assert withheld[[1, 2]].tolist() == [True, True]


def test_totals_that_do_not_add_up_are_refused() -> None:
    problem = published([99, 30, 50], [40, 20, 20], [40, 10, 30], primary=set(), limits=Limits())

    with pytest.raises(Contradiction):
        system_of(problem)
    with pytest.raises(Refusal) as refused:
        suppress(problem, Limits())
    assert refused.value.code is ErrorCode.SUPPRESSION_FAILED


def test_too_many_cells_are_refused_with_their_number() -> None:
    with pytest.raises(Refusal) as refused:
        suppress(counts((FLAT[2], FLAT[2]), [20] * 4, Limits()), Limits(max_cells=8))
    assert refused.value.code is ErrorCode.TOO_MANY_CELLS
    assert refused.value.params == {"cells": 9, "limit": 8}


# -- earlier knowledge ------------------------------------------------------------------------------------


def with_status(problem: TableProblem, **cells: Status) -> TableProblem:
    (quantity,) = problem.quantities
    status = quantity.status.copy()
    for name, value in cells.items():
        status[int(name.removeprefix("c"))] = value
    changed = Quantity("patients", Kind.COUNT, quantity.values, status, quantity.patients)
    return TableProblem(problem.dims, problem.coordinates, (changed,))


def test_what_is_known_protects_nothing() -> None:
    problem = with_status(counts((FLAT[3],), [4, 30, 12], Limits()), c3=Status.KNOWN)

    assert pattern(suppress(problem, Limits())).tolist() == [False, True, True, False]


def test_what_can_be_computed_from_what_is_known_is_refused() -> None:
    known = with_status(
        counts((FLAT[3],), [4, 30, 12], Limits()), c0=Status.KNOWN, c2=Status.KNOWN, c3=Status.KNOWN
    )

    with pytest.raises(Refusal) as refused:
        suppress(known, Limits())
    assert refused.value.code is ErrorCode.SUPPRESSION_FAILED


def test_what_was_withheld_before_stays_withheld_and_hidden() -> None:
    problem = with_status(counts((FLAT[4],), [40, 30, 25, 60], Limits()), c2=Status.HELD)

    withheld = pattern(suppress(problem, Limits()))

    assert withheld.tolist() == [False, False, True, True, False]


# -- patients who stand under several codes ---------------------------------------------------------------


def test_distinct_patients_are_bounded_not_added() -> None:
    """100 patients with a diagnosis, 40, 90 and 5 with each: the 5 can't be computed, but can't be 11 were
    the total 90."""
    codes = (Tree("code", (-1, 0, 0, 0), partitions=False),)

    def withheld(total: int) -> list[bool]:
        values = np.array([total, 40, 90, 5])
        status = np.array([0, 0, 0, Status.PRIMARY], np.int8)
        quantity = Quantity("patients", Kind.COUNT, values.astype(float), status, values)
        return pattern(suppress(TableProblem(codes, cells_of(codes), (quantity,)), Limits())).tolist()

    assert withheld(100) == [False, False, False, True]  # 0 to 100
    assert sum(withheld(135)) == 2  # all different people, nearly: at least 5


def test_a_total_above_the_sum_is_a_contradiction() -> None:
    codes = (Tree("code", (-1, 0, 0), partitions=False),)
    values = np.array([100, 40, 50])
    quantity = Quantity("patients", Kind.COUNT, values.astype(float), np.zeros(3, np.int8), values)

    with pytest.raises(Contradiction):
        system_of(TableProblem(codes, cells_of(codes), (quantity,)))


# -- measures of one row ----------------------------------------------------------------------------------


def two_measures(*links: Link, together: bool = False) -> TableProblem:
    """Patients 4, 30, 40; rows 5, 33, 60: a reader who sees the rows bounds the patients."""
    dims = (FLAT[3],)
    patients, rows = np.array([74, 4, 30, 40]), np.array([98, 5, 33, 60])
    small = np.array([0, Status.PRIMARY, 0, 0], np.int8)
    return TableProblem(
        dims,
        cells_of(dims),
        (
            Quantity("patients", Kind.COUNT, patients.astype(float), small, patients),
            Quantity("rows", Kind.COUNT, rows.astype(float), np.zeros(4, np.int8), patients, distinct=False),
        ),
        links,
        (("patients", "rows"),) if together else (),
    )


def test_the_rows_of_a_withheld_count_of_patients_go_with_it() -> None:
    made = suppress(two_measures(Link("rows", by="patients", low=1.0)), Limits())

    assert made.withheld["rows"][1]  # 5 rows can't be 11 patients
    assert not suppress(two_measures(), Limits()).withheld["rows"].any()


def test_what_belongs_together_is_withheld_together() -> None:
    made = suppress(two_measures(together=True), Limits())

    assert made.withheld["rows"].tolist() == made.withheld["patients"].tolist()


def sums(largest: float, *links: Link) -> TableProblem:
    dims = (FLAT[3],)
    patients, amounts = np.array([100, 30, 30, 40]), np.array([700.0, 200.0, 240.0, 260.0])
    status = np.array([0, Status.PRIMARY, 0, 0], np.int8)
    return TableProblem(
        dims,
        cells_of(dims),
        (
            Quantity("n", Kind.COUNT, patients.astype(float), np.zeros(4, np.int8), patients),
            Quantity(
                "sum", Kind.MAGNITUDE, amounts, status, patients, distinct=False, largest=np.full(4, largest)
            ),
        ),
        links,
    )


def test_a_magnitude_is_hidden_by_its_largest_contribution() -> None:
    made = suppress(sums(100.0), Limits())

    assert made.withheld["sum"].sum() == 2
    assert made.lower["sum"][1] <= 100.0 and made.upper["sum"][1] >= 300.0


def test_bounds_of_the_catalogue_narrow_a_sum_and_are_taken_into_account() -> None:
    """30 values between 6 and 7 sum to 180 to 210, whatever else is withheld: 100 to 300 can't be kept, so
    the count goes too."""
    made = suppress(sums(100.0, Link("sum", by="n", low=6.0, high=9.0)), Limits())

    assert made.withheld["n"].any()


# -- insiders and GPs -------------------------------------------------------------------------------------


def test_two_lone_patients_do_not_give_each_other_away() -> None:
    """1 and 10 in one row sum to 11: whoever is the 1 would compute the 10."""
    made = pattern(suppress(counts((FLAT[4],), [1, 10, 30, 45], Limits()), Limits()))

    assert made.tolist() == [False, True, True, True, False]


def test_a_gp_who_knows_the_own_cells_learns_no_other() -> None:
    """GP 0 alone stands behind two cells of 12 and 15: without a third, the 9 were that GP's to compute."""
    dims = (FLAT[4],)
    values = np.array([196, 12, 15, 9, 160])
    status = np.array([0, 1, 1, 1, 0], np.int8)
    facts = {
        "physicians": np.array([9, 1, 1, 4, 8]),
        "physician_buckets": bits([0, 1, 2, 3], [0], [0], [1, 2, 3], [1, 2, 3]),
    }
    quantity = Quantity("patients", Kind.COUNT, values.astype(float), status, values, **facts)  # type: ignore[arg-type]

    made = suppress(TableProblem(dims, cells_of(dims), (quantity,)), Limits())

    assert pattern(made).tolist() in ([False, True, True, True, True], [True, True, True, True, False])


def test_what_is_withheld_of_one_total_stands_for_three_gps() -> None:
    """The same two GPs have the 12 and the 15: what the shown total leaves for both is theirs, too."""
    dims = (FLAT[4],)
    values = np.array([187, 12, 15, 80, 80])
    facts = {
        "physicians": np.array([9, 2, 2, 5, 5]),
        "physician_buckets": bits(range(9), [0, 1], [0, 1], range(2, 7), range(4, 9)),
    }
    status = np.array([0, Status.PRIMARY, Status.PRIMARY, 0, 0], np.int8)
    quantity = Quantity("patients", Kind.COUNT, values.astype(float), status, values, **facts)  # type: ignore[arg-type]

    assert pattern(suppress(TableProblem(dims, cells_of(dims), (quantity,)), Limits())).sum() == 3


def bits(*buckets: Iterable[int]) -> np.ndarray:
    return np.array([sum(1 << b for b in set(some)) for some in buckets], dtype=np.uint64)
