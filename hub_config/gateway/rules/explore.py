"""What an exploration answer proposes to show of each cell: exact values in, blurred ones out. Pure.

Counts go through the policy's method, sums get noise in units of their largest contribution, quantiles are
read off protected bins already. The draws come from a keyed function of what is counted of whom: the same
people give the same number under every name, and as rows, where each has one. Rows and patients of people
who have several are two numbers with two draws; with one for both, their difference would be exact.

A count of rows carries noise in units of half of the rows of those who have most in the cell, and a sum in
units of the largest contribution: one person counts as much as they have, and noise for one row each would
not cover them. Those who stand out are cut down first (`flattening`).

A conditional count shown above its whole would look wrong. Nothing is done about it, since the unanimity
rule already sees to it: where both are shown, at least `min_patients` are left out, and noise takes twice its
bound at most. Where a policy's bound is half of its threshold or more it can happen; clipping one by the
other would then give one set of people two numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, assert_never

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Cells, Column, Fingerprints, Floats, Ints
from hub_config.gateway.rules.draws import COUNTS, Prf, uniforms
from hub_config.gateway.rules.flattening import flattened
from hub_config.gateway.rules.plan import Measure, MeasureKind
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.magnitude import blurred, presented
from p4dp_sdk.disclosure.policy import Method, Policy
from p4dp_sdk.disclosure.rounding import expected_error as rounding_error
from p4dp_sdk.disclosure.rounding import rounded

_SUMS: Final = "noise of "  # and of each family of sums
_FRACTION: Final = "fraction of noise"  # of rows, where a unit of noise is several
_DIGITS: Final = "digits of a sum"
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # odd: totals that differ stay different
_LEAST_NOISE: Final = 0.01  # of the half-range: values that all sit on the middle still get noise


def propose(
    cells: Cells, withheld: Mapping[str, NDArray[np.bool_]], policy: Policy, prf: Prf
) -> dict[str, Floats]:
    """For each measure the value proposed for each cell; NaN where it is withheld."""
    return {
        column.measure.name: _proposed(cells, column, ~withheld[column.measure.name], policy, prf)
        for column in cells.columns
    }


def expected_error(policy: Policy) -> float:
    """Standard deviation of a count shown in exploration, in patients or rows, for `Disclosure.error`."""
    match policy.method:
        case Method.CELL_KEY:
            return math.sqrt(policy.noise_variance)
        case Method.ROUNDING:
            return rounding_error(policy.rounding_base)
        case _:
            assert_never(policy.method)


def _proposed(cells: Cells, column: Column, shown: NDArray[np.bool_], policy: Policy, prf: Prf) -> Floats:
    values = np.full(len(cells.labels), np.nan)
    match column.measure.kind:
        case MeasureKind.PATIENTS:
            drawn = uniforms(prf, COUNTS, column.vectors.records[shown])
            values[shown] = _counts(column.exact[shown].astype(np.int64), drawn, policy)
        case MeasureKind.ROWS:
            values[shown] = _rows(column, shown, policy, prf)
        case MeasureKind.SUM:
            values[shown] = _sums(column, shown, policy, prf)
        case MeasureKind.QUANTILE:
            values[shown] = column.exact[shown]
        case _:
            assert_never(column.measure.kind)
    return values


def _counts(exact: Ints, uniforms: Floats, policy: Policy) -> Ints:
    match policy.method:
        case Method.CELL_KEY:
            return PTable.of(policy).perturbed(exact, uniforms)
        case Method.ROUNDING:
            return rounded(exact, uniforms, policy.rounding_base, policy.min_patients)
        case _:
            assert_never(policy.method)


def _rows(column: Column, shown: NDArray[np.bool_], policy: Policy, prf: Prf) -> Floats:
    """Noise as of a count of patients, in units of several rows where somebody has several. A unit is spread
    evenly over itself: multiples of it would leave the rest of a division exact."""
    records = column.vectors.records[shown]
    flat = flattened(column, prf)
    exact = np.maximum(column.exact - flat.excess, policy.min_patients)[shown].astype(np.int64)
    drawn = uniforms(prf, COUNTS, records)
    units = np.maximum(flat.cap[shown] * policy.magnitude_scale / math.sqrt(policy.noise_variance), 1.0)
    match policy.method:
        case Method.CELL_KEY:
            noise = PTable.of(policy).perturbed(exact, drawn) - exact
            spread = uniforms(prf, _FRACTION, records) - 0.5
            return np.maximum(exact + np.rint((noise + spread) * units), policy.min_patients)
        case Method.ROUNDING:
            bases = np.rint(policy.rounding_base * units).astype(np.int64)
            return rounded(exact, drawn, bases, policy.min_patients).astype(np.float64)
        case _:
            assert_never(policy.method)


def _sums(column: Column, shown: NDArray[np.bool_], policy: Policy, prf: Prf) -> Floats:
    measure, records = column.measure, column.vectors.records[shown]
    flat = flattened(column, prf)
    cap = np.maximum(flat.cap[shown], _least_noise(measure))
    drawn = uniforms(prf, _SUMS + measure.family, _with_totals(records, column.exact[shown]))
    values = blurred((column.exact - flat.net)[shown], cap, drawn, policy.magnitude_scale)
    patients = _counts(column.backing.patients[shown], uniforms(prf, _DIGITS, records), policy)
    whole = bool(np.issubdtype(column.exact.dtype, np.integer))
    values = presented(values, patients, whole=whole)
    return np.maximum(values, 0.0) if _never_negative(measure) else values


def _with_totals(records: Fingerprints, totals: NDArray[Any]) -> Fingerprints:
    """What the noise of a sum sticks to: who is in it, and its total in thousandths. Of the same people the
    days from A to B, from B to A and from B to C are different sums; were their noise one draw, their
    differences would be free of it."""
    thousandths = np.round(np.asarray(totals, dtype=np.float64) * 1_000).astype(np.int64)
    mixed: Fingerprints = records + thousandths.view(np.uint64) * _ODD
    return mixed


def _least_noise(measure: Measure) -> float:
    if measure.bounds is None:
        return 0.0
    low, high = measure.bounds
    return _LEAST_NOISE * (high - low) / 2


def _never_negative(measure: Measure) -> bool:
    return measure.bounds is not None and measure.bounds[0] >= 0
