"""What of a project decides how safe its outputs are: snapshot, thresholds in force, who holds rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hub_config.governance import actions as governance
from hub_config.governance.releases.reading import gives_rows, holds_rows, membership
from hub_config.governance.rolling import as_of_now
from hub_config.settings import Settings
from p4dp_sdk.disclosure.policy import Policy

_DAYS_OF_MONTH = 31


@dataclass(frozen=True)
class Standing:
    """`snapshot` is the newest where the project follows its population, `since` the one it was founded on:
    what was answered on any between is its own. `holders`: the project gives rows of people, or somebody of
    it holds some, or did of late."""

    project: str
    snapshot: int
    policy: Policy
    holders: bool = True
    since: int | None = None

    def covers(self, snapshot: int) -> bool:
        """Whether the project worked on that snapshot as it is now."""
        return (self.since or self.snapshot) <= snapshot <= self.snapshot


def standing_of(session: Session, project: str, *, settings: Settings, at: datetime) -> Standing:
    """As it is now. Raises UnknownProject."""
    facts = as_of_now(governance.project_facts(session, project), settings.warehouse_dir)
    since = at - timedelta(days=settings.airlock.row_months * _DAYS_OF_MONTH)
    holders = gives_rows(session, project) or holds_rows(session, membership(session, project).ever, since)
    policy = settings.policy.policy().strictest(facts.policy)
    return Standing(project, facts.snapshot, policy, holders, facts.founded_on)
