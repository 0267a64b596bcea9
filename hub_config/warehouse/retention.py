"""Which snapshots may be purged, and purging them. The decision is a value; nothing is removed by deciding.

Kept: the newest usable one and, of each population, the newest `keep`; every one that a project is pinned
to, that a signed table or a recorded run names. One that can't be used is not purged either: it may be all
that is left of something, and a person looks at it. A number is never given again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.workplace import locked, sync


class Why(StrEnum):
    """Why a snapshot stays."""

    NEWEST = "newest"
    RECENT = "recent"
    PINNED = "pinned"
    SIGNED = "signed"
    RAN = "ran"


@dataclass(frozen=True)
class Standing:
    """A usable snapshot, as the policy sees it."""

    number: int
    population: str


@dataclass(frozen=True)
class Fate:
    """`stays` is why it does: empty where it may be purged. `projects` are those pinned to it."""

    number: int
    population: str
    stays: tuple[Why, ...]
    projects: tuple[str, ...] = ()


def fates(
    snapshots: Iterable[Standing],
    *,
    keep: int,
    pinned: Mapping[int, tuple[str, ...]],
    signed: Collection[int],
    ran: Collection[int],
) -> list[Fate]:
    """What becomes of each, newest first. `keep` is 1 at least."""
    ordered = sorted(snapshots, key=lambda each: -each.number)
    seen: Counter[str] = Counter()
    found = []
    for place, each in enumerate(ordered):
        seen[each.population] += 1
        reasons = {
            Why.NEWEST: place == 0,
            Why.RECENT: seen[each.population] <= max(1, keep),
            Why.PINNED: each.number in pinned,
            Why.SIGNED: each.number in signed,
            Why.RAN: each.number in ran,
        }
        stays = tuple(why for why, holds in reasons.items() if holds)
        found.append(Fate(each.number, each.population, stays, pinned.get(each.number, ())))
    return found


def purge(warehouse_dir: Path, fate: Fate) -> None:
    """Remove what may be. Raises WarehouseProblem for a snapshot that stays. Killed half-way, the rest is
    removed by the next purge or build: under its new name nobody takes it for a snapshot."""
    if fate.stays:
        reasons = ", ".join(fate.stays)
        raise WarehouseProblem(f"Snapshot {fate.number} stays ({reasons}): nothing was removed.")
    directory = warehouse_dir / str(fate.number)
    leaving = warehouse_dir / f".purged-{fate.number}"
    with locked(warehouse_dir):
        if directory.is_dir():
            directory.rename(leaving)
            sync(warehouse_dir)
    remove_purged(warehouse_dir)


def remove_purged(warehouse_dir: Path) -> None:
    """What a purge left when it was killed."""
    for leaving in warehouse_dir.glob(".purged-*"):
        shutil.rmtree(leaving, ignore_errors=True)
