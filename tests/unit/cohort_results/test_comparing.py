"""Standardised differences and chi-square, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from p4dp_sdk.cohorts.results import comparing, differences
from p4dp_sdk.cohorts.results.asking import Number
from p4dp_sdk.cohorts.results.variables import Kind, Level, Variable

AGE = Variable("age", "Age", Kind.NUMBER, None)
ILL = Variable("ill", "Ill", Kind.YES_NO, None, may_miss=False)
MAYBE = Variable("ill", "Ill", Kind.YES_NO, None)
BAND = Variable("band", "Band", Kind.CLASSES, None, tuple(Level(x, x, None) for x in "abc"), False)
TWO = Variable("band", "Band", Kind.CLASSES, None, tuple(Level(x, x, None) for x in "ab"), False)


def numbers(**values: float | None) -> dict[str, Number]:
    return {name: Number(value) for name, value in values.items()}


def test_difference_of_means_over_the_pooled_spread() -> None:
    one, two = numbers(age_mean=60, age_sd=10), numbers(age_mean=65, age_sd=14)
    assert differences.standardised(AGE, one, two) == pytest.approx(5 / math.sqrt((100 + 196) / 2))


def test_difference_of_shares() -> None:
    one, two = numbers(patients=200, ill=60), numbers(patients=100, ill=50)
    assert differences.standardised(ILL, one, two) == pytest.approx(0.2 / math.sqrt((0.21 + 0.25) / 2))


def test_shares_are_of_those_known() -> None:
    one, two = {**numbers(patients=200, ill=60), "ill null": Number(50)}, numbers(patients=100, ill=50)
    two["ill null"] = Number(0)
    assert differences.standardised(MAYBE, one, two) == pytest.approx(0.1 / math.sqrt((0.24 + 0.25) / 2))
    assert differences.standardised(MAYBE, numbers(patients=200, ill=60), two) is None


def test_two_classes_differ_as_their_share_does() -> None:
    one, two = numbers(a=30, b=70), numbers(a=50, b=50)
    assert differences.standardised(TWO, one, two) == pytest.approx(0.2 / math.sqrt((0.21 + 0.25) / 2))


def test_classes_by_mahalanobis_whatever_their_order() -> None:
    one, two = numbers(a=20, b=30, c=50), numbers(a=40, b=40, c=20)
    p, q = np.array([0.3, 0.5]), np.array([0.4, 0.2])
    s = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    assert differences.standardised(BAND, one, two) == pytest.approx(
        math.sqrt((p - q) @ np.linalg.inv(s) @ (p - q))
    )
    turned = [numbers(a=n["c"].value, b=n["b"].value, c=n["a"].value) for n in (one, two)]
    assert differences.standardised(BAND, *turned) == pytest.approx(differences.standardised(BAND, one, two))


def test_a_withheld_number_leaves_no_difference() -> None:
    known = numbers(age_mean=60, age_sd=10, patients=100, ill=30, a=20, b=30, c=50)
    for variable, name in ((AGE, "age_sd"), (ILL, "ill"), (BAND, "b")):
        assert differences.standardised(variable, known, known | {name: Number(None)}) is None
        assert differences.standardised(variable, known, known) == 0


def test_chi_square_of_a_two_by_two_table() -> None:
    """60 of 200 against 50 of 100: χ² = 300 · (60·50 − 140·50)² / (200 · 100 · 110 · 190)."""
    found = comparing.chi_square(
        ILL, [numbers(patients=200, ill=60), numbers(patients=100, ill=50)], exact=True
    )
    assert found.statistic == pytest.approx(300 * (60 * 50 - 140 * 50) ** 2 / (200 * 100 * 110 * 190))
    assert found.degrees == 1 and "approximate" not in repr(found)


def test_a_draft_says_that_its_test_is_approximate() -> None:
    found = comparing.chi_square(BAND, [numbers(a=20, b=30, c=50), numbers(a=40, b=40, c=20)], exact=False)
    assert found.degrees == 2 and "approximate" in repr(found)


@pytest.mark.parametrize(
    "groups", [[], [numbers(patients=200, ill=60)], [numbers(patients=200), numbers(ill=4)]]
)
def test_no_test_without_all_its_counts(groups: list[dict[str, Number]]) -> None:
    found = comparing.chi_square(ILL, groups, exact=True)
    assert found.p_value is None and "withheld" in repr(found)
