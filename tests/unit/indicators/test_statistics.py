"""Intervals, standardised rates and funnel limits: published examples, and the laws they obey."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2, gamma

from p4dp_sdk.figures.chance import limits
from p4dp_sdk.indicators.funnel import funnel, overdispersion
from p4dp_sdk.indicators.intervals import wilson
from p4dp_sdk.indicators.standardise import ESP2013, Standard, esp2013, fay_feuer, standardised

# Newcombe 1998, Stat Med 17:857-872, table I, method 3
NEWCOMBE = {
    (81, 263): (0.2553, 0.3662),
    (15, 148): (0.0624, 0.1605),
    (0, 20): (0.0, 0.1611),
    (1, 29): (0.0061, 0.1718),
}
# births with Down's syndrome, first children, by age of mother (Fleiss 1981); all births as the standard
DOWN = (107, 141, 60, 40, 39, 25)
FIRST_BIRTHS = (230_061, 329_449, 114_920, 39_487, 14_208, 3_052)
BIRTHS = (319_933, 931_318, 786_511, 488_235, 237_863, 61_313)


@pytest.mark.parametrize(("counts", "interval"), NEWCOMBE.items())
def test_wilson_as_newcombe_prints_it(counts: tuple[int, int], interval: tuple[float, float]) -> None:
    assert wilson(*counts) == pytest.approx(interval, abs=5e-5)


@settings(max_examples=100)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_stays_inside_of_0_and_1(counts: tuple[int, int]) -> None:
    part, whole = counts
    low, high = wilson(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    mirrored = wilson(whole - part, whole)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


def test_a_share_of_nobody_is_none_and_a_part_above_the_whole_an_error() -> None:
    assert all(math.isnan(end) for end in wilson(0, 0))
    with pytest.raises(ValueError, match="numerator"):
        wilson(3, 2)


def test_down_syndrome_of_first_births_standardised_to_all() -> None:
    rate = fay_feuer(DOWN, FIRST_BIRTHS, BIRTHS)
    assert rate.share == pytest.approx(92.3e-5, abs=0.05e-5)
    weights = [w / sum(BIRTHS) / n for w, n in zip(BIRTHS, FIRST_BIRTHS, strict=True)]
    variance = sum(w * w * x for w, x in zip(weights, DOWN, strict=True))
    low = gamma.ppf(0.025, a=rate.share**2 / variance, scale=variance / rate.share)
    above, spread = rate.share + max(weights), variance + max(weights) ** 2
    high = gamma.ppf(0.975, a=above**2 / spread, scale=spread / above)
    assert (rate.low, rate.high) == pytest.approx((low, high))


@pytest.mark.parametrize("events", [0, 1, 7, 250])
def test_one_stratum_has_the_exact_poisson_interval(events: int) -> None:
    rate = fay_feuer([events], [1000], [42.0])
    low = chi2.ppf(0.025, 2 * events) / 2 / 1000 if events else 0.0
    assert rate.share == pytest.approx(events / 1000)
    assert (rate.low, rate.high) == pytest.approx((low, chi2.ppf(0.975, 2 * events + 2) / 2 / 1000))


def test_the_european_standard_population_is_100_000() -> None:
    assert sum(ESP2013) == 100_000
    assert [esp2013(band) for band in ("00-09", "60-69", "90+", "00-39", "65+")] == [
        10_500, 11_500, 1_000, 47_000, 19_500,
    ]  # fmt: skip
    for wrong in ("00-17", "18-39", "95-104"):
        with pytest.raises(ValueError, match="European"):
            esp2013(wrong)


def strata(rows: list[tuple[object, ...]], by: bool = True) -> pd.DataFrame:
    columns = [*(["centre_id"] if by else []), "sex", "age_band", "denominator", "numerator"]
    return pd.DataFrame(rows, columns=columns).astype({"denominator": "Int64", "numerator": "Int64"})


WHOLE = [("F", "00-39", 200, 12), ("F", "40+", 200, 60), ("M", "00-39", 200, 20), ("M", "40+", 200, 80)]
OLD = [
    ("A", "F", "00-39", 10, 1),
    ("A", "F", "40+", 90, 27),
    ("A", "M", "00-39", 10, 1),
    ("A", "M", "40+", 90, 36),
]


def test_a_centre_of_old_people_is_given_the_ages_of_all() -> None:
    made = standardised(strata(OLD), strata(WHOLE, by=False), "centre_id")
    row = made.frame.iloc[0]
    assert row["share"] == pytest.approx((0.1 + 0.3 + 0.1 + 0.4) / 4)
    assert (row["denominator"], row["numerator"], row["covered"]) == (200, 65, 1.0)
    assert row["low"] < row["share"] < row["high"]


def test_the_european_standard_weighs_ages_not_sexes() -> None:
    made = standardised(strata(OLD), strata(WHOLE, by=False), "centre_id", Standard.ESP2013)
    young, old = 47_000 / 100_000, 53_000 / 100_000
    assert made.frame["share"].iloc[0] == pytest.approx((young * 0.2 + old * 0.7) / 2)


def test_a_withheld_stratum_above_a_tenth_leaves_nothing() -> None:
    rows = [*OLD, *(("B", *row[1:]) for row in OLD)]
    rows[1] = ("A", "F", "40+", 90, None)
    made = standardised(strata(rows), strata(WHOLE, by=False), "centre_id")
    assert made.frame["share"].isna().tolist() == [True, False]
    assert made.frame["covered"].tolist() == [0.75, 1.0]
    alone = standardised(strata(rows[:4]), strata(WHOLE, by=False), "centre_id")
    assert alone.frame["share"].isna().all() and "•" in alone._repr_html_()


def test_a_small_withheld_stratum_is_left_out() -> None:
    whole = [*WHOLE[:3], ("M", "40+", 30, 3)]
    made = standardised(
        strata([*OLD[:3], ("A", "M", "40+", None, None)]), strata(whole, by=False), "centre_id"
    )
    assert made.frame["covered"].iloc[0] == pytest.approx(600 / 630)
    assert made.frame["share"].iloc[0] == pytest.approx((0.1 + 0.3 + 0.1) / 3)
    assert made.frame["denominator"].isna().all(), "no crude number where a stratum is missing"


@settings(max_examples=100)
@given(st.integers(12, 3000), st.floats(0.02, 0.98), st.sampled_from([0.95, 0.998]))
def test_funnel_limits_leave_their_tails_outside(size: int, target: float, level: float) -> None:
    low, high = limits(target, size, level)
    tail = (1 - level) / 2
    assert 0 <= low < target < high <= 1
    # the interpolated limit lies between the two whole numbers whose probability encloses the tail
    below, above = math.floor(low * size), math.ceil(high * size)
    assert low == 0 or binom.cdf(below - 1, size, target) <= tail <= binom.cdf(below + 1, size, target)
    assert high == 1 or binom.cdf(above - 2, size, target) <= 1 - tail <= binom.cdf(above, size, target)


def groups(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["centre_id", "denominator", "numerator"])
    return frame.astype({"denominator": "Int64", "numerator": "Int64"})


def test_a_funnel_names_who_lies_outside() -> None:
    made = funnel(groups([("A", 400, 80), ("B", 400, 90), ("C", 400, 150), ("D", None, None)]), "centre_id")
    assert made.frame["target"].iloc[0] == pytest.approx(320 / 1200)
    assert made.frame["outside"].tolist() == ["95 %", "", "99.8 %", ""]
    assert made.frame["share"].isna().tolist() == [False, False, False, True]
    assert made.overdispersed and any("Over" in line or "Sur" in line for line in made.remarks)


def test_a_funnel_of_two_groups_has_no_limits() -> None:
    made = funnel(groups([("A", 400, 80), ("B", 400, 90), ("C", 12, None)]), "centre_id")
    assert made.frame["low_95"].isna().all() and made.frame["target"].isna().all()
    assert made.frame["share"].tolist()[:2] == [0.2, 0.225] and not made.frame["outside"].any()
    assert made.overdispersion is None and not made.overdispersed and len(made.remarks) == 1
    assert "•" in made._repr_html_()


def test_overdispersion_draws_in_the_outer_tenth() -> None:
    assert overdispersion([1.0] * 20) == pytest.approx(1.0)
    assert overdispersion([*[0.0] * 19, 100.0]) == pytest.approx(0.0), "one outlier is no overdispersion"
