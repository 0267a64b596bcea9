"""A measured hypercube as a problem for secondary suppression: what each number is, what its readers know of
it, and what is decided of it before. Pure.

Measures of one row are linked. A reader knows that patients ≤ rows, that a conditional count is at most the
count without its condition, and what a value can be at most. How several conditions of one query overlap is
not known here (three of them may make up a whole, of which the other two are shown), so conditional counts
are withheld together; and with them sums, for a sum, a mean and their count give each other away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.publication.cube import Cube
from hub_config.gateway.rules.cells import Column
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.hypercube import Kind, Link, Quantity, TableProblem

_COUNTS: Final = (MeasureKind.PATIENTS, MeasureKind.ROWS)

Statuses = Mapping[str, NDArray[np.int8]]


def problem_of(cube: Cube, statuses: Statuses, buckets: Mapping[str, NDArray[np.uint64]]) -> TableProblem:
    """`statuses` of each distinct measure, cell by cell; `buckets`: the GPs who stand behind each."""
    columns = distinct_columns(cube)
    return TableProblem(
        dims=cube.shape.trees,
        coordinates=cube.coordinates,
        quantities=tuple(_quantity(c, statuses[name], buckets.get(name)) for name, c in columns.items()),
        links=tuple(_links([column.measure for column in columns.values()])),
        together=tuple(_together([column.measure for column in columns.values()])),
    )


def distinct_columns(cube: Cube) -> dict[str, Column]:
    """Columns that measure different things; a measure that a query holds twice is one number."""
    first = same_measure(cube.shape.release)
    return {c.measure.name: c for c in cube.columns if first[c.measure.name] == c.measure.name}


def same_measure(release: Release) -> dict[str, str]:
    """For each measure the name of the first that is the same."""
    seen: dict[tuple[object, ...], str] = {}
    return {
        m.name: seen.setdefault((m.kind, m.family, m.weight, m.conditional), m.name) for m in release.measures
    }


def _quantity(column: Column, status: NDArray[np.int8], buckets: NDArray[np.uint64] | None) -> Quantity:
    measure, backing = column.measure, column.backing
    counts = measure.kind in _COUNTS
    return Quantity(
        name=measure.name,
        kind=Kind.COUNT if counts else Kind.MAGNITUDE,
        values=column.exact.astype(np.float64),
        status=status,
        patients=backing.patients,
        distinct=measure.kind is MeasureKind.PATIENTS,
        physicians=backing.physicians,
        physician_buckets=None if backing.physicians is None else buckets,
        largest=None if counts else backing.largest,
        bounds=(0.0, np.inf) if counts or _is_positive(measure) else (-np.inf, np.inf),
    )


def _is_positive(measure: Measure) -> bool:
    return measure.bounds is not None and measure.bounds[0] >= 0


def _links(measures: list[Measure]) -> Iterator[Link]:
    for one in measures:
        for other in measures:
            if (link := _link(one, other)) is not None:
                yield link


def _link(one: Measure, other: Measure) -> Link | None:
    """How `one` is tied to `other`, as anybody knows who reads the question."""
    if one is other or other.kind not in _COUNTS:
        return None
    match one.kind, other.kind:
        case MeasureKind.ROWS, MeasureKind.PATIENTS if one.weight == other.weight:
            return Link(one.name, by=other.name, low=1.0)
        case (MeasureKind.PATIENTS, MeasureKind.PATIENTS) | (MeasureKind.ROWS, MeasureKind.ROWS) if (
            other.weight is None
        ):
            return Link(one.name, by=other.name, low=0.0, high=1.0)
        case MeasureKind.SUM, _ if one.bounds is not None and _metric(one) == _metric(other):
            return Link(one.name, by=other.name, low=one.bounds[0], high=one.bounds[1])
        case MeasureKind.SUM, MeasureKind.ROWS if other.weight is None and one.bounds is not None:
            low, high = one.bounds
            return Link(one.name, by=other.name, low=min(low, 0.0), high=max(high, 0.0))
        case _:
            return None


def _metric(part: Measure) -> str:
    """The column of the query that a part was made for: "mean" of "mean [2]"."""
    return part.name.rpartition(" [")[0] or part.name


def _together(measures: list[Measure]) -> Iterator[tuple[str, ...]]:
    chosen = tuple(measure.name for measure in measures if measure.weight is not None)
    if len(chosen) > 1:
        yield chosen
