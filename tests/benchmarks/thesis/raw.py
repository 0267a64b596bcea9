"""The tables of a snapshot as they are: to the SDK as a workspace has them, to pandas as frames, to SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import pandas as pd

from hub_config.warehouse.snapshot import Snapshot
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Unit
from p4dp_sdk.cohorts import EventTable
from p4dp_sdk.identity import Access
from p4dp_sdk.indicators.registry import Indicators


class Granted(dict[str, Any]):
    """Tables by name, and as attributes: `ws.tables.diagnoses`."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


@dataclass(frozen=True)
class Raw:
    """One engine for all: no protection."""

    connection: duckdb.DuckDBPyConnection
    tables: Granted
    snapshot: Snapshot

    @cached_property
    def workspace(self) -> Any:
        """What the SDK's cohorts and indicators ask of a workspace."""
        said = self.snapshot.manifest
        whoami = SimpleNamespace(
            reference_date=said.reference_date.isoformat(),
            first_date=said.first_date.isoformat(),
            last_date=said.last_date.isoformat(),
            snapshot=said.number,
            source=said.source,
            access=Access.MICRODATA,
        )
        made = SimpleNamespace(tables=self.tables, whoami=whoami)
        made.indicators = Indicators(made)
        return made

    @cached_property
    def frames(self) -> Any:
        """A dump: every table in memory, dates as pandas reads them."""
        return SimpleNamespace(**{name: _frame(table.execute()) for name, table in self.tables.items()})

    def sql(self, statement: str) -> pd.DataFrame:
        return self.connection.execute(statement).df()


def _frame(frame: pd.DataFrame) -> pd.DataFrame:
    dates = [name for name in frame if name.endswith(("date", "month"))]
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in dates})


@contextmanager
def raw(snapshot: Snapshot) -> Iterator[Raw]:
    """The snapshot's tables in an engine of one's own, patients by `patient_id`."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{snapshot.database}' AS stored (READ_ONLY)")
        catalogue = load_catalogue().tables
        names = [n for n, table in catalogue.items() if table.unit in (Unit.PERSON, Unit.PHYSICIAN)]
        for name in names:
            renamed = "" if name == "physicians" else " RENAME (patient_no AS patient_id)"
            connection.execute(f'CREATE VIEW "{name}" AS SELECT *{renamed} FROM stored."{name}"')
        backend = ibis.duckdb.from_connection(connection)
        tables = Granted({name: EventTable(backend.table(name).op()) for name in names})
        yield Raw(connection, tables, snapshot)
