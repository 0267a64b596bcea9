"""Everything that follows from a publication table, measured: its cells, all totals of its keys and of what
they roll up to. Statements come from `evidence`; here they get their place in the hypercube.

`coded` gives the rows of a release one column of codes for each level of each dimension, so that a roll-up
is a choice of columns. Rows whose label is unknown (left out, or not in the catalogue) fall away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hub_config.gateway.publication.dimensions import Codes, Dimension, Label, Variable
from hub_config.gateway.rules.cells import NOBODY_ELSEWHERE, Backing, Cells, Column
from hub_config.gateway.rules.memory import PEOPLE
from hub_config.gateway.rules.plan import Domain, Measure, MeasureKind, Release
from p4dp_sdk.disclosure.hypercube import Tree

Kept = tuple[str, ...]
Ints = NDArray[np.int64]

_CODE: Final = "__code_{dimension}_{level}"
_PEOPLE: Final = "__people {}"  # of a measure


@dataclass(frozen=True)
class Shape:
    """The hypercube of a release before anything is measured: `coordinates[c, d]` is the code of cell c in
    dimension d (0: total). `levels` name, for each dimension, its columns of codes, fine to coarse."""

    release: Release
    variables: tuple[Variable, ...]
    coordinates: Ints
    levels: tuple[Kept, ...]

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return tuple(dimension for variable in self.variables for dimension in variable.dimensions)

    @property
    def trees(self) -> tuple[Tree, ...]:
        """A key partitions patients where all rows of a patient have one value of it."""
        same = self.release.patient_keys
        return tuple(d.tree(partitions=d.keys[0] in same) for d in self.dimensions)

    @property
    def rollups(self) -> tuple[Kept, ...]:
        """Every choice of a level, or none, in each dimension."""
        choices = [[(name,) for name in names] + [()] for names in self.levels]
        return tuple(tuple(name for part in choice for name in part) for choice in product(*choices))

    @property
    def displayed(self) -> NDArray[np.bool_]:
        """The cells that the table shows: its rows, and all of them together."""
        rows = {codes for _, codes in self.rows_of_table() if codes is not None}
        rows.add((0,) * len(self.levels))
        return np.array([tuple(map(int, codes)) in rows for codes in self.coordinates], dtype=np.bool_)

    def rows_of_table(self) -> Iterator[tuple[Label, Codes | None]]:
        """The labels of the table's rows, in the order of the release's keys, with their cells' codes; None
        where nothing counts them. An unknown label that nothing counts is no row."""
        order = [key for variable in self.variables for key in variable.keys]
        places = [order.index(key) for key in self.release.keys]
        counted = [dict(zip(v.labels, _leaves(v), strict=True)) for v in self.variables]
        for parts in product(*(domain.labels for domain in self.release.domains)):
            label = tuple(value for labels in parts for value in labels)
            row = tuple(label[place] for place in places)
            if all(labels in codes for labels, codes in zip(parts, counted, strict=True)):
                found = [codes[labels] for labels, codes in zip(parts, counted, strict=True)]
                yield row, tuple(c for codes in found for c in codes)
            elif None not in row:
                yield row, None


@dataclass(frozen=True)
class Cube:
    """The hypercube, measured. `groups`: for each roll-up where its cells stand in `coordinates`. Columns
    have an entry a cell; cells that nobody is in hold zeros."""

    shape: Shape
    columns: tuple[Column, ...]
    groups: Mapping[Kept, tuple[Ints, Cells]]

    @property
    def coordinates(self) -> Ints:
        return self.shape.coordinates


def shape_of(release: Release, variables: tuple[Variable, ...]) -> Shape:
    dimensions = [dimension for variable in variables for dimension in variable.dimensions]
    levels = tuple(
        tuple(_CODE.format(dimension=d, level=level) for level in range(len(dimension.levels)))
        for d, dimension in enumerate(dimensions)
    )
    cells = [tuple(c for part in parts for c in part) for parts in product(*(v.cells() for v in variables))]
    coordinates = np.array(cells, dtype=np.int64).reshape(len(cells), len(dimensions))
    return Shape(release, variables, coordinates, levels)


def coded(shape: Shape) -> Release:
    """The release with codes for keys, and with the people behind each of its measures: what `evidence.cross`
    is asked about."""
    rows, first = shape.release.rows, 0
    for variable in shape.variables:
        last = first + len(variable.dimensions)
        rows = _with_codes(rows, shape.release, variable, shape.levels[first:last])
        first = last
    names = [name for levels in shape.levels for name in levels]
    same = shape.release.patient_keys
    people = tuple(_people(measure) for measure in shape.release.measures)
    measures = {m.name: shape.release.schema[m.name] for m in shape.release.measures}
    measures |= dict.fromkeys((m.name for m in people), ibis.dtype("int64"))
    return replace(
        shape.release,
        rows=rows,
        schema=ibis.schema({**dict.fromkeys(names, "int64"), **measures}),
        keys=tuple(names),
        measures=(*shape.release.measures, *people),
        domains=tuple(_domains(shape)),
        patient_keys=frozenset(
            name
            for dimension, levels in zip(shape.dimensions, shape.levels, strict=True)
            if dimension.keys[0] in same
            for name in levels
        ),
    )


def people_of(cells: Cells, measure: str) -> Column:
    """Who stands behind a measure of the release, each once."""
    return next(column for column in cells.columns if column.measure.name == _PEOPLE.format(measure))


def placed(shape: Shape, measured: Mapping[Kept, Cells]) -> Cube:
    """What was measured, cell by cell in the order of the hypercube."""
    index = _index(shape)
    groups = {kept: (_places(shape, kept, cells, index), cells) for kept, cells in measured.items()}
    columns = tuple(
        _column(shape, [(at, cells.columns[number]) for at, cells in groups.values()])
        for number in range(len(shape.release.measures))
    )
    return Cube(shape, columns, groups)


def ancestors(shape: Shape) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of cells and one total each that holds them and others: along one dimension, at every height that
    was asked for. A total that can hold nobody else is the same number again, and left aside; so are totals
    that only the catalogue knows: that nearly all of chapter K have K86 tells nothing of a person of whom
    the chapter is not told."""
    index = _index(shape)
    for d, tree in enumerate(shape.trees):
        up = _totals(shape.coordinates, d, np.array(tree.parents), index)
        shared = np.bincount(up[up >= 0], minlength=len(up)) > 1
        asked = np.isin(shape.coordinates[:, d], list(shape.dimensions[d].asked_codes))
        cells = np.flatnonzero(up >= 0)
        at, several = up[cells], shared[up[cells]]
        while len(cells):
            told = several & asked[at]
            yield cells[told], at[told]
            going = up[at] >= 0
            cells, at, several = cells[going], up[at[going]], several[going] | shared[up[at[going]]]


def _people(measure: Measure) -> Measure:
    """Nothing that is shown: for the ledger."""
    name = _PEOPLE.format(measure.name)
    return replace(measure, name=name, kind=MeasureKind.PATIENTS, family=PEOPLE, bounds=None)


def _totals(coordinates: Ints, d: int, parents: Ints, index: Mapping[Codes, int]) -> Ints:
    """Of each cell, the cell one level up in dimension d; -1 of a total."""
    wanted = coordinates.copy()
    wanted[:, d] = parents[coordinates[:, d]]
    return np.array([index[tuple(map(int, c))] if c[d] >= 0 else -1 for c in wanted], dtype=np.int64)


def _index(shape: Shape) -> dict[Codes, int]:
    return {tuple(map(int, codes)): place for place, codes in enumerate(shape.coordinates)}


# --- codes -------------------------------------------------------------------------------------------------


def _leaves(variable: Variable) -> list[Codes]:
    return list(zip(*(dimension.codes(0) for dimension in variable.dimensions), strict=True))


def _domains(shape: Shape) -> Iterator[Domain]:
    first = 0
    for variable in shape.variables:
        levels = shape.levels[first : first + len(variable.dimensions)]
        columns = [d.codes(level) for d in variable.dimensions for level in range(len(d.levels))]
        yield Domain(tuple(n for names in levels for n in names), tuple(zip(*columns, strict=True)))
        first += len(variable.dimensions)


def _with_codes(rows: ibis.Table, release: Release, variable: Variable, levels: Sequence[Kept]) -> ibis.Table:
    """`rows` that fall into a label of `variable`, with its codes. NULL is a label like any other."""
    columns: dict[str, list[Any]] = {
        f"__label_{i}": [label[i] for label in variable.labels] for i in range(len(variable.keys))
    }
    types = {f"__label_{i}": release.schema[key].copy(nullable=True) for i, key in enumerate(variable.keys)}
    for dimension, names in zip(variable.dimensions, levels, strict=True):
        for level, name in enumerate(names):
            columns[name], types[name] = list(dimension.codes(level)), ibis.dtype("int64")
    codes = ibis.memtable(pd.DataFrame(columns, dtype=object), schema=ibis.schema(types))
    same = [rows[key].identical_to(codes[f"__label_{i}"]) for i, key in enumerate(variable.keys)]
    joined = rows.inner_join(codes, same)
    return joined.drop(*(name for name in columns if name.startswith("__label_")))


# --- places ------------------------------------------------------------------------------------------------


def _places(shape: Shape, kept: Kept, cells: Cells, index: Mapping[Codes, int]) -> Ints:
    where = {name: d for d, names in enumerate(shape.levels) for name in names}
    codes = np.zeros((len(cells.labels), len(shape.levels)), dtype=np.int64)
    for position, name in enumerate(kept):
        codes[:, where[name]] = [int(str(label[position])) for label in cells.labels]
    return np.array([index[tuple(map(int, code))] for code in codes], dtype=np.int64)


def _column(shape: Shape, parts: Sequence[tuple[Ints, Column]]) -> Column:
    """One measure over the whole hypercube; `left_out` by its totals, too."""
    size = len(shape.coordinates)
    first = parts[0][1]
    backing = _backing(size, [(at, column.backing) for at, column in parts], first.backing)
    patients, left_out = backing.patients, backing.left_out.copy()
    for cells, totals in ancestors(shape):
        np.minimum.at(left_out, cells, patients[totals] - patients[cells])
    exact = _spread(size, [(at, column.exact) for at, column in parts], 0.0)
    return replace(first, exact=exact, backing=replace(backing, left_out=left_out))


def _backing(size: int, parts: Sequence[tuple[Ints, Backing]], like: Backing) -> Backing:
    def spread(name: str, empty: float = 0) -> Any:
        return _spread(size, [(at, getattr(backing, name)) for at, backing in parts], empty)

    return Backing(
        patients=spread("patients"),
        physicians=None if like.physicians is None else spread("physicians"),
        outside=None if like.outside is None else spread("outside"),
        left_out=spread("left_out", NOBODY_ELSEWHERE),
        largest=spread("largest"),
        second=spread("second"),
        total=spread("total"),
        physician_share=spread("physician_share"),
    )


def _spread(size: int, parts: Sequence[tuple[Ints, NDArray[Any]]], empty: float) -> NDArray[Any]:
    whole = np.full(size, empty, dtype=np.result_type(*(values for _, values in parts), type(empty)))
    for at, values in parts:
        whole[at] = values
    return whole
