"""Random rounding: unbiased, within one base, never below its least value, in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p4dp_sdk.disclosure.rounding import expected_error, least_shown, rounded

GRID = (np.arange(10_000) + 0.5) / 10_000


@pytest.mark.parametrize("count", [11, 12, 13, 14, 15, 16, 999, 10**9 + 3])
def test_unbiased_from_the_threshold_on(count):
    shown = rounded(np.full(GRID.size, count), GRID, 5, 11)
    assert shown.mean() == pytest.approx(count, abs=1e-3)
    assert set(shown) <= {count // 5 * 5, count // 5 * 5 + 5}


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 100), st.integers(11, 60), st.floats(0, 1, exclude_max=True))
def test_the_laws_of_rounding(base, least, uniform):
    counts = np.arange(least, least + 2 * base + 1)
    shown = rounded(counts, np.full(counts.size, uniform), base, least)
    assert (shown % base == 0).all() and (np.abs(shown - counts) < base).all()
    assert (np.diff(shown) >= 0).all()
    assert shown.min() >= least_shown(base, least) > 0


def test_the_least_value_shown():
    assert least_shown(5, 11) == 10  # stands for 11 to 14
    assert least_shown(10, 25) == 20
    assert least_shown(100, 11) == 100  # never zero, which would say that nobody is there


def test_its_error():
    counts = np.arange(1_000, 1_005).repeat(GRID.size)
    error = rounded(counts, np.tile(GRID, 5), 5, 11) - counts
    assert error.std() == pytest.approx(expected_error(5), abs=1e-2) == pytest.approx(2, abs=1e-2)


@pytest.mark.parametrize(
    ("count", "uniform", "base"), [(10, 0.5, 5), (11, 1.0, 5), (11, -0.1, 5), (11, 0, 1)]
)
def test_what_may_not_be_shown_is_not_rounded(count, uniform, base):
    with pytest.raises(ValueError, match="threshold"):
        rounded(np.array([count]), np.array([uniform]), base, 11)
