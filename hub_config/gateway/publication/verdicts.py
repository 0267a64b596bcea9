"""What is decided of each number of a hypercube before secondary suppression: by the primary rules, and by
what was published before. Pure.

A cell that an earlier publication showed is public: it can't be withheld, nor protect another. One that an
earlier publication withheld stays withheld, and so does one that lies near to a number it showed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.publication.cube import Cube, Ints, Kept, people_of
from hub_config.gateway.publication.defined import Defined
from hub_config.gateway.publication.problem import Statuses, distinct_columns
from hub_config.gateway.rules.cells import Cells, Column
from hub_config.gateway.rules.memory import PEOPLE, Batch, Known, Proposal, Settled, Settlement
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.disclosure.hypercube import Known as KnownSum
from p4dp_sdk.disclosure.hypercube import Status
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import withheld

Flags = NDArray[np.bool_]
Places = tuple[tuple[str, Ints], ...]  # of each batch: the measure, and where its cells stand in the cube


def primary(cube: Cube, policy: Policy) -> Statuses:
    """SAFE or PRIMARY for each number."""
    statuses = {}
    for name, column in distinct_columns(cube).items():
        fails, _ = withheld(column.backing, policy, magnitude=column.measure.kind is MeasureKind.SUM)
        statuses[name] = np.where(fails, Status.PRIMARY, Status.SAFE).astype(np.int8)
    return statuses


def batches_of(
    cube: Cube, defined: Defined, proposals: Mapping[str, Flags] | None = None
) -> tuple[tuple[Batch, ...], Places]:
    """What the ledger is asked: for each measure of each roll-up one batch of its numbers, and one of the
    people behind them. Else a count of some people, and a sum over nearly the same of one each, would never
    meet: they are of two families. `proposals`: which cells are to be withheld; None before that is known."""
    made = list(_batches(cube, defined, proposals or {}))
    return tuple(batch for batch, _ in made), tuple(place for _, place in made)


def remembered(statuses: Statuses, known: tuple[NDArray[Any], ...], places: Places) -> Statuses:
    """`statuses` with what earlier publications settled for good."""
    changed = {name: status.copy() for name, status in statuses.items()}
    for told, (name, at) in zip(known, places, strict=True):
        changed[name][at[told == Known.SHOWN]] = Status.KNOWN
        before = at[told == Known.WITHHELD]
        held = changed[name][before] == Status.SAFE
        changed[name][before[held]] = Status.HELD
    return changed


def known_sums(sums: tuple[tuple[int, Ints], ...], places: Places) -> tuple[KnownSum, ...]:
    """What an earlier table told of cells of this one together."""
    named = ((places[batch][0], places[batch][1][parts]) for batch, parts in sums)
    return tuple(KnownSum(name, tuple(at.tolist())) for name, at in named)


def is_confirmed(settled: tuple[Settled, ...], places: Places, hidden: Mapping[str, Flags]) -> bool:
    """Whether the ledger settled everything as it was proposed: shown cells shown with their own value."""
    return all(
        bool(np.all(hidden[name][at] | (one.settlements == Settlement.SHOWN)))
        for one, (name, at) in zip(settled, places, strict=True)
    )


def buckets_of(cube: Cube, missing: int) -> Mapping[str, NDArray[np.uint64]]:
    """For each measure and cell the buckets of the GPs who stand behind it, as bits; without the bucket of a
    `missing` GP, who is none."""
    found = {}
    for number, column in enumerate(cube.columns):
        bits = np.zeros(len(cube.coordinates), dtype=np.uint64)
        for at, cells in cube.groups.values():
            sketch = cells.columns[number].vectors.by_physician
            powers = np.uint64(1) << np.arange(sketch.shape[1], dtype=np.uint64)
            powers[missing] = 0
            bits[at] = ((sketch != 0) * powers).sum(axis=1, dtype=np.uint64)
        found[column.measure.name] = bits
    return found


def _batches(
    cube: Cube, defined: Defined, hidden: Mapping[str, Flags]
) -> Iterator[tuple[Batch, tuple[str, Ints]]]:
    names = distinct_columns(cube)
    nobody = np.ones(len(cube.coordinates), dtype=bool)
    for at, _ in cube.groups.values():
        nobody[at] = False
    for kept, (at, cells) in cube.groups.items():
        for column in cells.columns:
            name = column.measure.name
            if name in names:
                flags = hidden.get(name, np.zeros(len(cube.coordinates), dtype=bool))[at]
                numbers = _batch(cube, kept, cells, name, flags)
                numbers = replace(numbers, definitions=defined.numbers[name][at], places=at)
                if not kept:
                    numbers = replace(numbers, absent=defined.numbers[name][nobody])
                people = _people(numbers, people_of(cells, name))
                yield numbers, (name, at)
                yield replace(people, definitions=defined.people[name][at]), (name, at)


def _batch(cube: Cube, kept: Kept, cells: Cells, name: str, hidden: Flags) -> Batch:
    column = next(column for column in cells.columns if column.measure.name == name)
    codes = np.array(cells.labels, dtype=np.int64).reshape(len(cells.labels), len(kept))
    return Batch(
        release=" ".join((cube.shape.release.name, *kept)),
        measure=name,
        family=column.measure.family,
        patients=column.backing.patients,
        values=np.where(hidden, np.nan, column.exact.astype(np.float64)),
        proposals=np.where(hidden, Proposal.WITHHOLD, Proposal.SHOW).astype(np.int8),
        vectors=column.vectors,
        keys=tuple(codes[:, position] for position in range(len(kept))),
    )


def _people(numbers: Batch, column: Column) -> Batch:
    values = np.where(np.isnan(numbers.values), np.nan, numbers.patients.astype(np.float64))
    return replace(numbers, family=PEOPLE, measure=PEOPLE, vectors=column.vectors, values=values)
