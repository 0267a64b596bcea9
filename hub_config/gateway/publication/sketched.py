"""The measures of one table side by side, as sketches in one unit: what `relations` compares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.publication.cube import Cube
from hub_config.gateway.publication.problem import distinct_columns
from hub_config.gateway.rules.cells import PATIENT_BUCKETS, Column, Vectors
from hub_config.gateway.rules.plan import MeasureKind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint32]

_THOUSAND = np.uint32(1_000)  # sketches of sums add up thousandths


@dataclass(frozen=True)
class Sample:
    """Who contributes to a measure over all cells: the secret ranks below `threshold`, sorted."""

    ranks: Words
    threshold: int

    def below(self, threshold: int) -> Words:
        return self.ranks[: np.searchsorted(self.ranks, threshold)]


@dataclass(frozen=True)
class Sketched:
    """The distinct measures of a cube: `exact` (measures × cells), `sketches` (measures × cells × buckets),
    `samples` (a measure each; none where nobody is in the table)."""

    columns: tuple[Column, ...]
    exact: Floats
    sketches: Words
    samples: tuple[Sample, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.measure.name for column in self.columns)

    @cached_property
    def most(self) -> Floats:
        """What one patient adds at most to each number (measures × cells)."""
        largest = np.array([column.backing.largest for column in self.columns], dtype=np.float64)
        once = [column.measure.kind is MeasureKind.PATIENTS for column in self.columns]
        return np.where(np.array(once)[:, None], 1.0, largest)

    def differing(self, measures: Ints, signs: Ints, cells: Ints) -> Ints:
        """In how many buckets each combination (one a row of `measures` and `signs`) of the numbers of its
        cell is not zero."""
        summed = np.zeros((len(cells), PATIENT_BUCKETS), dtype=np.uint32)
        for term in range(measures.shape[1]):
            summed += self.sketches[measures[:, term], cells] * signs[:, term, None].astype(np.uint32)
        return np.asarray(np.count_nonzero(summed, axis=1), dtype=np.int64)


def sketched(cube: Cube) -> Sketched:
    distinct = distinct_columns(cube)
    numbers = [i for i, column in enumerate(cube.columns) if column.measure.name in distinct]
    columns = tuple(cube.columns[number] for number in numbers)
    sketches = np.zeros((len(columns), len(cube.coordinates), PATIENT_BUCKETS), dtype=np.uint32)
    for at, cells in cube.groups.values():
        for place, number in enumerate(numbers):
            sketches[place, at] = cells.columns[number].vectors.by_patient
    sums = np.array([column.measure.kind is MeasureKind.SUM for column in columns])
    if sums.any():
        sketches[~sums] *= _THOUSAND
    everybody = cube.groups[()][1]
    samples = [_sample(everybody.columns[number].vectors) for number in numbers if everybody.labels]
    exact = np.array([column.exact for column in columns], dtype=np.float64)
    return Sketched(columns, exact, sketches, tuple(samples))


def _sample(vectors: Vectors) -> Sample:
    return Sample(vectors.ranks[: vectors.offsets[1]], int(vectors.threshold[0]))
