"""How much one patient may add to each measure of a release: what the noise must hide. Pure.

Every patient keeps at most `contributions` rows (of a count of rows, of a sum) or cells (of a count of
distinct patients), picked at random among their own. Where the keys are the patient's own, such as the sex,
that is one cell, whatever the question allows; it is held to, not trusted. The bounds are public: the
question's own, and the catalogue's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, assert_never

from hub_config.gateway.rules.plan import PATIENT, Measure, MeasureKind, Release, ReleasePlan
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MOST_CONTRIBUTIONS: Final = 1_000
GRID: Final = (
    2**20
)  # steps of a sum's bound: noise on whole numbers has no floating-point leak (Mironov 2012)


@dataclass(frozen=True)
class Bounded:
    """One measure, and the most that one patient may add to all of its cells together.

    `rows` is how many rows, or cells, of each patient are kept. A total is a whole number of `unit`s, 1 for
    counts; `sensitivity` is in the same units.
    """

    measure: Measure
    rows: int
    sensitivity: int
    unit: float = 1.0

    @property
    def counts(self) -> bool:
        return self.measure.kind is not MeasureKind.SUM


def bounded(plan: ReleasePlan, contributions: int, most_cells: int) -> dict[str, tuple[Bounded, ...]]:
    """For each release its measures with their bounds. Raises Refusal for what noise can't be sized for."""
    if not 1 <= contributions <= MOST_CONTRIBUTIONS:
        problem = f"contributions must lie between 1 and {MOST_CONTRIBUTIONS}"
        raise Refusal(ErrorCode.MALFORMED, problem=problem)
    return {release.name: _release(release, contributions, most_cells) for release in plan.releases}


def _release(release: Release, contributions: int, most_cells: int) -> tuple[Bounded, ...]:
    if release.unit != PATIENT:
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="noise", why="no patient here")
    if not release.closed:
        raise Refusal(ErrorCode.KEY_RULE, operation="noise: every group must be known beforehand")
    if release.cells > most_cells:
        raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=most_cells)
    return tuple(_measure(release, measure, contributions) for measure in release.measures)


def _measure(release: Release, measure: Measure, contributions: int) -> Bounded:
    match measure.kind:
        case MeasureKind.PATIENTS:
            cells = min(contributions, _cells_of_one_patient(release))
            return Bounded(measure, cells, cells)
        case MeasureKind.ROWS:
            return Bounded(measure, contributions, contributions)
        case MeasureKind.SUM:
            return _sum(measure, contributions)
        case MeasureKind.QUANTILE:
            raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="noise: quantile")
        case _:
            assert_never(measure.kind)


def _sum(measure: Measure, contributions: int) -> Bounded:
    if measure.bounds is None or not (most := max(map(abs, measure.bounds))) or not math.isfinite(most):
        raise Refusal(ErrorCode.MEASURE_NOT_RELEASABLE, operation="noise: a sum without bounds")
    return Bounded(measure, contributions, contributions * GRID, most / GRID)


def _cells_of_one_patient(release: Release) -> int:
    """In how many cells one patient can be: those that differ in a key which is not the patient's own."""
    open_to_one = (
        len(domain.labels) for domain in release.domains if not release.patient_keys.issuperset(domain.keys)
    )
    return math.prod(open_to_one)
