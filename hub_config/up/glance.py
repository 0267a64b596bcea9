"""What an operator wants to know first: which engine answers, how, on which snapshot, how old, for whom.

Settings, manifests and projects in, lines and rows out: no engine is asked, so that it is told of one that
doesn't answer, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub_config.governance.facts import ProjectFacts, ProjectStatus
from hub_config.sections import WarehouseSettings
from hub_config.warehouse.shelf import Snapshot
from p4dp_sdk.disclosure.policy import Method, Policy


def engine_line(warehouse: WarehouseSettings) -> str:
    """Which engine answers, where it is, and what it reads."""
    match warehouse.engine:
        case "duckdb":
            return "Engine: duckdb, within the gateway; it reads the snapshot's own file."
        case "spark":
            reads = "what `warehouse publish` named to it: the snapshot's own Parquet files"
        case "trino":
            reads = "what the site gave it and `warehouse publish` compared"
        case "postgresql":
            reads = "the copy that `warehouse publish` made"
    return f"Engine: {warehouse.engine} at {warehouse.address}; it reads {reads}."


def protection_line(policy: Policy) -> str:
    """How numbers come out where a project has no stricter policy of its own."""
    return (
        f"Answers: from {policy.min_patients} patients and {policy.min_physicians} GPs on. Drafts: "
        f"{method_told(policy)}. Publication tables: exact, cells withheld, at most "
        f"{policy.max_published_cells:,} cells."
    )


def method_told(policy: Policy) -> str:
    match policy.method:
        case Method.CELL_KEY:
            return f"counts blurred by up to {policy.noise_bound} (cell-key)"
        case Method.ROUNDING:
            return f"counts rounded to multiples of {policy.rounding_base} (rounding)"


@dataclass(frozen=True)
class Stand:
    """A usable snapshot: whether it is the newest of its population, and the projects that are answered on
    it, which are not closed."""

    snapshot: Snapshot
    current: bool
    following: tuple[str, ...]
    pinned: tuple[str, ...]

    @property
    def projects(self) -> str:
        return ", ".join((*(f"{slug} (follows)" for slug in self.following), *self.pinned))


def stands(snapshots: Sequence[Snapshot], projects: Iterable[ProjectFacts]) -> list[Stand]:
    """`snapshots` are the usable ones, in order."""
    newest = {each.manifest.followed: each.number for each in snapshots}
    there = [each for each in projects if each.status is not ProjectStatus.CLOSED]
    return [
        Stand(
            each,
            current=newest[each.manifest.followed] == each.number,
            following=tuple(
                sorted(
                    facts.slug
                    for facts in there
                    if facts.rolling and newest.get(facts.rolling) == each.number
                )
            ),
            pinned=tuple(
                sorted(
                    facts.slug for facts in there if facts.rolling is None and facts.snapshot == each.number
                )
            ),
        )
        for each in snapshots
    ]


def current_line(stand: Stand, at: datetime) -> str:
    manifest = stand.snapshot.manifest
    follow = f"followed by {', '.join(stand.following)}" if stand.following else "no project follows it"
    pinned = f", {len(stand.pinned)} pinned to it" if stand.pinned else ""
    return (
        f"Current snapshot of {manifest.followed}: {manifest.number}, made {age(manifest.created_at, at)}, "
        f"data to {manifest.last_date}; {follow}{pinned}."
    )


def without_snapshot(snapshots: Sequence[Snapshot], projects: Iterable[ProjectFacts]) -> list[str]:
    """The projects, not closed, that no usable snapshot answers."""
    numbers = {each.number for each in snapshots}
    populations = {each.manifest.followed for each in snapshots}
    return sorted(
        facts.slug
        for facts in projects
        if facts.status is not ProjectStatus.CLOSED
        and (facts.rolling not in populations if facts.rolling else facts.snapshot not in numbers)
    )


def age(made: str, at: datetime) -> str:
    """How long ago, in whole hours or days; `made` is that of a manifest."""
    passed = max(at - datetime.fromisoformat(made), timedelta(0))
    hours = passed // timedelta(hours=1)
    if hours < 1:
        return "within the hour"
    number, unit = (hours, "hour") if passed.days < 2 else (passed.days, "day")
    return f"{number:,} {unit}{'s' if number > 1 else ''} ago"
