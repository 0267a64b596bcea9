"""Contributions as the linear sketches that the ledger compares, and the fingerprints that noise sticks to.

Both are keyed by the gateway's secrets and stay inside the enclave. The fingerprint of what a measure counts
is a pseudo-random function of (Σ n, Σ n·p, Σ n·p²) over patients p who count n times (once, of distinct
patients; else with their rows): power sums of the numbers, exact modulo 2⁶⁴, cheap on every engine and the
same on each. Sets with equal power sums differ in at least three
patients on either side, whom nobody can choose: numbers are never shown nor compared.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence.contributions import (
    NO_PHYSICIAN,
    Added,
    Contributions,
    first_of_runs,
    ordered,
)
from hub_config.gateway.keyring import Keyring, Numbers
from hub_config.gateway.rules.cells import (
    PATIENT_BUCKETS,
    PHYSICIAN_BUCKETS,
    SAMPLE_SIZE,
    Fingerprints,
    Ints,
    Vectors,
    Words,
)
from hub_config.gateway.rules.draws import Own, uniforms
from hub_config.gateway.rules.plan import PATIENT, Measure, MeasureKind, Release
from hub_config.gateway.rules.quantiles import Supports
from p4dp_sdk.wire.errors import ErrorCode, Refusal

EVERYBODY = np.uint64(2**32)
_LOW = np.uint64(0xFFFF)


@dataclass(frozen=True, repr=False)
class Secrets:
    """The keyring's numbers for one release, and the draws of one project."""

    keyring: Keyring
    of_patients: bool
    project: str = ""

    @classmethod
    def of(cls, keyring: Keyring, release: Release, project: str = "") -> Secrets:
        return cls(keyring, release.unit == PATIENT, project)

    def units(self, count: int) -> Numbers:
        ring = self.keyring
        return ring.patients(count) if self.of_patients else ring.physician_units(count)

    def physician_buckets(self, physicians: Ints) -> Ints:
        """The bucket of each GP; that of no GP for none."""
        numbers = self.keyring.physicians(int(physicians.max(initial=0)) + 1)
        known = numbers.buckets[np.maximum(physicians, 0)].astype(np.int64)
        return np.where(physicians == NO_PHYSICIAN, self.keyring.missing_physician, known)

    def records(self, label: str, rows: Ints, first: Fingerprints, second: Fingerprints) -> Fingerprints:
        kind = "patient" if self.of_patients else "physician"
        return self.keyring.prf(f"records of a {kind} {label}".strip(), rows, first, second)

    def supports(self, of: Fingerprints) -> Supports:
        """What a quantile and its support are blurred by."""
        own = Own(self.keyring.prf, self.project)
        return Supports(
            *(uniforms(own, f"support of a quantile: {part.name}", of) for part in fields(Supports))
        )


def vectors(given: Contributions, cells: int, measure: Measure, secrets: Secrets) -> Vectors:
    """The sketch of one measure over all its contributors."""
    units = given.units
    numbers = secrets.units(int(units.unit.max(initial=0)) + 1)
    offsets, ranks, threshold = lowest_ranks(units, cells, measure, numbers)
    by_physician, physician_counts = _by_physician(given, cells, measure, numbers, secrets)
    return Vectors(
        by_patient=_by_patient(units, cells, measure, numbers),
        by_physician=by_physician,
        physician_counts=physician_counts,
        threshold=threshold,
        offsets=offsets,
        ranks=ranks,
        records=records(units, cells, measure, secrets),
    )


def unremembered(cells: int, fingerprints: Fingerprints) -> Vectors:
    """No sketch: for what is asked of no ledger. Everything but the fingerprints is empty."""
    return Vectors(
        by_patient=np.zeros((0, PATIENT_BUCKETS), dtype=np.uint32),
        by_physician=np.zeros((0, PHYSICIAN_BUCKETS), dtype=np.uint32),
        threshold=np.zeros(cells, dtype=np.uint64),
        offsets=np.zeros(cells + 1, dtype=np.int64),
        ranks=np.zeros(0, dtype=np.uint32),
        records=fingerprints,
    )


def records(units: Contributions, cells: int, measure: Measure, secrets: Secrets) -> Fingerprints:
    """The fingerprint of each cell: who contributes, with how many rows; of distinct patients, who."""
    rows = units.added[measure.weight].rows
    if measure.kind is MeasureKind.PATIENTS:
        rows = (rows > 0).astype(np.int64)
    first = rows.astype(np.uint64) * units.unit.astype(np.uint64)
    second = first * units.unit.astype(np.uint64)
    total = sums_by_cell(units.cell, rows.astype(np.uint64), cells)
    return secrets.records(
        "",
        total.astype(np.int64),
        sums_by_cell(units.cell, first, cells),
        sums_by_cell(units.cell, second, cells),
    )


def sums_by_cell(cell: Ints, values: Fingerprints, cells: int) -> Fingerprints:
    """Sums modulo 2⁶⁴; entries are sorted by cell."""
    sums = np.zeros(cells, dtype=np.uint64)
    starts = first_of_runs(cell)
    if len(starts):
        sums[cell[starts]] = np.add.reduceat(values, starts)
    return sums


def weights(added: Added, kind: MeasureKind) -> NDArray[np.uint64]:
    """The weight of each entry, modulo 2⁶⁴: 1, rows, or thousandths."""
    match kind:
        case MeasureKind.PATIENTS:
            return added.present.astype(np.uint64)
        case MeasureKind.ROWS:
            return added.rows.astype(np.uint64)
        case MeasureKind.SUM | MeasureKind.QUANTILE:
            if added.thousandths is None:
                raise Refusal(ErrorCode.ENGINE_FAILED)
            return added.thousandths.astype(np.uint64)


def lowest_ranks(
    units: Contributions, cells: int, measure: Measure, numbers: Numbers, below: int = 2**32
) -> tuple[Ints, Words, NDArray[np.uint64]]:
    """Offsets, ranks and thresholds: each cell's contributors of lowest rank, at most SAMPLE_SIZE. `units`
    must hold all contributors whose rank is less than `below`."""
    present = units.added[measure.weight].present
    cell, rank = units.cell[present], numbers.ranks[units.unit[present]]
    order = ordered(cell, rank.astype(np.int64))
    cell, rank = cell[order], rank[order]
    counts = np.bincount(cell, minlength=cells)
    firsts = np.concatenate(([0], np.cumsum(counts)))
    place = np.arange(len(cell)) - firsts[cell]
    threshold = np.full(cells, below, dtype=np.uint64)
    beyond = place == SAMPLE_SIZE
    threshold[cell[beyond]] = rank[beyond]
    kept = rank < threshold[cell]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(cell[kept], minlength=cells))))
    return offsets.astype(np.int64), rank[kept], threshold


def _by_patient(units: Contributions, cells: int, measure: Measure, numbers: Numbers) -> Words:
    weight = weights(units.added[measure.weight], measure.kind)
    products = numbers.keys[units.unit].astype(np.uint64) * weight
    place = units.cell * PATIENT_BUCKETS + numbers.buckets[units.unit]
    return summed_words(place, products, cells * PATIENT_BUCKETS).reshape(cells, PATIENT_BUCKETS)


def _by_physician(
    given: Contributions, cells: int, measure: Measure, numbers: Numbers, secrets: Secrets
) -> tuple[Words, Words]:
    """By the first GP column, the sketch and the rows. A patient with rows of several GPs adds to each GP's
    bucket what they have there; as one of distinct patients, once a GP."""
    if not given.physicians:
        none = np.zeros((cells, PHYSICIAN_BUCKETS), dtype=np.uint32)
        return none, none
    added, gp = given.added[measure.weight], given.physicians[0]
    weight, rows = weights(added, measure.kind), added.rows.astype(np.uint64)
    if measure.kind is MeasureKind.PATIENTS:
        weight = _once(given, gp, added, weight) if len(given.physicians) > 1 else weight
        rows = weight
    products = numbers.keys[given.unit].astype(np.uint64) * weight
    place = given.cell * PHYSICIAN_BUCKETS + secrets.physician_buckets(gp)
    made = (
        summed_words(place, each, cells * PHYSICIAN_BUCKETS)
        for each in (products, rows * (gp != NO_PHYSICIAN))
    )
    sketch, counts = (each.reshape(cells, PHYSICIAN_BUCKETS) for each in made)
    return sketch, counts


def _once(given: Contributions, gp: Ints, added: Added, weight: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`weight` of the first present entry of each (cell, unit, GP); zero of the others."""
    present = np.flatnonzero(added.present)
    order = present[ordered(given.cell[present], given.unit[present], gp[present])]
    firsts = order[first_of_runs(given.cell[order], given.unit[order], gp[order])]
    once = np.zeros_like(weight)
    once[firsts] = weight[firsts]
    return once


def summed_words(place: Ints, products: NDArray[np.uint64], size: int) -> Words:
    """Σ modulo 2³² at each place. Halves of 16 bits are added as floats, exactly up to 2³⁷ of them."""
    low = np.bincount(place, weights=(products & _LOW).astype(np.float64), minlength=size)
    high = np.bincount(place, weights=((products >> np.uint64(16)) & _LOW).astype(np.float64), minlength=size)
    whole = low.astype(np.uint64) + ((high.astype(np.uint64) & _LOW) << np.uint64(16))
    return (whole & np.uint64(0xFFFFFFFF)).astype(np.uint32)
