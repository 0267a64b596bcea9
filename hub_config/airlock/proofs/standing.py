"""What of a project decides how safe its outputs are: snapshot, thresholds in force, who holds rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hub_config.governance import actions as governance
from hub_config.governance.releases.reading import gives_rows, holds_rows, membership
from hub_config.settings import Settings
from p4dp_sdk.disclosure.policy import Policy

_DAYS_OF_MONTH = 31


@dataclass(frozen=True)
class Standing:
    """`holders`: the project gives rows of people, or somebody of it holds some, or did of late."""

    project: str
    snapshot: int
    policy: Policy
    holders: bool = True


def standing_of(session: Session, project: str, *, settings: Settings, at: datetime) -> Standing:
    """As it is now. Raises UnknownProject."""
    facts = governance.project_facts(session, project)
    since = at - timedelta(days=settings.airlock.row_months * _DAYS_OF_MONTH)
    holders = gives_rows(session, project) or holds_rows(session, membership(session, project).ever, since)
    return Standing(project, facts.snapshot, settings.policy.policy().strictest(facts.policy), holders)
