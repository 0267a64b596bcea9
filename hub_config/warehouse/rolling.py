"""The *version glissante*: the newest usable snapshot of a population, the one before another, and its last
closed month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

from hub_config.warehouse.manifest import Manifest
from hub_config.warehouse.shelf import ProblemKind, Snapshot, SnapshotProblem, open_snapshot
from hub_config.warehouse.workplace import snapshot_numbers


def newest_of(warehouse_dir: Path, population: str) -> Snapshot:
    """The newest snapshot of `population` that can be used: a damaged one is passed over. Raises
    SnapshotProblem (MISSING) where there is none."""
    numbers = snapshot_numbers(warehouse_dir)
    if found := _newest(warehouse_dir, numbers, lambda manifest: manifest.followed == population):
        return found
    raise SnapshotProblem(
        ProblemKind.MISSING,
        f"No usable snapshot is of the population {population!r}, which a rolling project follows. See "
        "`p4dp-enclave warehouse list`; make one with `p4dp-enclave warehouse load` or `synthesise`.",
    )


def before(warehouse_dir: Path, snapshot: Snapshot) -> Snapshot | None:
    """The last usable snapshot of the same population before `snapshot`: what it is compared with. Its people
    and GPs are numbered alike: invented ones and real ones may bear one name."""
    now, numbers = snapshot.manifest, snapshot_numbers(warehouse_dir)
    return _newest(
        warehouse_dir,
        [number for number in numbers if number < now.number],
        lambda it: _kind(it) == _kind(now),
    )


def _kind(manifest: Manifest) -> tuple[str, str, str]:
    return manifest.followed, manifest.numbering, manifest.physician_numbering


def _newest(
    warehouse_dir: Path, numbers: Sequence[int], is_wanted: Callable[[Manifest], bool]
) -> Snapshot | None:
    for number in reversed(numbers):
        try:
            snapshot = open_snapshot(warehouse_dir, number)
        except SnapshotProblem:
            continue
        if is_wanted(snapshot.manifest):
            return snapshot
    return None


def last_closed(last_date: date) -> date:
    """The last day of the last month that is over, in data that end on `last_date`."""
    tomorrow = last_date + timedelta(days=1)
    return tomorrow.replace(day=1) - timedelta(days=1)
