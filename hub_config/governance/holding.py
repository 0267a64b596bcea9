"""Which snapshots something on record still stands on: what no policy may purge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.actions import all_projects
from hub_config.governance.facts import ProjectStatus
from hub_config.governance.ledger.models import Answer
from hub_config.governance.report_runs.models import ReportRun


@dataclass(frozen=True)
class Held:
    """`pinned` names the projects of each number, closed ones apart; `followed` the populations of rolling
    ones; `signed` are those of signed tables, `ran` those of recorded runs of reports."""

    pinned: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()
    signed: frozenset[int] = frozenset()
    ran: frozenset[int] = frozenset()


def held(session: Session) -> Held:
    pinned: dict[int, tuple[str, ...]] = {}
    alive = [facts for facts in all_projects(session) if facts.status is not ProjectStatus.CLOSED]
    for facts in alive:
        if facts.rolling is None:
            pinned[facts.snapshot] = (*pinned.get(facts.snapshot, ()), facts.slug)
    return Held(
        pinned=pinned,
        followed=frozenset(facts.rolling for facts in alive if facts.rolling is not None),
        signed=frozenset(session.scalars(select(Answer.snapshot).where(Answer.publication).distinct())),
        ran=frozenset(session.scalars(select(ReportRun.snapshot).distinct())),
    )
