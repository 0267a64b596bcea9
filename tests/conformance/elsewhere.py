"""The hand-made warehouse on an engine elsewhere, asked through the gateway's own port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from hub_config.gateway.compile import compile_hardened
from hub_config.gateway.engine import Engine, EngineLimits, Session
from hub_config.gateway.engines.port import Warehouse, stored, temporary
from hub_config.gateway.rules.cells import Cells
from hub_config.gateway.stopping import Stop

LIMITS = EngineLimits(512 * 1024**2, 2)


@dataclass(frozen=True)
class Elsewhere:
    """`table` is what `world.ask` binds a query to; `asked` and `session` run what it was split into."""

    engine: Engine
    schemas: Mapping[str, ibis.Schema]

    def table(self, name: str) -> ibis.Table:
        return temporary(name, dict(self.schemas[name].items()))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.engine.session(Stop(120)) as session:
            for name, schema in self.schemas.items():
                session.bind(name, name, lambda name=name, schema=schema: stored(name, dict(schema.items())))
            yield session

    def asked(self, expression: ibis.Table) -> pa.Table:
        with self.session() as session:
            return hardened(session, expression)


def elsewhere(warehouse: Warehouse, tables: Mapping[str, pa.Table]) -> Elsewhere:
    schemas = {name: ibis.Schema.from_pyarrow(table.schema) for name, table in tables.items()}
    return Elsewhere(Engine(Path("nowhere"), LIMITS, warehouse), schemas)


def hardened(session: Session, expression: ibis.Table) -> pa.Table:
    """As the gateway runs what it shows whole."""
    statement = compile_hardened(session.staged(expression), session.aggregates)
    for name, table in statement.tables.items():
        session.register(name, table)
    return session.fetch(statement.sql)


def facts(cells: Cells) -> dict[tuple[object, ...], dict[str, object]]:
    """All that was measured of each cell, by its labels, to be compared between engines."""
    found: dict[tuple[object, ...], dict[str, object]] = {label: {} for label in cells.labels}
    for column in cells.columns:
        measured: dict[str, Any] = {"exact": column.exact, "records": column.vectors.records}
        measured |= {field.name: getattr(column.backing, field.name) for field in fields(column.backing)}
        measured |= {"by_patient": column.vectors.by_patient, "by_physician": column.vectors.by_physician}
        for name, values in measured.items():
            for place, label in enumerate(cells.labels):
                found[label][f"{column.measure.name} {name}"] = _plain(values, place)
    return found


def _plain(values: Any, place: int) -> object:
    if values is None:
        return None
    value = np.asarray(values[place])
    if value.dtype.kind != "f":
        return value.tolist()
    return np.where(np.isnan(value), "none", np.round(value, 9).astype(str)).tolist()
