"""Why a page has no form where one is expected: what keeps its reader from the next step of a request that is
not over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.pages.queues import Case
from hub_config.airlock.rules.looks import HousePolicy, looks_needed
from hub_config.airlock.rules.permission import Act, Denial, Someone, barred
from hub_config.airlock.states import OPEN
from hub_config.airlock.texts import Problem
from hub_config.governance.releases.facts import State

_NEXT: Final[Mapping[State, Act]] = {
    State.DRAFT: Act.SUBMIT,
    State.SUBMITTED: Act.ANSWER,
    State.IN_REVIEW: Act.ANSWER,
    State.APPROVED: Act.DOWNLOAD,
    State.RELEASED: Act.DOWNLOAD,
    State.RETURNED: Act.RESUBMIT,
}
"""What its requester comes for."""
_STOPS: Final = frozenset(
    {Problem.NOT_A_MEMBER, Problem.PROJECT_SUSPENDED, Problem.PROJECT_OVER, Problem.PROJECT_CLOSED}
)


def stops_requester(person: Someone, case: Case) -> Denial | None:
    """What keeps a requester from going on, whatever their request's own state would allow."""
    act = _NEXT.get(case.request.state)
    denial = case.why_not(person, act) if act is not None else None
    return denial if denial is not None and denial.problem in _STOPS else None


def stops_by_part(person: Someone, case: Case) -> Denial | None:
    """What keeps a reviewer from a request of a project they have a part in. Of a draft nobody is told."""
    denial = case.why_not(person, Act.TAKE) if case.request.state is not State.DRAFT else None
    return denial if denial is not None and denial.problem is Problem.OWN_PROJECT else None


def lacks_reviewers(case: Case) -> bool:
    """Whether fewer physicians may look at it today than must. By its files and the pool alone: nobody learns
    of a vote from it."""
    request = case.request
    able = case.pool.able_but(barred(request, case.members))
    return request.state in OPEN and len(able) < max(1, looks_needed(request.files, HousePolicy()))


def stops_reviewer(person: Someone, case: Case) -> Denial | None:
    """What keeps a reviewer, who may read the request, from a form to decide on it."""
    if case.request.state in OPEN and case.why_not(person, Act.CONSOLIDATE) is not None:
        return case.why_not(person, Act.VOTE)
    return case.why_not(person, Act.RELEASE) if case.request.state is State.APPROVED else None
