"""The perturbation table keeps what its contract says, for every policy; lookups follow the table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure.cellkey import PTable, largest_variance
from p4dp_sdk.disclosure.policy import BadPolicy, Policy

GRID = (np.arange(20_000) + 0.5) / 20_000  # uniforms, evenly: a lookup over them is the exact distribution


@st.composite
def tables(draw: st.DrawFn) -> PTable:
    bound = draw(st.integers(1, 12))
    share = draw(st.floats(0.05, 1))
    return PTable(draw(st.integers(1, 30)), bound, share * largest_variance(bound))


def moments(table: PTable) -> tuple[np.ndarray, np.ndarray]:
    means = table.probabilities @ table.noise
    return means, table.probabilities @ table.noise**2 - means**2


@settings(max_examples=40, deadline=None)
@given(tables())
def test_the_laws_of_a_table(table):
    means, variances = moments(table)
    assert np.allclose(table.probabilities.sum(axis=1), 1) and (table.probabilities >= 0).all()
    assert np.allclose(means[1:], 0, atol=1e-6)  # unbiased, but for a cell of exactly the threshold …
    assert 0 < means[0] < 1  # … which reads up to one patient too high
    assert variances[-1] == pytest.approx(table.variance, rel=1e-6)
    assert (variances <= table.variance * (1 + 1e-6)).all()
    for row, above in zip(table.probabilities, range(table.bound + 1), strict=True):
        assert not row[: table.bound - above].any()  # nothing shown below the threshold
        steps = np.sign(np.diff(row))
        assert (np.diff(steps[steps != 0]) <= 0).all()  # one peak


@pytest.mark.parametrize("bound", [5, 6, 7])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_with_the_same_draw_a_larger_count_never_shows_less(bound, share):
    table = PTable(11, bound, 4 + share * (largest_variance(bound) - 4))
    uniforms = np.linspace(0, 1, 401, endpoint=False)
    counts = np.arange(table.least, table.least + table.bound + 3)
    shown = np.stack([table.perturbed(np.full(uniforms.size, count), uniforms) for count in counts])
    assert (np.diff(shown, axis=0) >= 0).all()
    assert (shown >= table.least).all()
    assert (np.abs(shown - counts[:, None]) <= table.bound).all()


def test_the_default_table():
    table = PTable.of(Policy())
    means, variances = moments(table)
    assert means[0] == pytest.approx(0.953, abs=1e-3)
    assert variances == pytest.approx([1.501, 1.721, 3.904, 4, 4, 4], abs=1e-3)
    assert np.allclose(table.probabilities[-1], table.probabilities[-1][::-1])  # symmetric
    assert 1 - table.probabilities.max(axis=1) == pytest.approx(
        [0.507, 0.512, 0.706, 0.823, 0.810, 0.805], abs=1e-3
    )  # any value shown is off at least every second time


def test_maximum_entropy_among_tables_of_the_same_mean_and_variance():
    """Adding a change that moves neither moment lowers the entropy, whatever its sign."""
    row, noise = PTable.of(Policy()).probabilities[-1], np.arange(-5, 6)
    neutral = np.linalg.svd(np.stack([np.ones(11), noise, noise**2]))[2][3:]

    def entropy(p: np.ndarray) -> float:
        return float(-(p * np.log(p)).sum())

    for direction in (*neutral, *-neutral):
        assert entropy(row + 1e-3 * direction) < entropy(row)


@pytest.mark.parametrize("count", [11, 12, 13, 15, 16, 17, 1_000_000])
def test_lookups_follow_the_table(count):
    table = PTable.of(Policy())
    noise = table.perturbed(np.full(GRID.size, count), GRID) - count
    found = np.bincount(noise + 5, minlength=11) / GRID.size
    assert np.allclose(found, table.probabilities[min(count - 11, 5)], atol=2e-4)


def test_both_ends_of_the_draw_stay_in_the_row():
    ends = np.array([0.0, np.nextafter(1.0, 0)])
    for count in range(11, 20):
        low, high = PTable.of(Policy()).perturbed(np.array([count, count]), ends)
        assert max(11, count - 5) == low and high == count + 5


def test_the_same_record_set_gets_the_same_noise_and_an_empty_table_nothing():
    table = PTable.of(Policy())
    counts, uniforms = np.array([40, 40, 41]), np.array([0.3, 0.3, 0.9])
    first, second, _ = table.perturbed(counts, uniforms)
    assert first == second
    assert table.perturbed(np.array([], dtype=np.int64), np.array([])).size == 0


@pytest.mark.parametrize(("count", "uniform"), [(10, 0.5), (0, 0.5), (11, 1.0), (11, -0.1), (11, np.nan)])
def test_what_may_not_be_shown_is_not_perturbed(count, uniform):
    with pytest.raises(ValueError, match="threshold"):
        PTable.of(Policy()).perturbed(np.array([count]), np.array([uniform]))


@pytest.mark.parametrize(("least", "bound", "variance"), [(11, 5, 10.1), (11, 5, 0), (0, 5, 4), (11, 0, 1)])
def test_a_table_that_can_not_be(least, bound, variance):
    with pytest.raises(BadPolicy):
        PTable(least, bound, variance)


def test_every_policy_has_a_table():
    with pytest.raises(BadPolicy, match="noise_variance"):
        Policy(noise_bound=5, noise_variance=10.5)
    for bound, variance in ((5, 10.0), (7, 18.0), (100, 2_500.0)):
        assert PTable.of(Policy(noise_bound=bound, noise_variance=variance)).bound == bound
