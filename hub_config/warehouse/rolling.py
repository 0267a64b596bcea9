"""The *version glissante*: the newest usable snapshot of a population, the one before another, and its last
closed month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from hub_config.warehouse.shelf import ProblemKind, Snapshot, SnapshotProblem, open_snapshot
from hub_config.warehouse.workplace import snapshot_numbers


def newest_of(warehouse_dir: Path, population: str) -> Snapshot:
    """The newest snapshot of `population` that can be used: a damaged one is passed over. Raises
    SnapshotProblem (MISSING) where there is none."""
    if found := _newest(warehouse_dir, population, snapshot_numbers(warehouse_dir)):
        return found
    raise SnapshotProblem(
        ProblemKind.MISSING,
        f"No usable snapshot is of the population {population!r}, which a rolling project follows. See "
        "`p4dp-enclave warehouse list`; make one with `p4dp-enclave warehouse load` or `synthesise`.",
    )


def before(warehouse_dir: Path, snapshot: Snapshot) -> Snapshot | None:
    """The last usable snapshot of the same population before `snapshot`: what it is compared with. None where
    that one's people are numbered otherwise: invented people and real ones may bear one name."""
    earlier = [number for number in snapshot_numbers(warehouse_dir) if number < snapshot.number]
    found = _newest(warehouse_dir, snapshot.manifest.followed, earlier)
    return found if found and found.manifest.numbering == snapshot.manifest.numbering else None


def _newest(warehouse_dir: Path, population: str, numbers: Sequence[int]) -> Snapshot | None:
    for number in reversed(numbers):
        try:
            snapshot = open_snapshot(warehouse_dir, number)
        except SnapshotProblem:
            continue
        if snapshot.manifest.followed == population:
            return snapshot
    return None


def last_closed(last_date: date) -> date:
    """The last day of the last month that is over, in data that end on `last_date`."""
    tomorrow = last_date + timedelta(days=1)
    return tomorrow.replace(day=1) - timedelta(days=1)
