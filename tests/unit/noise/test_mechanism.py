"""The noise is what it says: discrete Laplace of the right scale, fresh, within its budget."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hub_config.gateway.noise import mechanism
from hub_config.gateway.noise.mechanism import BudgetExceeded, deviation, drawn, scale_of

N = 40_000


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(1, 0.5), (5, 1.0), (3, 0.1)])
def test_the_scale_of_the_noise(sensitivity, epsilon):
    """Five standard errors: it fails less than once in a million runs."""
    noise = drawn(np.full(N, 1_000), sensitivity, epsilon) - 1_000
    sd = deviation(sensitivity, epsilon)
    assert abs(noise.mean()) < 5 * sd / math.sqrt(N)
    assert abs(noise.std() / sd - 1) < 5 * math.sqrt(5 / 4 / N)  # kurtosis 6: Var(s²) = 5σ⁴/n


def test_neighbouring_tables_are_hard_to_tell_apart():
    """The definition itself: no value is more than e^ε times as likely with the patient than without."""
    epsilon = 0.5
    with_one, without = (drawn(np.full(N, total), 1, epsilon) for total in (11, 10))
    for value in range(6, 16):
        a, b = (np.count_nonzero(x == value) for x in (with_one, without))
        slack = 1 + 5 * math.sqrt(1 / a + 1 / b)
        assert math.exp(-epsilon) / slack <= a / b <= math.exp(epsilon) * slack


def test_every_draw_is_fresh():
    totals = np.zeros(64, dtype=np.int64)
    assert (drawn(totals, 1, 0.5) != drawn(totals, 1, 0.5)).any()


def test_deviation_is_about_root_two_of_the_scale():
    assert deviation(1, 0.1) == pytest.approx(math.sqrt(2) * scale_of(1, 0.1), rel=1e-2)
    assert deviation(2**20, 0.5) == pytest.approx(math.sqrt(2) * scale_of(2**20, 0.5), rel=1e-6)


def test_the_library_accounts_for_no_more_than_was_paid():
    for sensitivity in (1, 3, 7, 1_000, 5 * 2**20):
        for epsilon in (0.01, 0.1, 1 / 3, 0.7, 1.0):
            assert mechanism._laplace(scale_of(sensitivity, epsilon)).map(sensitivity) <= epsilon


def test_too_little_noise_is_never_drawn(monkeypatch):
    monkeypatch.setattr(mechanism, "scale_of", lambda sensitivity, epsilon: 0.9 * sensitivity / epsilon)
    with pytest.raises(BudgetExceeded):
        drawn(np.zeros(3, dtype=np.int64), 1, 0.5)
