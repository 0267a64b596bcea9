"""A physician of the pool as the page of reviewers shows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hub_config.airlock.pool.actions import OnPool
from hub_config.governance.releases.facts import Absence, Delegation


@dataclass(frozen=True)
class ReviewerView:
    """`delegate`: who stands in today."""

    name: str
    named_by: str
    named_at: datetime
    absences: tuple[Absence, ...]
    delegations: tuple[Delegation, ...]
    absent: bool
    delegate: str


def reviewer_view(one: OnPool, today: date) -> ReviewerView:
    return ReviewerView(
        name=one.username,
        named_by=one.named_by,
        named_at=one.named_at,
        absences=one.absences,
        delegations=one.delegations,
        absent=any(away.first <= today <= away.last for away in one.absences),
        delegate=next((d.delegate for d in one.delegations if d.first <= today <= d.last), ""),
    )
