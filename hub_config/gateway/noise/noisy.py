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
from numpy.typing import NDArray

from hub_config.gateway.noise.bounds import Bounded
from hub_config.gateway.noise.mechanism import deviation
from hub_config.gateway.rules.plan import ProtectedTable, Release
from hub_config.gateway.rules.protect import Shown, full_domain, table
from p4dp_sdk.disclosure.magnitude import to_digit

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
    """`totals` (an array a measure, over the full domain of the release) with noise, as a table of it."""
    drawn = {
        share.bounded.measure.name: _shown(
            release, share, draw(exact, share.bounded.sensitivity, share.epsilon)
        )
        for share, exact in zip(shares, totals, strict=True)
    }
    labels = list(full_domain(release))
    nothing = np.zeros(len(labels), dtype=bool)
    return table(release, labels, {name: Shown(values, nothing) for name, values in drawn.items()})


def _shown(release: Release, share: Share, drawn: Totals) -> NDArray[np.float64]:
    bounded, measure = share.bounded, share.bounded.measure
    if bounded.counts:
        return np.maximum(drawn, 0).astype(np.float64)
    last_digit = math.floor(math.log10(share.error)) - 1  # a tenth of the error's own
    exponent = max(last_digit, 0) if release.schema[measure.name].is_integer() else last_digit
    values = to_digit(drawn.astype(np.float64) * bounded.unit, np.full(drawn.shape, float(exponent)))
    return np.maximum(values, 0.0) if measure.bounds is not None and measure.bounds[0] >= 0 else values
