"""Hand-made releases over a small engine, and the naive evidence of each: loops over rows, nothing clever."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from hub_config.gateway.engine import Session
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.plan import PATIENT, Domain, Measure, MeasureKind, Release
from hub_config.gateway.stopping import Stop

RING = Keyring(bytes(range(32)))
SCHEMA = {
    "code": "string", "sex": "string",
    PATIENT: "int64", "__physician": "int32", "__w0": "int8", "__w1": "float64",
}  # fmt: skip
CODES, SEXES = ("A", "B", "C"), ("F", "M")
BOTH = (Domain(("code",), tuple((c,) for c in CODES)), Domain(("sex",), tuple((s,) for s in SEXES)))

Row = tuple[str | None, str | None, int, int | None, int | None, float | None]


def measure_of(kind: MeasureKind, weight: str | None = None, **known: Any) -> Measure:
    named = known.pop("name", f"{kind.value}_{weight}")
    return Measure(named, known.pop("conditional", False), kind=kind, weight=weight, **known)


COUNTED = measure_of(MeasureKind.ROWS, name="n")
PEOPLE = measure_of(MeasureKind.PATIENTS, name="patients")
CHOSEN = measure_of(MeasureKind.ROWS, "__w0", name="chosen", conditional=True)
CHOSEN_PEOPLE = measure_of(MeasureKind.PATIENTS, "__w0", name="chosen_patients", conditional=True)
SUMMED = measure_of(MeasureKind.SUM, "__w1", name="total", family="sum:x", bounds=(-100.0, 100.0))
ALL = (COUNTED, PEOPLE, CHOSEN, CHOSEN_PEOPLE, SUMMED)


@cache
def _engine() -> Session:
    connection = duckdb.connect(config={"threads": "1"})
    functions = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    names = connection.execute(functions).fetchall()
    return Session(connection, Stop(600.0), frozenset(name for (name,) in names))


def session(**tables: pa.Table) -> Session:
    """The engine of the tests, holding `tables` from now on."""
    made = _engine()
    for name, table in tables.items():
        made.connection.register("given", table)
        made.connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")
    return made


def table_of(rows: Sequence[Row]) -> pa.Table:
    schema = ibis.schema(SCHEMA).to_pyarrow()
    return pa.Table.from_pylist([dict(zip(SCHEMA, row, strict=True)) for row in rows], schema=schema)


def release(
    keys: tuple[str, ...] = ("code", "sex"), measures: tuple[Measure, ...] = ALL, **changes: Any
) -> Release:
    rows = changes.pop("rows", None)
    if rows is None:
        rows = ibis.table(SCHEMA, name="t").select(*keys, PATIENT, "__physician", "__w0", "__w1")
    dtypes = {MeasureKind.SUM: "float64", MeasureKind.QUANTILE: "float64"}
    schema = {key: SCHEMA[key] for key in keys} | {m.name: dtypes.get(m.kind, "int64") for m in measures}
    known: dict[str, Any] = {
        "domains": tuple(domain for domain in BOTH if domain.keys[0] in keys),
        "closed": True,
        "physicians": ("__physician",),
        **changes,
    }
    return Release("r", rows, ibis.schema(schema), keys, measures, **known)


# --- the naive reference -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """One measure of one cell."""

    value: float
    patients: int
    physicians: int
    outside: int
    outside_two: int
    left_out: int | None
    largest: float
    second: float
    total: float


def expected(rows: Iterable[Row], keys: tuple[str, ...], measure: Measure) -> dict[tuple[Any, ...], Expected]:
    rows = [dict(zip(SCHEMA, row, strict=True)) for row in rows]
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        cells[tuple(row[key] for key in keys)].append(row)
    return {label: _one(inside, rows, label, keys, measure) for label, inside in cells.items()}


def _one(
    inside: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    label: tuple[Any, ...],
    keys: tuple[str, ...],
    measure: Measure,
) -> Expected:
    is_sum = measure.kind is MeasureKind.SUM
    sizes: dict[int, float] = defaultdict(float)
    doctors: dict[int, set[int]] = defaultdict(set)
    present = [row for row in inside if _is_present(row, measure)]
    for row in present:
        size = abs(row[measure.weight]) if is_sum else 1.0
        sizes[row[PATIENT]] += size
        if row["__physician"] is not None and size > 0:
            doctors[row["__physician"]].add(row[PATIENT])
    sizes = {
        p: 1.0 if measure.kind is MeasureKind.PATIENTS else size for p, size in sizes.items() if size > 0
    }
    ordered = [*sorted(sizes.values(), reverse=True), 0.0, 0.0]
    with_one = set().union(*doctors.values())
    own = {row[PATIENT] for row in present}
    beyond = [len({row[PATIENT] for row in inside}) - len(own)] if measure.conditional else []
    for dropped in keys:
        margin = [
            row[PATIENT]
            for row in rows
            if _is_present(row, measure)
            and all(row[k] == value for k, value in zip(keys, label, strict=True) if k != dropped)
        ]
        beyond.append(len(set(margin)) - len(own))
    value = {
        MeasureKind.PATIENTS: len(own),
        MeasureKind.ROWS: len(present),
        MeasureKind.SUM: sum(row["__w1"] for row in present) if is_sum else 0,
    }[measure.kind]
    return Expected(
        value=value,
        patients=len(sizes),
        physicians=len(doctors),
        outside=len(with_one) - max((len(patients) for patients in doctors.values()), default=0),
        outside_two=_outside_two(present, is_sum and measure.weight),
        left_out=min(beyond, default=None),
        largest=ordered[0],
        second=ordered[1],
        total=sum(sizes.values()),
    )


def _outside_two(present: list[dict[str, Any]], weight: str | bool | None) -> int:
    """Patients whose own GP (of most of their rows; of the lowest number, if several) is none of the two that
    are it most often."""
    rows: dict[int, Counter[int]] = defaultdict(Counter)
    sizes: Counter[tuple[int, int]] = Counter()
    for row in present:
        patient, gp = row[PATIENT], row["__physician"]
        if gp is not None:
            rows[patient][gp] += 1
            sizes[patient, gp] += abs(row[str(weight)]) if weight else 1
    own: Counter[int] = Counter()
    for patient, gps in rows.items():
        adding = sorted((-n, gp) for gp, n in gps.items() if sizes[patient, gp] > 0)
        own.update(gp for _, gp in adding[:1])
    return own.total() - sum(n for _, n in own.most_common(2))


def _is_present(row: dict[str, Any], measure: Measure) -> bool:
    return measure.weight is None or row[measure.weight] is not None
