"""What the commands must look up in the warehouse: which snapshot, whether it is synthetic, its centres and
numbers.

The one module of governance that reads a snapshot; no service imports it, only the commands do.
"""

from __future__ import annotations

import duckdb

from hub_config.governance.problems import BadProject
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import Snapshot, list_snapshots, open_snapshot


def terms(settings: Settings, number: int | None, *, wants_centres: bool) -> Terms:
    """What a new project on snapshot `number`, or on the newest, must keep to. Raises SnapshotProblem or
    BadProject."""
    snapshot = _snapshot(settings, number)
    centres = _centres(snapshot) if wants_centres else None
    found = SnapshotTerms(snapshot.manifest.number, snapshot.manifest.synthetic, centres)
    return Terms(found, settings.policy)


def require_known(settings: Settings, *, patient_no: int | None, physician_no: int | None) -> None:
    """Refuse a number that no snapshot has: it is a slip, and the person who objected would stay visible."""
    snapshots = list_snapshots(settings.warehouse_dir)
    for who, table, column, number in (
        ("patient", "patients", "patient_no", patient_no),
        ("physician", "physicians", "physician_no", physician_no),
    ):
        if number is not None and not any(_holds(snapshot, table, column, number) for snapshot in snapshots):
            raise BadProject(
                f"No snapshot has a {who} of number {number}. Check the number with who sent it."
            )


def _holds(snapshot: Snapshot, table: str, column: str, number: int) -> bool:
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        query = f"SELECT count(*) FROM {table} WHERE {column} = ?"  # noqa: S608  (names of our own)
        row = connection.execute(query, [number]).fetchone()
    return row is not None and row[0] > 0


def _snapshot(settings: Settings, number: int | None) -> Snapshot:
    if number is not None:
        return open_snapshot(settings.warehouse_dir, number)
    known = list_snapshots(settings.warehouse_dir)
    if not known:
        raise BadProject(
            "There is no snapshot to pin the project to. Make one: `p4dp-enclave warehouse synthesise`."
        )
    return known[-1]


def _centres(snapshot: Snapshot) -> frozenset[str]:
    with duckdb.connect(str(snapshot.database), read_only=True) as connection:
        return frozenset(row[0] for row in connection.execute("SELECT centre_id FROM centres").fetchall())
