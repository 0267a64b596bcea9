"""The cells of a release by their labels: which cells share a margin, and where a margin could have put
anybody elsewhere. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Ints, Label
from hub_config.gateway.rules.plan import Domain, Release

_ONE: Final = "__one"  # stands for the keys where there are none: a table without columns has no rows


@dataclass(frozen=True)
class Margin:
    """One margin of all cells: `group` numbers the margin that each cell belongs to, `free` says whether the
    keys left out could have put its patients elsewhere; `partitions` whether a patient is in one cell of it
    only."""

    group: Ints
    free: NDArray[np.bool_]
    partitions: bool


@dataclass(frozen=True)
class Layout:
    """How many cells there are, and their margins."""

    cells: int
    margins: tuple[Margin, ...]


def layout(release: Release, keys: pa.Table) -> Layout:
    """The layout of the cells whose keys stand in the rows of `keys`, no two alike."""
    codes = {key: _codes(keys.column(key)) for key in release.keys}
    return Layout(
        keys.num_rows, tuple(_margin(release, keys, codes, left_out) for left_out in release.margins)
    )


def labels(release: Release, keys: pa.Table) -> tuple[Label, ...]:
    """The cells' labels, as the query would see them."""
    columns = [_values(_typed(release, keys, key)) for key in release.keys]
    return tuple(zip(*columns, strict=True)) if columns else ((),) * keys.num_rows


def rolled_up(release: Release, kept: Sequence[str]) -> Release:
    """`release` by some of its keys only, in their own order."""
    keys = tuple(key for key in release.keys if key in kept)
    domains = tuple(domain for domain in (_projected(d, keys) for d in release.domains) if domain.keys)
    return replace(release, keys=keys, domains=domains, patient_keys=release.patient_keys & set(keys))


def groups(keys: pa.Table, kept: Sequence[str]) -> tuple[Ints, pa.Table]:
    """For each row of `keys` the number of its group by the columns `kept`, and these groups' keys."""
    codes = _combined([_codes(keys.column(key)) for key in kept], keys.num_rows)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    chosen = keys.select(list(kept)) if kept else pa.table({_ONE: np.ones(keys.num_rows, dtype=np.int64)})
    return inverse.astype(np.int64), chosen.take(pa.array(first))


def _projected(domain: Domain, kept: tuple[str, ...]) -> Domain:
    positions = [position for position, key in enumerate(domain.keys) if key in kept]
    labels = dict.fromkeys(tuple(label[position] for position in positions) for label in domain.labels)
    return Domain(tuple(domain.keys[position] for position in positions), tuple(labels))


def _typed(release: Release, keys: pa.Table, name: str) -> pa.Array:
    """A key of the type that the query gave it: engines widen whole numbers and turn dates into
    timestamps."""
    wanted = release.schema.to_pyarrow().field(name).type
    return keys.column(name).cast(wanted, safe=False).combine_chunks()


def _values(column: pa.Array) -> list[Hashable]:
    """NaN is unequal to itself, but not when it is the same object."""
    values: list[Hashable] = column.to_pylist()
    if pa.types.is_floating(column.type):
        return [math.nan if isinstance(value, float) and math.isnan(value) else value for value in values]
    return values


def _codes(column: pa.ChunkedArray | pa.Array) -> Ints:
    """The values numbered, NULL included."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = pc.dictionary_encode(whole, null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _combined(codes: Sequence[Ints], size: int) -> Ints:
    """One number for each combination that occurs."""
    combined = np.zeros(size, dtype=np.int64)
    for code in codes:
        wide = combined * (int(code.max(initial=0)) + 1) + code
        combined = np.unique(wide, return_inverse=True)[1].astype(np.int64)
    return combined


def _margin(release: Release, keys: pa.Table, codes: Mapping[str, Ints], left_out: tuple[str, ...]) -> Margin:
    kept = [code for key, code in codes.items() if key not in left_out]
    return Margin(
        group=_combined(kept, keys.num_rows),
        free=_free(release, keys, left_out),
        partitions=set(left_out) <= release.patient_keys,
    )


def _free(release: Release, keys: pa.Table, left_out: tuple[str, ...]) -> NDArray[np.bool_]:
    """Where the keys left out have several labels, the others of their domain given. What stands in no domain
    could be anything."""
    domain = next((d for d in release.domains if set(left_out) <= set(d.keys)), None)
    if domain is None:
        return np.ones(keys.num_rows, dtype=bool)
    inside = [position for position, key in enumerate(domain.keys) if key not in left_out]
    choices: dict[Label, int] = {}
    for label in domain.labels:
        others = tuple(label[position] for position in inside)
        choices[others] = choices.get(others, 0) + 1
    if not inside:
        return np.full(keys.num_rows, choices.get((), 2) > 1)
    columns = (_values(_typed(release, keys, domain.keys[position])) for position in inside)
    several = (choices.get(others, 2) > 1 for others in zip(*columns, strict=True))
    return np.fromiter(several, dtype=bool, count=keys.num_rows)
