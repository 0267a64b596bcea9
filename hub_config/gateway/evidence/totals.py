"""The values of all cells of much data, with what the same pass over the rows can say of who is behind them.

Where rows add up (counts of rows, sums, one row a patient) it is one pass. Distinct patients need the rows of
each patient together: they are read range by range of their numbers, so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from hub_config.gateway.evidence.source import CELL, Source, real, whole
from hub_config.gateway.rules.cells import Fingerprints, Floats, Ints
from hub_config.gateway.rules.plan import MeasureKind

_WORD: Final = "18446744073709551616"  # 2^64
_NUMEROUS: Final = 200_000  # groups; beyond, those of one or two rows stay on the engine
_MOST_GROUPS: Final = 2_000_000


@dataclass(frozen=True)
class Total:
    """One weight column. `rows` contribute; `first` and `second` are their power sums. Of a magnitude,
    `total` and `absolute` are its sums, `peak` is its largest row and `half` bounds the share of any GP.
    `patients` (with rows that count) and `adding` (whose size is not zero) are exact, `sums` the power sums
    of `patients`, `most_rows` and `most` the most that one patient adds; None where rows were not put
    together by patient."""

    rows: Ints
    first: Fingerprints
    second: Fingerprints
    total: Floats
    absolute: Floats
    peak: Floats
    half: Floats
    patients: Ints | None = None
    sums: tuple[Fingerprints, Fingerprints] | None = None
    adding: Ints | None = None
    most_rows: Ints | None = None
    most: Floats | None = None


@dataclass(frozen=True)
class Totals:
    """All groups, numbered as in the engine's table `cells`."""

    cells: str
    keys: pa.Table
    by_weight: dict[str | None, Total]


def flat(source: Source, partial: frozenset[int] = frozenset()) -> Totals:
    """One pass over the rows. `partial` are weight columns that are known to be NULL in some rows; where
    others are, a second pass reads the rows in which they are not."""
    columns = [f"{value} AS {name}" for name, value in _row_sums(source, partial)]
    by = ", ".join(source.keys)
    _number(source, f"SELECT {_listed(source.keys, columns)} FROM {source.view} WHERE {_about(source)}", by)  # noqa: S608
    found = _fetched(source)
    for index, _ in enumerate(source.weights):
        if f"__n{index}" in found.column_names and _is_measured(source, index):
            found = _with_power_sums(source, found, index)
    return _totals(source, found, grouped=False)


def grouped(source: Source, ranges: Iterable[str]) -> Totals:
    """Patient by patient; `ranges` are conditions that part the patients."""
    parts = source.table("parts")
    for number, where in enumerate(ranges):
        query = _by_patient(source, where)
        start = f"CREATE OR REPLACE TEMP TABLE {parts} AS" if not number else f"INSERT INTO {parts}"
        source.session.run(f"{start} {query}")
    columns = [f"{value} AS {name}" for name, value in _combined(source)]
    _number(source, f"SELECT {_listed(source.keys, columns)} FROM {parts}", ", ".join(source.keys))  # noqa: S608
    return _totals(source, _fetched(source), grouped=True)


def _by_patient(source: Source, where: str) -> str:
    """One range: what each (cell, patient) adds, then that of each cell."""
    inner = [f"{value} AS {name}" for name, value in _patient_sums(source)]
    by = ", ".join((*source.keys, source.unit))
    outer = [f"{value} AS {name}" for name, value in _sums_of_patients(source)]
    rows = (
        f"SELECT {_listed(source.keys, [f'CAST({source.unit} AS BIGINT) AS __u', *inner])}"  # noqa: S608
        f" FROM {source.view} WHERE {_about(source)} AND {where} GROUP BY {by}"
    )
    made = f"SELECT {_listed(source.keys, outer)} FROM ({rows})"  # noqa: S608
    return f"{made} GROUP BY {', '.join(source.keys)}" if source.keys else made


def _number(source: Source, query: str, by: str) -> None:
    """The groups of `query`, numbered. Of very many, those of few rows are dropped: they can't be shown."""
    groups, cells = source.table("groups"), source.table("cells")
    run = source.session.run
    run(f"CREATE OR REPLACE TEMP TABLE {groups} AS {query}" + (f" GROUP BY {by}" if by else ""))
    least = 1
    if _size(source, groups, least) > _NUMEROUS:
        least = 3 if _size(source, groups, 3) <= _MOST_GROUPS else 11
    run(
        f"CREATE OR REPLACE TEMP TABLE {cells} AS"  # noqa: S608
        f" SELECT CAST({source.place} - 1 AS BIGINT) AS {CELL}, * FROM {groups} WHERE __n0 >= {least}"
    )


def _size(source: Source, groups: str, least: int) -> int:
    found = source.session.fetch(f"SELECT count(*) AS n FROM {groups} WHERE __n0 >= {least}")  # noqa: S608
    return int(found.column("n")[0].as_py())


# --- what is added up --------------------------------------------------------------------------------------


def _row_sums(source: Source, partial: frozenset[int]) -> Iterator[tuple[str, str]]:
    """The power sums of all rows are those of a weight column, too, wherever it is never NULL."""
    for index, weight in enumerate(source.weights):
        if source.presence(weight) == index:
            value = None if weight is None else source.value(weight)
            yield f"__n{index}", "count(*)" if value is None else f"count({value})"
            if value is None or (index in partial and _is_measured(source, index)):
                yield from _power_sums(source, index, value)
        yield from _magnitudes(source, index, weight)


def _power_sums(source: Source, index: int, value: str | None) -> Iterator[tuple[str, str]]:
    """Of the rows where `value` is not NULL. CASE is faster than a FILTER, which copies rows."""
    unit = f"CAST({source.unit} AS BIGINT)"
    for name, power in (("p", unit), ("q", f"{unit} * {unit}")):
        added = power if value is None else f"CASE WHEN {value} IS NOT NULL THEN {power} END"
        yield f"__{name}{index}", f"CAST(sum({added}) % {_WORD} AS UBIGINT)"


def _is_measured(source: Source, index: int, kind: MeasureKind | None = None) -> bool:
    """Whether some measure (of a kind) counts these rows: then its fingerprint is wanted."""
    measures = [measure for measure in source.release.measures if kind in (None, measure.kind)]
    return any(source.presence(measure.weight) == index for measure in measures)


def _magnitudes(source: Source, index: int, weight: str | None) -> Iterator[tuple[str, str]]:
    """Of a magnitude: its sum, its absolute sum, its largest row, and the absolute sum of the GPs of odd
    number."""
    if weight is None or weight not in source.magnitudes:
        return
    value, size = source.value(weight), source.size(weight)
    yield f"__s{index}", f"sum({value})"
    yield f"__a{index}", f"sum({size})"
    yield f"__b{index}", f"max({size})"
    for number, gp in enumerate(source.physicians):
        yield f"__h{index}_{number}", f"sum({size} * ({gp} & 1))"


def _patient_sums(source: Source) -> Iterator[tuple[str, str]]:
    for index, weight in enumerate(source.weights):
        if source.presence(weight) == index:
            yield f"__n{index}", "count(*)" if weight is None else f"count({source.value(weight)})"
        yield from _magnitudes(source, index, weight)


def _sums_of_patients(source: Source) -> Iterator[tuple[str, str]]:
    unit = "CAST(__u AS HUGEINT)"
    for index, weight in enumerate(source.weights):
        rows = f"__n{index}"
        if source.presence(weight) == index:
            yield rows, f"CAST(sum({rows}) AS BIGINT)"
            yield f"__m{index}", f"count(*) FILTER ({rows} > 0)"
            yield f"__x{index}", f"max({rows})"
            if _is_measured(source, index):
                yield f"__p{index}", f"CAST(sum({unit} * {rows}) % {_WORD} AS UBIGINT)"
                yield f"__q{index}", f"CAST(sum({unit} * {unit} * {rows}) % {_WORD} AS UBIGINT)"
            if _is_measured(source, index, MeasureKind.PATIENTS):
                yield f"__u{index}", f"CAST(sum({unit}) FILTER ({rows} > 0) % {_WORD} AS UBIGINT)"
                yield f"__v{index}", f"CAST(sum({unit} * {unit}) FILTER ({rows} > 0) % {_WORD} AS UBIGINT)"
        if weight in source.magnitudes:
            yield f"__s{index}", f"sum(__s{index})"
            yield f"__a{index}", f"sum(__a{index})"
            yield f"__b{index}", f"max(__b{index})"
            yield f"__z{index}", f"count(*) FILTER (__a{index} > 0)"
            yield f"__y{index}", f"max(__a{index})"
            for number in range(len(source.physicians)):
                yield f"__h{index}_{number}", f"sum(__h{index}_{number})"


def _combined(source: Source) -> Iterator[tuple[str, str]]:
    """The same columns, of several ranges together."""
    for name, _ in _sums_of_patients(source):
        match name[2]:
            case "b" | "x" | "y":
                yield name, f"max({name})"
            case "p" | "q" | "u" | "v":
                yield name, f"CAST(sum({name}) % {_WORD} AS UBIGINT)"
            case "n" | "m" | "z":
                yield name, f"CAST(sum({name}) AS BIGINT)"
            case _:
                yield name, f"sum({name})"


def _about(source: Source) -> str:
    return f"{source.unit} IS NOT NULL"


def _listed(keys: Sequence[str], columns: Sequence[str]) -> str:
    return ", ".join((*keys, *columns))


# --- fetched -----------------------------------------------------------------------------------------------


def _fetched(source: Source) -> pa.Table:
    return source.session.fetch(f"SELECT * FROM {source.table('cells')} ORDER BY {CELL}")  # noqa: S608


def _with_power_sums(source: Source, found: pa.Table, index: int) -> pa.Table:
    """`found` with the power sums of a weight column that is NULL in few rows or none: of all rows, less
    those of the rows where it is."""
    if f"__p{index}" in found.column_names:
        return found
    sums = [_words(found, f"__{power}0") for power in "pq"]
    if (_ints(found, f"__n{index}") < _ints(found, "__n0")).any():
        cell, *others = _power_sums_without(source, index)
        for one, other in zip(sums, others, strict=True):
            one[cell] -= other
    for power, one in zip("pq", sums, strict=True):
        found = found.append_column(f"__{power}{index}", pa.array(one))
    return found


def _power_sums_without(source: Source, index: int) -> tuple[Ints, Fingerprints, Fingerprints]:
    """Of the rows where the weight column is NULL: cells, sums of numbers and of their squares."""
    weight = source.weights[index]
    columns = [f"{value} AS {name}" for name, value in _power_sums(source, 0, None)]
    absent = "FALSE" if weight is None else f"{source.value(weight)} IS NULL"
    rows = (
        f"SELECT {_listed(source.keys, columns)} FROM {source.view} WHERE {_about(source)} AND {absent}"  # noqa: S608
        + (f" GROUP BY {', '.join(source.keys)}" if source.keys else "")
    )
    found = source.session.fetch(
        f"SELECT c.{CELL}, x.__p0, x.__q0 FROM ({rows}) x JOIN {source.table('cells')} c"  # noqa: S608
        f" ON {source.matching('c', 'x')}"
    )
    return whole(found.column(CELL)), _words(found, "__p0"), _words(found, "__q0")


def _totals(source: Source, found: pa.Table, *, grouped: bool) -> Totals:
    keys = found.select([*source.release.keys, CELL])
    by_weight = {w: _total(found, i, source, grouped=grouped) for i, w in enumerate(source.weights)}
    return Totals(source.table("cells"), keys, by_weight)


def _total(found: pa.Table, index: int, source: Source, *, grouped: bool) -> Total:
    present = source.presence(source.weights[index])
    rows = _ints(found, f"__n{present}")
    nothing = np.zeros(len(rows))
    magnitude = f"__a{index}" in found.column_names
    absolute = real(found.column(f"__a{index}")) if magnitude else nothing
    halves = [real(found.column(f"__h{index}_{i}")) for i in range(len(source.physicians)) if magnitude]
    patients = _ints(found, f"__m{present}") if grouped else None
    return Total(
        rows=rows,
        first=_words(found, f"__p{present}"),
        second=_words(found, f"__q{present}"),
        total=real(found.column(f"__s{index}")) if magnitude else nothing,
        absolute=absolute,
        peak=real(found.column(f"__b{index}")) if magnitude else nothing,
        half=_largest_half(halves, absolute),
        patients=patients,
        sums=(_words(found, f"__u{present}"), _words(found, f"__v{present}")) if grouped else None,
        adding=_ints(found, f"__z{index}") if grouped and magnitude else patients,
        most_rows=_ints(found, f"__x{present}") if grouped else None,
        most=real(found.column(f"__y{index}")) if grouped and magnitude else None,
    )


def _largest_half(odd: Sequence[Floats], absolute: Floats) -> Floats:
    """No GP has more than the larger half: GPs of odd and of even numbers."""
    worst = np.zeros(len(absolute))
    with np.errstate(invalid="ignore", divide="ignore"):
        for one in odd:
            larger = np.maximum(one, absolute - one)
            worst = np.maximum(worst, np.where(absolute > 0, larger / absolute, 0.0))
    return worst


def _ints(found: pa.Table, name: str) -> Ints:
    return whole(found.column(name))


def _words(found: pa.Table, name: str) -> Fingerprints:
    """The sum of nothing is zero; so is one that no measure asks for."""
    if name not in found.column_names:
        return np.zeros(found.num_rows, dtype=np.uint64)
    return np.array(found.column(name).fill_null(0).to_numpy(), dtype=np.uint64)
