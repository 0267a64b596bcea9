"""May this person do this with a notebook of a project's own: one predicate, for the button and for the
action alike. Pure.

A member asks. A reviewer decides who has no part in the project, now or ever, did not ask for it, and is no
stand-in of such people alone: as for a request; and only while the project goes on, since what was approved
runs in it. A member takes it back, and so may any such reviewer, and the
data protection officer. Who may not see it is told that there is none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, assert_never

from hub_config.airlock.rules.permission import PHYSICIANS, SEE_VOTES, Denial, Someone, why_not_open
from hub_config.airlock.texts import Problem
from hub_config.governance.notebooks.facts import TRANSITIONS, NotebookStep, Registration
from hub_config.governance.releases.facts import Membership, Pool
from hub_config.governance.roles import Role


class Act(StrEnum):
    VIEW = "view"
    DECIDE = "decide"
    WITHDRAW = "withdraw"


_STEPS: Final = {Act.DECIDE: NotebookStep.APPROVE, Act.WITHDRAW: NotebookStep.WITHDRAW}


def why_not(
    person: Someone, act: Act, registration: Registration, *, members: Membership, pool: Pool
) -> Denial | None:
    """None if `person` may do `act` to it now, given its project's people and today's reviewers."""
    denial = _why_not_person(person, act, registration, members, pool)
    if denial is not None:
        return denial
    step = _STEPS.get(act)
    possible = step is None or step in TRANSITIONS[registration.state]
    return None if possible else Denial(Problem.NOT_IN_THIS_STATE)


def _why_not_person(
    person: Someone, act: Act, registration: Registration, members: Membership, pool: Pool
) -> Denial | None:
    reviewer = _why_no_reviewer(person, registration, members, pool)
    concerned = _works(person, members) or Role.DPO in person.roles
    match act:
        case Act.DECIDE:
            return reviewer or why_not_open(registration.project, members, pool.day)
        case Act.VIEW | Act.WITHDRAW:
            return None if concerned or reviewer is None else Denial(Problem.UNKNOWN_REQUEST)
        case _:
            assert_never(act)


def _works(person: Someone, members: Membership) -> bool:
    return members.open_to_all or person.username in members.now


def _why_no_reviewer(
    person: Someone, registration: Registration, members: Membership, pool: Pool
) -> Denial | None:
    """Being a reviewer, and having no part in it."""
    if person.username == registration.asked_by:
        return Denial(Problem.OWN_REQUEST)
    if person.username not in pool.able or not person.roles & PHYSICIANS:
        return Denial(Problem.NOT_A_REVIEWER)
    if person.roles & SEE_VOTES:
        return Denial(Problem.READS_THE_LOG)
    outside = members.ever | {registration.asked_by}
    if person.username in outside:
        return Denial(Problem.OWN_PROJECT, {"project": registration.project})
    return None if person.username in pool.able_but(outside) else Denial(Problem.NOT_A_REVIEWER)
