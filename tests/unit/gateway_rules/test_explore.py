"""What is proposed of each cell: by kind of measure, by method; the same for the same people."""

from __future__ import annotations

import ibis
import numpy as np
import pytest

from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.cells import Backing, Cells, Column, Vectors
from hub_config.gateway.rules.explore import expected_error, propose
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.policy import Method, Policy

N = 400


PRF = Keyring(bytes(range(32))).prf


def column(
    kind: MeasureKind, exact: np.ndarray, records: np.ndarray, name: str = "m", **facts: object
) -> Column:
    n = exact.size
    count = np.full(n, 50, dtype=np.int64)
    floats = np.ones(n)
    backing = Backing(count, count, count, count, facts.pop("largest", floats), floats, floats, floats)
    empty = np.zeros((n, 0), dtype=np.uint32)
    ranks = np.zeros(0, dtype=np.uint32)
    vectors = Vectors(empty, empty, np.zeros(n, np.uint64), np.zeros(n + 1, np.int64), ranks, records)
    return Column(Measure(name, False, kind=kind, **facts), exact, backing, vectors)


def cells(*columns: Column) -> Cells:
    nothing = ibis.table({"a": "int64"}, name="nothing")
    release = Release("r", nothing, nothing.schema(), (), tuple(c.measure for c in columns))
    return Cells(release, tuple((i,) for i in range(columns[0].exact.size)), columns)


def proposed(*columns: Column, policy: Policy = Policy(), withheld: np.ndarray | None = None):  # noqa: B008
    nobody = np.zeros(columns[0].exact.size, dtype=bool)
    marks = {c.measure.name: nobody if withheld is None else withheld for c in columns}
    return propose(cells(*columns), marks, policy, PRF)


RECORDS = np.arange(1, N + 1, dtype=np.uint64)
COUNTS = np.arange(11, 11 + N)


@pytest.mark.parametrize("kind", [MeasureKind.PATIENTS, MeasureKind.ROWS])
@pytest.mark.parametrize("method", Method)
def test_counts_are_blurred_by_the_policys_method(kind, method):
    policy = Policy(method=method)
    error = proposed(column(kind, COUNTS, RECORDS), policy=policy)["m"] - COUNTS
    assert np.abs(error).max() <= 5 and error.any()
    assert error.std() == pytest.approx(expected_error(policy), rel=0.15)


def test_the_same_people_give_the_same_number_however_counted():
    both = proposed(
        column(MeasureKind.PATIENTS, COUNTS, RECORDS, "patients"),
        column(MeasureKind.ROWS, COUNTS, RECORDS, "rows"),
    )
    assert (both["patients"] == both["rows"]).all()


def test_rows_and_patients_of_those_with_several_rows_have_noise_of_their_own():
    """Else their difference, contacts beyond the first, would be exact."""
    both = proposed(
        column(MeasureKind.PATIENTS, COUNTS, RECORDS, "patients"),
        column(MeasureKind.ROWS, 2 * COUNTS, RECORDS + np.uint64(10**6), "rows", largest=np.full(N, 2.0)),
    )
    error = both["rows"] - both["patients"] - COUNTS
    assert error.std() == pytest.approx(np.hypot(2, 2 * 2), rel=0.15)


@pytest.mark.parametrize("method", Method)
def test_rows_are_blurred_in_units_of_the_most_that_anybody_has(method):
    exact = np.full(N, 5_000) + np.arange(N)
    rows = column(MeasureKind.ROWS, exact, RECORDS, largest=np.full(N, 40.0))
    error = proposed(rows, policy=Policy(method=method))["m"] - exact
    assert error.std() == pytest.approx(2 * 40, rel=0.15) and abs(error.mean()) < 16


def test_the_rest_of_a_division_by_the_unit_of_rows_is_not_exact():
    exact = np.full(N, 5_000)
    shown = proposed(column(MeasureKind.ROWS, exact, RECORDS, largest=np.full(N, 40.0)))["m"]
    assert len(np.unique(shown % 40)) == 40


@pytest.mark.parametrize("method", Method)
def test_a_condition_that_leaves_enough_out_never_shows_more_than_the_whole(method):
    """The unanimity rule leaves out 11 patients at least; noise takes ten at most."""
    whole = COUNTS + 11
    both = proposed(
        column(MeasureKind.PATIENTS, COUNTS, RECORDS, "some"),
        column(MeasureKind.PATIENTS, whole, RECORDS + np.uint64(10**6), "all"),
        policy=Policy(method=method),
    )
    assert (both["some"] < both["all"]).all()


def test_withheld_cells_have_no_number():
    withheld = COUNTS % 2 == 0
    exact = np.where(withheld, 3, COUNTS)  # below the threshold: must not even be looked up
    values = proposed(column(MeasureKind.ROWS, exact, RECORDS), withheld=withheld)["m"]
    assert (np.isnan(values) == withheld).all()


def test_sums_carry_noise_in_units_of_the_largest_contribution():
    exact, largest = np.full(N, 50_000.0), np.full(N, 2_000.0)
    sums = column(MeasureKind.SUM, exact, RECORDS, family="sum:inr", largest=largest)
    error = proposed(sums)["m"] - exact
    assert np.abs(error).max() <= 3 * 2 * 2_000 + 50  # digits shown
    assert error.std() == pytest.approx(2 * 2_000, rel=0.1) and abs(error.mean()) < 800


def test_sums_of_the_same_values_get_the_same_noise_and_others_their_own():
    exact, largest = np.full(N, 50_000.0), np.full(N, 2_000.0)
    named = {
        name: column(MeasureKind.SUM, exact, RECORDS, name, family=family, largest=largest)
        for name, family in (("a", "sum:inr"), ("b", "sum:inr"), ("c", "sum:weight"))
    }
    values = proposed(*named.values())
    assert (values["a"] == values["b"]).all()
    assert abs(np.corrcoef(values["a"], values["c"])[0, 1]) < 0.2


def test_opposite_sums_of_the_same_people_do_not_cancel_their_noise():
    """Days from A to B and days from B to A: with one draw for both, half their difference is exact."""
    exact, largest = np.full(N, 50_000.0), np.full(N, 2_000.0)
    there = column(MeasureKind.SUM, exact, RECORDS, "there", family="sum:duration", largest=largest)
    back = column(MeasureKind.SUM, -exact, RECORDS, "back", family="sum:duration", largest=largest)
    values = proposed(there, back)
    guess = (values["there"] - values["back"]) / 2
    assert np.abs(guess - exact).mean() > 500


def test_a_sum_that_is_exactly_the_middle_is_blurred_too():
    """Everybody's value is the centre of the catalogue's bounds: the largest contribution is nothing."""
    sums = column(
        MeasureKind.SUM, np.zeros(N), RECORDS, family="sum:inr", bounds=(-10.0, 10.0), largest=np.zeros(N)
    )
    assert proposed(sums)["m"].std() == pytest.approx(2 * 0.01 * 10, rel=0.1)


def test_what_can_not_be_negative_is_not_shown_negative():
    sums = column(
        MeasureKind.SUM,
        np.full(N, 5),
        RECORDS,
        family="sum:visits",
        bounds=(0.0, 9.0),
        largest=np.full(N, 4.0),
    )
    values = proposed(sums)["m"]
    assert values.min() == 0 and (values == np.round(values)).all()


def test_quantiles_are_protected_already():
    exact = np.linspace(0, 5, N)
    assert (proposed(column(MeasureKind.QUANTILE, exact, RECORDS))["m"] == exact).all()


def test_expected_errors():
    assert expected_error(Policy()) == 2.0
    assert expected_error(Policy(method=Method.ROUNDING)) == 2.0
    assert expected_error(Policy(method=Method.ROUNDING, rounding_base=10)) == pytest.approx(4.06, abs=0.01)


def test_a_table_of_a_hundred_thousand_cells():
    n = 100_000
    counts = column(MeasureKind.ROWS, np.arange(11, 11 + n), np.arange(n, dtype=np.uint64))
    values = proposed(counts)["m"]
    assert values.size == n and not np.isnan(values).any()
