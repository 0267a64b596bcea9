"""The noise of sums: zero-mean, of the standard deviation asked for, bounded, with one peak and no hole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure.magnitude import FARTHEST, blurred, deviates, presented

GRID = (np.arange(100_000) + 0.5) / 100_000
UNIFORM = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize("scale", [1.0, 2.5, 100.0])
def test_the_moments_of_z(scale):
    z = deviates(GRID, scale)
    assert z.mean() == pytest.approx(0, abs=1e-4 * scale)
    assert z.std() == pytest.approx(scale, rel=1e-3)
    assert np.abs(z).max() <= FARTHEST * scale


@settings(max_examples=100, deadline=None)
@given(UNIFORM, st.floats(-1e9, 1e9), st.floats(0.01, 1e6), st.floats(1, 100))
def test_the_error_is_bounded_by_the_largest(uniform, total, largest, scale):
    shown = blurred(np.array([total]), np.array([largest]), np.array([uniform]), scale)[0]
    slack = 1e-6 * (abs(total) + largest)
    assert abs(shown - total) <= FARTHEST * scale * largest + slack


def test_up_as_often_as_down_and_small_rather_than_large():
    z = deviates(GRID, 1.0)
    density, _ = np.histogram(z, bins=np.linspace(-3, 3, 42))
    assert (np.abs(density - density[::-1]) <= 2).all()
    assert (np.diff(density[21:]) <= 0).all()  # a hole in the middle would be a ruler


@pytest.mark.parametrize("uniform", [1.0, -0.1, np.nan])
def test_a_draw_outside_the_unit(uniform):
    with pytest.raises(ValueError, match="uniforms"):
        deviates(np.array([uniform]), 1.0)


@pytest.mark.parametrize(
    ("value", "patients", "whole", "shown"),
    [
        (1234.567, 11, False, 1230.0),
        (1234.567, 99, False, 1230.0),
        (1234.567, 100, False, 1235.0),
        (-1234.567, 20, False, -1230.0),
        (0.0123456, 20, False, 0.0123),
        (0.0123456, 20, True, 0.0),
        (1234.567, 10**6, True, 1235.0),
        (1234.567, 10**6, False, 1234.567),
        (0.0, 50, False, 0.0),
    ],
)
def test_digits_that_are_noise_are_not_shown(value, patients, whole, shown):
    assert presented(np.array([value]), np.array([patients]), whole=whole)[0] == shown


@settings(max_examples=100, deadline=None)
@given(
    UNIFORM, st.lists(st.floats(0, 1e4), min_size=11, max_size=60).filter(lambda values: max(values) > 1e-3)
)
def test_presenting_costs_less_than_the_noise(uniform, values):
    """Half a unit of the last digit is below 1/n of the sum, and so below the largest contribution."""
    total, patients = sum(values), len(values)
    noisy = blurred(np.array([total]), np.array([max(values)]), np.array([uniform]), 1.0)
    rounded = presented(noisy, np.array([patients]), whole=False)
    assert abs(rounded[0] - noisy[0]) <= 0.5 * max(values) * (1 + FARTHEST)
