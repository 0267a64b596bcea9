"""One release with noise: exact bounded totals in, the table that may be shown out.

Each measure gets an equal part of the budget. All cells of the domain come back, those with nobody in them
included, so that no threshold tells anything. What follows the draw is post-processing and costs nothing:
counts below zero are shown as zero (so many tiny cells add up to too much: ask for their total instead), and
sums lose the digits that are noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.noise.bounds import Bounded, labels_of
from hub_config.gateway.noise.mechanism import deviation
from hub_config.gateway.rules.plan import ProtectedTable, Release
from p4dp_sdk.disclosure.magnitude import to_digit
from p4dp_sdk.wire.protocol import MeasureSummary

Totals = NDArray[np.int64]
Drawer = Callable[[Totals, int, float], Totals]  # totals, sensitivity, epsilon: the totals with noise


@dataclass(frozen=True)
class Share:
    """One measure of one release, and its part of the question's budget."""

    bounded: Bounded
    epsilon: float

    @property
    def error(self) -> float:
        """Standard deviation of the noise, in what the measure counts or sums."""
        return deviation(self.bounded.sensitivity, self.epsilon) * self.bounded.unit


def shared(measures: Mapping[str, Sequence[Bounded]], epsilon: float) -> dict[str, tuple[Share, ...]]:
    """The budget in equal parts: all parts together cost `epsilon` (sequential composition)."""
    each = epsilon / sum(map(len, measures.values()))
    return {name: tuple(Share(bounded, each) for bounded in bounds) for name, bounds in measures.items()}


def noisy(
    release: Release, shares: Sequence[Share], totals: Sequence[Totals], draw: Drawer
) -> ProtectedTable:
    """`totals` (one array a measure, over `labels_of(release)`) with noise, as a table of the release."""
    values = {
        share.bounded.measure.name: _shown(
            release, share, draw(exact, share.bounded.sensitivity, share.epsilon)
        )
        for share, exact in zip(shares, totals, strict=True)
    }
    labels = labels_of(release)
    return ProtectedTable(
        frame=_frame(release, labels, values),
        measures={name: MeasureSummary(shown=len(labels), withheld=0) for name in values},
        reasons=(),
        rows_may_be_missing=False,
    )


def _shown(release: Release, share: Share, drawn: Totals) -> NDArray[np.float64]:
    bounded, measure = share.bounded, share.bounded.measure
    if bounded.counts:
        return np.maximum(drawn, 0).astype(np.float64)
    last_digit = math.floor(math.log10(share.error)) - 1  # a tenth of the error's own
    exponent = max(last_digit, 0) if release.schema[measure.name].is_integer() else last_digit
    values = to_digit(drawn.astype(np.float64) * bounded.unit, np.full(drawn.shape, float(exponent)))
    return np.maximum(values, 0.0) if measure.bounds is not None and measure.bounds[0] >= 0 else values


def _frame(
    release: Release, labels: Sequence[tuple[object, ...]], values: Mapping[str, NDArray[np.float64]]
) -> pa.Table:
    schema = pa.schema([field.with_nullable(True) for field in release.schema.to_pyarrow()])
    keys = dict(zip(release.keys, zip(*labels, strict=True), strict=True)) if labels else {}
    arrays = [
        pa.array(values[field.name]).cast(field.type, safe=False)
        if field.name in values
        else pa.array(keys.get(field.name, ()), type=field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
