"""Decisions of governance: facts in, decision out. No I/O, no clock, no randomness.

`why_not` is the one predicate for "may this person work in this project on this day": the hub's buttons, the
spawner and the gateway all ask it. `TRANSITIONS` is the whole life of a project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hub_config.governance.facts import ProjectFacts, ProjectStatus
from hub_config.governance.services import is_service, service_of
from p4dp_sdk.wire.errors import ErrorCode, Refusal


class Step(StrEnum):
    """What an operator can do to a project's status."""

    APPROVE = "approve"
    SUSPEND = "suspend"
    AMEND = "amend"  # another grant or snapshot: the committee looks again
    CLOSE = "close"


TRANSITIONS: Mapping[ProjectStatus, Mapping[Step, ProjectStatus]] = {
    ProjectStatus.DRAFT: {
        Step.APPROVE: ProjectStatus.APPROVED,
        Step.AMEND: ProjectStatus.DRAFT,
        Step.CLOSE: ProjectStatus.CLOSED,
    },
    ProjectStatus.APPROVED: {
        Step.SUSPEND: ProjectStatus.SUSPENDED,
        Step.AMEND: ProjectStatus.DRAFT,
        Step.CLOSE: ProjectStatus.CLOSED,
    },
    ProjectStatus.SUSPENDED: {
        Step.APPROVE: ProjectStatus.APPROVED,
        Step.AMEND: ProjectStatus.DRAFT,
        Step.CLOSE: ProjectStatus.CLOSED,
    },
    ProjectStatus.CLOSED: {},  # for good: a closed project's work is archived under its name
}


@dataclass(frozen=True)
class Denial:
    """Why a person may not work in a project now. `params` name the project and what it lacks, nobody
    else."""

    code: ErrorCode
    params: Mapping[str, str]

    def refusal(self) -> Refusal:
        return Refusal(self.code, **self.params)


def why_not(user: str, facts: ProjectFacts, at: date) -> Denial | None:
    """None if `user` may work in this project on day `at`. Membership comes first: a stranger learns nothing
    else."""
    if not _belongs(user, facts):
        return Denial(ErrorCode.NOT_A_MEMBER, {"project": facts.slug})
    if facts.status is not ProjectStatus.APPROVED:
        return Denial(ErrorCode.PROJECT_NOT_ACTIVE, {"project": facts.slug, "status": facts.status.value})
    if facts.grant.expires_on is not None and at > facts.grant.expires_on:
        return Denial(
            ErrorCode.GRANT_EXPIRED, {"project": facts.slug, "expired_on": facts.grant.expires_on.isoformat()}
        )
    if facts.signed is not None and user not in facts.signed and not is_service(user):
        return Denial(ErrorCode.CHARTER_NOT_ACCEPTED, {"project": facts.slug})
    return None


def _belongs(user: str, facts: ProjectFacts) -> bool:
    if is_service(user):
        return user == service_of(facts.slug)
    return user not in facts.left and (facts.open_to_all or user in facts.members)


def next_status(status: ProjectStatus, step: Step) -> ProjectStatus | None:
    """The status after `step`, or None if a project of this status can't take it."""
    return TRANSITIONS[status].get(step)


def takes(step: Step) -> tuple[ProjectStatus, ...]:
    """The statuses from which `step` is possible."""
    return tuple(status for status, steps in TRANSITIONS.items() if step in steps)
