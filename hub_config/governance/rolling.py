"""What a project on the *version glissante* is now: pinned to the newest usable snapshot of its population.

Whoever reads a project's snapshot asks here first. Events end with the last closed month, so that no number
changes because a month fills up. The snapshot it was founded on stays known: what may be spent once, such as
the noise budget, is counted by that one, and a new snapshot is no new budget.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hub_config.governance.facts import ProjectFacts
from hub_config.warehouse.rolling import last_closed, newest_of
from hub_config.warehouse.shelf import Snapshot, SnapshotProblem, open_snapshot


def snapshot_of(facts: ProjectFacts, warehouse_dir: Path) -> Snapshot:
    """The snapshot a question of the project is answered on now. Raises SnapshotProblem."""
    if facts.rolling is None:
        return open_snapshot(warehouse_dir, facts.snapshot)
    return newest_of(warehouse_dir, facts.rolling)


def rolled(facts: ProjectFacts, snapshot: Snapshot) -> ProjectFacts:
    """The project as it is on `snapshot`: the very same where it is pinned."""
    if facts.rolling is None:
        return facts
    closed = last_closed(snapshot.manifest.last_date)
    until = min(closed, facts.grant.date_to or closed)
    return replace(
        facts,
        snapshot=snapshot.number,
        founded_on=facts.anchor,
        grant=replace(facts.grant, date_to=until),
    )


def as_of_now(facts: ProjectFacts, warehouse_dir: Path) -> ProjectFacts:
    """`rolled` on its snapshot; as it was last told where there is none."""
    if facts.rolling is None:
        return facts
    try:
        return rolled(facts, snapshot_of(facts, warehouse_dir))
    except SnapshotProblem:
        return facts
