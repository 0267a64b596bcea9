"""The bounded totals of a release, read from the engine: exact, and never shown."""

from __future__ import annotations

import math
from collections.abc import Hashable

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hub_config.gateway.answer import conformed
from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Session
from hub_config.gateway.noise.bounds import GRID, Bounded
from hub_config.gateway.rules.cells import Label
from hub_config.gateway.rules.plan import MeasureKind, Release
from hub_config.gateway.rules.protect import full_domain

_TOTAL = "__total"
_TURN = "__turn"


def totals(session: Session, release: Release, bounded: Bounded) -> NDArray[np.int64]:
    """One total a cell of the release's domain, in units of `bounded`; 0 where nobody is.

    Rows whose label is unknown are in no cell of the domain and are left out.
    """
    table = _fetch(session, statement(release, bounded))
    keys = [_labels(release, table, key) for key in release.keys]
    found: dict[Label, int] = dict(
        zip(zip(*keys, strict=True) if keys else [()], table.column(_TOTAL).to_pylist(), strict=True)
    )
    return np.array([found.get(label) or 0 for label in full_domain(release)], dtype=np.int64)


def statement(release: Release, bounded: Bounded) -> ibis.Table:
    """Totals by cell, of which one patient makes up at most `bounded.sensitivity`."""
    rows = _contributing(release, bounded)
    keys = list(release.keys)
    if bounded.measure.kind is MeasureKind.PATIENTS:
        rows = rows.select(*keys, release.unit).distinct()
    turn = ibis.row_number().over(ibis.window(group_by=release.unit, order_by=ibis.random()))
    rows = rows.mutate(turn.name(_TURN))
    rows = rows.filter(rows[_TURN] < bounded.rows)
    total = rows.count() if bounded.counts else _steps(rows[str(bounded.measure.weight)], bounded).sum()
    return rows.aggregate(total.cast("int64").name(_TOTAL), by=keys)


def _contributing(release: Release, bounded: Bounded) -> ibis.Table:
    """Rows that add to the measure, in a known cell or not."""
    rows, weight = release.rows, bounded.measure.weight
    known = [rows[name].notnull() for name in (*release.keys, *([weight] if weight else []))]
    return rows.filter(*known) if known else rows


def _steps(value: ibis.Value, bounded: Bounded) -> ibis.Value:
    """The value in whole units, within the bounds whatever it was."""
    steps = (value.cast("float64") / bounded.unit).clip(lower=float(-GRID), upper=float(GRID))
    return steps.round().cast("int64").fill_null(0)


def _fetch(session: Session, expression: ibis.Table) -> pa.Table:
    prepared = compile_hardened(session.staged(expression), session.aggregates)
    for name, table in prepared.tables.items():
        session.register(name, table)
    batches = [conformed(batch, prepared.schema) for batch in session.fetch(prepared.sql).to_batches()]
    return pa.Table.from_batches(batches, schema=prepared.schema)


def _labels(release: Release, table: pa.Table, key: str) -> list[Hashable]:
    wanted = release.schema.to_pyarrow().field(key).type
    return [_one_nan(value) for value in table.column(key).cast(wanted, safe=False).to_pylist()]


def _one_nan(value: Hashable) -> Hashable:
    """NaN is unequal to itself, but not when it is the same object."""
    return math.nan if isinstance(value, float) and math.isnan(value) else value
