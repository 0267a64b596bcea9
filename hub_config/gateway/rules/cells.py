"""One release as arrays: exact values, who stands behind each, and what the ledger compares. Frozen values;
none of it ever leaves the enclave.

Arrays have an entry a cell, in the order of `labels`. Bounds are sound: what is not known exactly is given
from the side that withholds.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.plan import Measure, Release

PATIENT_BUCKETS: Final = 64
PHYSICIAN_BUCKETS: Final = 32
TOPS: Final = 6
SAMPLE_SIZE: Final = 256  # at most so many contributors of a cell are remembered one by one
NOBODY_ELSEWHERE: Final = np.iinfo(np.int64).max  # `left_out` where no key and no condition could exclude

Label = tuple[Hashable, ...]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint32]
Fingerprints = NDArray[np.uint64]


@dataclass(frozen=True)
class Backing:
    """Who stands behind one measure.

    `patients`, `physicians`, `outside` (contributors that are not of the GP who has most of them), `left_out`
    (patients of the row, or of a margin, whom the measure does not count): at least. `physicians` and
    `outside` are None in tables about physicians. `largest`, `second` (absolute contributions of one patient;
    rows, for counts) and `physician_share` (largest GP's part of the absolute total): at most. `total`: sum
    of absolute contributions.

    What exploration asks for beside: `outside_few`, contributors whose own GP (of most of their rows in the
    cell) is none of the `min_physicians` - 1 GPs who have most of these, at least; one patient more or less
    changes it by one at most. `tops`: of a count of rows or a sum, the largest absolute contribution in the
    cell, the next, and so on, `TOPS` of them; None where one bound, `largest`, is known of all. `nets`: what
    the same patients add with their signs. `cut_share`: as `physician_share`, once nobody counts more than
    the last of the tops.
    """

    patients: Ints
    physicians: Ints | None
    outside: Ints | None
    left_out: Ints
    largest: Floats
    second: Floats
    total: Floats
    physician_share: Floats
    outside_few: Ints | None = None
    tops: Floats | None = None
    nets: Floats | None = None
    cut_share: Floats | None = None


@dataclass(frozen=True)
class Vectors:
    """A measure as the vector of its patients' weights w (rows for a count of rows, 1 for distinct patients,
    thousandths for a sum), sketched so that differences and unions can be told.

    `by_patient[c, b]` is Σ key(p)·w(p) modulo 2³² over the patients p of bucket b; two cells that differ in
    the weights of at most t patients differ in at most t buckets. `by_physician` is the same by bucket of the
    row's GP. Both add up, and so does `physician_counts`: rows of GPs by that bucket, or of distinct patients
    patients, whatever is added up of them; without rows of no GP. `threshold[c]` and
    `ranks[offsets[c]:offsets[c+1]]` (sorted): all contributors whose secret rank is below the threshold, at
    most SAMPLE_SIZE where there are more. `records[c]` fingerprints who contributes and with how many rows
    (of distinct patients: who), whatever is measured of them: noise sticks to it.
    """

    by_patient: Words
    by_physician: Words
    threshold: NDArray[np.uint64]
    offsets: Ints
    ranks: Words
    records: Fingerprints
    physician_counts: Words = field(default_factory=lambda: np.zeros((0, PHYSICIAN_BUCKETS), np.uint32))


@dataclass(frozen=True)
class Column:
    """One measure of all cells, exact."""

    measure: Measure
    exact: NDArray[Any]
    backing: Backing
    vectors: Vectors


@dataclass(frozen=True)
class Cells:
    """One release, measured. `labels` may lack cells that nobody is in; it holds every other."""

    release: Release
    labels: tuple[Label, ...]
    columns: tuple[Column, ...]
