"""What an exploration answer proposes to show of each cell: exact values in, blurred ones out. Pure.

Counts go through the policy's method, sums get noise in units of their largest contribution, quantiles are
read off protected bins already. The draws come from a keyed function of the record set and of what is
blurred: all counts share one draw, so that the same people give the same number as patients, as rows or
under a condition, and a count of rows is never shown below the patients behind it.

A conditional count shown above its whole would look wrong. Nothing is done about it, since the unanimity
rule already sees to it: where both are shown, at least `min_patients` are left out, and noise takes twice its
bound at most. Where a policy's bound is half of its threshold or more it can happen; clipping one by the
other would then give one set of people two numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Cells, Column, Fingerprints, Floats, Ints
from hub_config.gateway.rules.plan import Measure, MeasureKind
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.magnitude import blurred, presented
from p4dp_sdk.disclosure.policy import Method, Policy
from p4dp_sdk.disclosure.rounding import expected_error as rounding_error
from p4dp_sdk.disclosure.rounding import rounded

Draw = Callable[[Fingerprints, str], NDArray[np.float64]]  # keyed: record sets and a salt to [0, 1)

_COUNTS: Final = "count"  # one salt for all counts
_LEAST_NOISE: Final = 0.01  # of the half-range: values that all sit on the middle still get noise


def propose(
    cells: Cells, withheld: Mapping[str, NDArray[np.bool_]], policy: Policy, draw: Draw
) -> dict[str, Floats]:
    """For each measure the value proposed for each cell; NaN where it is withheld.

    `draw(records, salt)` gives keyed uniforms: the same for the same arguments, telling nothing of others.
    """
    return {
        column.measure.name: _proposed(cells, column, ~withheld[column.measure.name], policy, draw)
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


def _proposed(cells: Cells, column: Column, shown: NDArray[np.bool_], policy: Policy, draw: Draw) -> Floats:
    values = np.full(len(cells.labels), np.nan)
    match column.measure.kind:
        case MeasureKind.PATIENTS | MeasureKind.ROWS:
            uniforms = draw(column.vectors.records[shown], _COUNTS)
            values[shown] = _counts(column.exact[shown].astype(np.int64), uniforms, policy)
        case MeasureKind.SUM:
            values[shown] = _sums(column, shown, policy, draw)
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


def _sums(column: Column, shown: NDArray[np.bool_], policy: Policy, draw: Draw) -> Floats:
    measure, records = column.measure, column.vectors.records[shown]
    largest = np.maximum(column.backing.largest[shown], _least_noise(measure))
    values = blurred(column.exact[shown], largest, draw(records, measure.family), policy.magnitude_scale)
    patients = _counts(column.backing.patients[shown], draw(records, _COUNTS), policy)
    whole = bool(np.issubdtype(column.exact.dtype, np.integer))
    values = presented(values, patients, whole=whole)
    return np.maximum(values, 0.0) if _never_negative(measure) else values


def _least_noise(measure: Measure) -> float:
    if measure.bounds is None:
        return 0.0
    low, high = measure.bounds
    return _LEAST_NOISE * (high - low) / 2


def _never_negative(measure: Measure) -> bool:
    return measure.bounds is not None and measure.bounds[0] >= 0
