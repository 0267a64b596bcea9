"""A measured hypercube as a problem for secondary suppression: what each number is, what its readers know of
it, and what is decided of it before. Pure.

A reader knows that patients ≤ rows, that a conditional count is at most the count without its condition, what
a value can be at most, and how the measures add up (`relations`). Where that could not be told, conditional
measures are withheld together. A mean is worked out from its sum and its count as they are shown, so that it
is withheld wherever one of them is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.publication.cube import Cube
from hub_config.gateway.rules.cells import Column
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from p4dp_sdk.disclosure.constraints import cost_of
from p4dp_sdk.disclosure.hypercube import Kind, Link, Quantity, Relation, Status, TableProblem

_COUNTS: Final = (MeasureKind.PATIENTS, MeasureKind.ROWS)
_UNSEEN: Final = 0.25  # of what withholding a shown number costs: another table may want this one

Statuses = Mapping[str, NDArray[np.int8]]


def problem_of(
    cube: Cube,
    statuses: Statuses,
    buckets: Mapping[str, NDArray[np.uint64]],
    relations: tuple[Relation, ...] | None = (),
) -> TableProblem:
    """`statuses` of each distinct measure, cell by cell; `buckets`: the GPs who stand behind each;
    `relations` of the measures in every cell, None where they are not known."""
    columns = distinct_columns(cube)
    return TableProblem(
        dims=cube.shape.trees,
        coordinates=cube.coordinates,
        quantities=tuple(
            _costed(_quantity(column, statuses[name], buckets.get(name)), cube.shape.displayed)
            for name, column in columns.items()
        ),
        links=tuple(_links(cube.shape.release, [column.measure for column in columns.values()])),
        together=tuple(_together(columns)) if relations is None else (),
        relations=tuple(one for one in relations or () if not _is_moot(one, statuses)),
    )


def _is_moot(relation: Relation, statuses: Statuses) -> bool:
    """Two measures are the same, one of which is shown nowhere: everybody's, and that of a condition that
    everybody meets."""
    return len(relation.terms) == 2 and any(
        np.isin(statuses[name], (Status.PRIMARY, Status.HELD)).all() for name, _ in relation.terms
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


def _costed(quantity: Quantity, displayed: NDArray[np.bool_]) -> Quantity:
    """Totals that the table does not show cost less to withhold."""
    return replace(quantity, cost=cost_of(quantity) * np.where(displayed, 1.0, _UNSEEN))


def _is_positive(measure: Measure) -> bool:
    return measure.bounds is not None and measure.bounds[0] >= 0


def _links(release: Release, measures: list[Measure]) -> Iterator[Link]:
    counted = _counts_of_sums(release)
    for one in measures:
        for other in measures:
            if (link := _link(one, other, counted)) is not None:
                yield link


def _link(one: Measure, other: Measure, counted: frozenset[tuple[str, str]]) -> Link | None:
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
        case MeasureKind.SUM, _ if one.bounds is not None and (one.name, other.name) in counted:
            return Link(one.name, by=other.name, low=one.bounds[0], high=one.bounds[1])
        case MeasureKind.SUM, MeasureKind.ROWS if other.weight is None and one.bounds is not None:
            low, high = one.bounds
            return Link(one.name, by=other.name, low=min(low, 0.0), high=max(high, 0.0))
        case _:
            return None


def _counts_of_sums(release: Release) -> frozenset[tuple[str, str]]:
    """A sum and how many values it adds up: parts of one column of the query, "mean [1]" and "mean [2]",
    under the names that stand for them."""
    first = same_measure(release)
    parts = [(m, m.name.rpartition(" [")[0], first[m.name]) for m in release.measures]
    return frozenset(
        (name, other_name)
        for one, column, name in parts
        for other, other_column, other_name in parts
        if one.kind is MeasureKind.SUM and other.kind in _COUNTS and column and column == other_column
    )


def _together(columns: Mapping[str, Column]) -> Iterator[tuple[str, ...]]:
    chosen = tuple(name for name, column in columns.items() if column.measure.weight is not None)
    if len(chosen) > 1:
        yield chosen
