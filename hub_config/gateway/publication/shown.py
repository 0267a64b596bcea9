"""The numbers of a publication table as they may be read: exact, or withheld. From what was measured just
now, or as an earlier table gave them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.publication.cube import Cube, Shape
from hub_config.gateway.publication.defined import Defined
from hub_config.gateway.publication.dimensions import Codes, Label
from hub_config.gateway.publication.problem import same_measure
from hub_config.gateway.rules.earlier.definitions import number_of
from hub_config.gateway.rules.plan import MeasureKind

_COUNTS = (MeasureKind.PATIENTS, MeasureKind.ROWS)


@dataclass(frozen=True)
class Shown:
    """Of each measure of a release a value for each cell of its hypercube; None where it is withheld."""

    shape: Shape
    numbers: Mapping[str, Sequence[Any]]

    @classmethod
    def measured(cls, cube: Cube, hidden: Mapping[str, NDArray[np.bool_]]) -> Self:
        same = same_measure(cube.shape.release)
        return cls(
            cube.shape,
            {
                column.measure.name: [
                    None if withheld else value
                    for value, withheld in zip(
                        column.exact.tolist(), hidden[same[column.measure.name]], strict=True
                    )
                ]
                for column in cube.columns
            },
        )

    @classmethod
    def again(cls, shape: Shape, defined: Defined, values: Mapping[int, float]) -> Self:
        """`values` by the cells' definitions; NaN where one was withheld."""
        numbers = {}
        for measure in shape.release.measures:
            found = [values[number_of(row)] for row in defined.numbers[measure.name]]
            made = int if measure.kind in _COUNTS else float
            numbers[measure.name] = [None if np.isnan(value) else made(value) for value in found]
        return cls(shape, numbers)

    @property
    def anything_withheld(self) -> bool:
        return any(value is None for values in self.numbers.values() for value in values)

    def frame(self, *, of_all: bool = False) -> pa.Table:
        """The release with every withheld number NULL: the table's rows, or the one of all groups
        together."""
        release = self.shape.release
        rows = _total(self.shape) if of_all else list(self.shape.rows_of_table())
        index = {tuple(map(int, codes)): place for place, codes in enumerate(self.shape.coordinates)}
        places = [None if codes is None else index.get(codes) for _, codes in rows]
        keys = [[label[i] for label, _ in rows] for i in range(len(release.keys))]
        numbers = [
            [None if place is None else self.numbers[measure.name][place] for place in places]
            for measure in release.measures
        ]
        schema = pa.schema([field.with_nullable(True) for field in release.schema.to_pyarrow()])
        arrays = [pa.array(v, type=field.type) for v, field in zip([*keys, *numbers], schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)


def _total(shape: Shape) -> list[tuple[Label, Codes | None]]:
    return [((None,) * len(shape.release.keys), (0,) * len(shape.levels))]
