"""The *version glissante*: the newest usable snapshot of a population, and its last closed month."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from hub_config.warehouse.shelf import ProblemKind, Snapshot, SnapshotProblem, open_snapshot
from hub_config.warehouse.workplace import snapshot_numbers


def newest_of(warehouse_dir: Path, population: str) -> Snapshot:
    """The newest snapshot of `population` that can be used: a damaged one is passed over. Raises
    SnapshotProblem (MISSING) where there is none."""
    for number in reversed(snapshot_numbers(warehouse_dir)):
        try:
            snapshot = open_snapshot(warehouse_dir, number)
        except SnapshotProblem:
            continue
        if snapshot.manifest.followed == population:
            return snapshot
    raise SnapshotProblem(
        ProblemKind.MISSING,
        f"No usable snapshot is of the population {population!r}, which a rolling project follows. See "
        "`p4dp-enclave warehouse list`; make one with `p4dp-enclave warehouse load` or `synthesise`.",
    )


def last_closed(last_date: date) -> date:
    """The last day of the last month that is over, in data that end on `last_date`."""
    tomorrow = last_date + timedelta(days=1)
    return tomorrow.replace(day=1) - timedelta(days=1)
