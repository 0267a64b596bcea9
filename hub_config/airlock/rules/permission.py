"""May this person do this to this request: one predicate, for the button and for the action alike. Pure.

Nobody reviews their own request, nor one of a project they work in, worked in, or worked in when the request
was made, nor in the place of somebody who may not. Who reads the audit log reviews nothing: its reader is not
blind. Who approved a project's own notebook is not the only one to look at what it left. Only the requester
downloads. Who may not see a request is told no more than that there is none.

Of a suspended project nothing moves: nothing is asked for, voted on, released or downloaded; but who asked
may take it back, and what left may be recalled. Of one that is closed, or whose grant has expired, nothing
new is asked for; what was asked for before is decided on and released, and what left can be downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, Protocol, assert_never

from hub_config.airlock.rules.looks import MOST_LOOKS, HousePolicy, looks_needed
from hub_config.airlock.rules.seats import shares_a_seat
from hub_config.airlock.rules.voting import Conflict, counted, outcome, revealed
from hub_config.airlock.states import CHANGEABLE, OPEN, TRANSITIONS
from hub_config.airlock.texts import Denied, Problem
from hub_config.governance.releases.facts import Membership, OutputClass, Pool, RequestFacts, State, Step
from hub_config.governance.roles import Role

PHYSICIANS: Final = frozenset({Role.MEDECIN_DIM, Role.MEDECIN_REFERENT})
SEE_VOTES: Final = frozenset({Role.DPO, Role.ADMIN})
"""Who reads the audit log, where a vote stands from the moment it is cast."""
_DECIDED: Final = frozenset({State.APPROVED, State.RELEASED, State.RETURNED, State.REJECTED})
_RESUBMITTED: Final = frozenset({State.RETURNED, State.WITHDRAWN})


class Act(StrEnum):
    VIEW = "view"  # the request and its files
    READ_RECORD = "read-record"  # that it was, and how it went; no file
    READ_NAMES = "read-names"  # the disclosure record as it is kept, with who reviewed
    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RESUBMIT = "resubmit"
    ANSWER = "answer"
    DOWNLOAD = "download"
    TAKE = "take"
    VOTE = "vote"
    CONSOLIDATE = "consolidate"
    COMMENT = "comment"
    ASK = "ask"
    REPLACE = "replace"  # put a voter aside who can't act any more
    RELEASE = "release"
    RECALL = "recall"


_ASKING: Final = frozenset({Act.EDIT, Act.SUBMIT, Act.RESUBMIT})


class Someone(Protocol):
    """Who acts: `governance.roles.Person` is one."""

    @property
    def username(self) -> str: ...
    @property
    def roles(self) -> frozenset[Role]: ...


@dataclass(frozen=True)
class Denial:
    problem: Problem
    blanks: Mapping[str, str | int] = field(default_factory=dict)

    def denied(self) -> Denied:
        return Denied(self.problem, **self.blanks)


def why_not(
    person: Someone, act: Act, request: RequestFacts, *, members: Membership, pool: Pool
) -> Denial | None:
    """None if `person` may do `act` to `request` now, given its project's people and today's reviewers."""
    match act:
        case Act.VIEW:
            return _why_not_view(person, request, members, pool)
        case Act.READ_RECORD:
            return _why_not_read(person, request, members, pool)
        case Act.READ_NAMES:
            return _why_not_names(person, request)
        case Act.EDIT | Act.SUBMIT | Act.WITHDRAW | Act.RESUBMIT | Act.ANSWER | Act.DOWNLOAD:
            return _why_not_own(person, act, request, members, pool.day)
        case Act.TAKE | Act.VOTE | Act.CONSOLIDATE | Act.COMMENT | Act.ASK | Act.REPLACE | Act.RELEASE:
            return _why_not_review(person, request, members, pool) or _why_not_as_reviewer(
                person, act, request, members, pool
            )
        case Act.RECALL:
            return _why_not_recall(person, request, members, pool)
        case _:
            assert_never(act)


def role_of(person: Someone) -> str:
    """The role in which a reviewer votes; the first of the two, for who has both."""
    return next((role.value for role in sorted(PHYSICIANS) if role in person.roles), "")


def barred(request: RequestFacts, members: Membership) -> frozenset[str]:
    """Whose look at this request never counts."""
    return _parties(request, members) | code_readers(request, members)


def code_readers(request: RequestFacts, members: Membership) -> frozenset[str]:
    """Who approved the notebook that left a file of it, where one look lets it out: that look is another's.
    Where two must look, theirs may be one. By the files alone, so that nobody learns of a vote from it."""
    if looks_needed(request.files, HousePolicy()) >= MOST_LOOKS:
        return frozenset()
    reproduced = (file for file in request.files if file.output_class is OutputClass.REPRODUCED)
    sums = (str((file.proof or {}).get("sha256")) for file in reproduced)
    return frozenset(who for sum_ in sums for who in members.code_readers.get(sum_, ()))


def _parties(request: RequestFacts, members: Membership) -> frozenset[str]:
    return members.ever | request.members_then | {request.requester}


def why_not_request(person: Someone, project: str, members: Membership, today: date) -> Denial | None:
    """None if `person` may ask for something of this project to leave."""
    if not _works(person.username, members):
        return Denial(Problem.NOT_A_MEMBER, {"project": project})
    return why_not_open(project, members, today)


def why_not_open(project: str, members: Membership, today: date) -> Denial | None:
    """None if the project goes on today: anything new may be asked for, of it and in it."""
    return _why_not_going(project, members) or _why_not_new(project, members, today)


def why_not_release(project: str, members: Membership) -> Denial | None:
    """None if what was approved may leave now."""
    return _why_not_going(project, members)


def _why_not_going(project: str, members: Membership) -> Denial | None:
    return Denial(Problem.PROJECT_SUSPENDED, {"project": project}) if members.stopped else None


def _why_not_new(project: str, members: Membership, today: date) -> Denial | None:
    if not members.is_over(today):
        return None
    return Denial(Problem.PROJECT_CLOSED if members.closed else Problem.PROJECT_OVER, {"project": project})


def _works(username: str, members: Membership) -> bool:
    return members.open_to_all or username in members.now


def _why_not_view(person: Someone, request: RequestFacts, members: Membership, pool: Pool) -> Denial | None:
    if person.username == request.requester:
        return None
    if request.state is State.DRAFT or _why_not_review(person, request, members, pool) is not None:
        return Denial(Problem.UNKNOWN_REQUEST)
    return None


def _why_not_read(person: Someone, request: RequestFacts, members: Membership, pool: Pool) -> Denial | None:
    if Role.DPO in person.roles and request.state is not State.DRAFT:
        return None
    return _why_not_view(person, request, members, pool)


def _why_not_names(person: Someone, request: RequestFacts) -> Denial | None:
    """The DPO alone, of what left: to its requester reviewers stay nameless."""
    if Role.DPO not in person.roles or person.username == request.requester:
        return Denial(Problem.NOT_ALLOWED)
    return None if request.state is State.RELEASED else Denial(Problem.NOT_IN_THIS_STATE)


def _why_not_own(
    person: Someone, act: Act, request: RequestFacts, members: Membership, today: date
) -> Denial | None:
    if person.username != request.requester:
        return Denial(Problem.UNKNOWN_REQUEST)
    if act is not Act.WITHDRAW and not _works(person.username, members):
        return Denial(Problem.NOT_A_MEMBER, {"project": request.project})
    if act is not Act.WITHDRAW and (denial := _why_not_going(request.project, members)) is not None:
        return denial
    if act in _ASKING and (denial := _why_not_new(request.project, members, today)) is not None:
        return denial
    if act is Act.DOWNLOAD and request.recalled is not None:
        return Denial(Problem.RECALLED)
    return None if _open_to_requester(act, request.state) else Denial(Problem.NOT_IN_THIS_STATE)


def _open_to_requester(act: Act, state: State) -> bool:
    match act:
        case Act.EDIT:
            return state in CHANGEABLE
        case Act.SUBMIT:
            return Step.SUBMIT in TRANSITIONS[state]
        case Act.WITHDRAW:
            return Step.WITHDRAW in TRANSITIONS[state]
        case Act.RESUBMIT:
            return state in _RESUBMITTED
        case Act.ANSWER:
            return state in OPEN
        case Act.DOWNLOAD:
            return state is State.RELEASED
        case _:
            return False


def _why_not_review(person: Someone, request: RequestFacts, members: Membership, pool: Pool) -> Denial | None:
    """Being a reviewer, and having no part in it."""
    if person.username == request.requester:
        return Denial(Problem.OWN_REQUEST)
    if person.username not in pool.able or not person.roles & PHYSICIANS:
        return Denial(Problem.NOT_A_REVIEWER)
    if person.roles & SEE_VOTES:
        return Denial(Problem.READS_THE_LOG)
    outside = _parties(request, members)
    if person.username in outside:
        return Denial(Problem.OWN_PROJECT, {"project": request.project})
    return None if person.username in pool.able_but(outside) else Denial(Problem.NOT_A_REVIEWER)


def _why_not_as_reviewer(
    person: Someone, act: Act, request: RequestFacts, members: Membership, pool: Pool
) -> Denial | None:
    if (denial := _why_not_going(request.project, members)) is not None:
        return denial
    votes = act in (Act.VOTE, Act.CONSOLIDATE, Act.REPLACE)
    if votes and person.username not in pool.able_but(barred(request, members)):
        return Denial(Problem.OWN_READING)
    match act:
        case Act.TAKE | Act.COMMENT | Act.ASK:
            return None if request.state in OPEN else Denial(Problem.NOT_IN_THIS_STATE)
        case Act.REPLACE:
            return _why_not_concert(request, members)
        case Act.VOTE:
            return _why_not_vote(person, request, members, pool)
        case Act.CONSOLIDATE:
            return _why_not_consolidate(person, request, members)
        case Act.RELEASE:
            return None if request.state is State.APPROVED else Denial(Problem.NOT_IN_THIS_STATE)
        case _:
            return Denial(Problem.NOT_ALLOWED)


def _why_not_vote(person: Someone, request: RequestFacts, members: Membership, pool: Pool) -> Denial | None:
    """The blind vote, which its author may change until all have voted."""
    if request.state not in OPEN:
        return Denial(Problem.NOT_IN_THIS_STATE)
    outside = barred(request, members)
    if revealed(request, outside):
        return Denial(Problem.ENOUGH_VOTES)
    voters = {review.reviewer for review in counted(request, outside)}
    taken = any(shares_a_seat(person.username, voter, request, pool) for voter in voters)
    return Denial(Problem.SEAT_TAKEN) if taken else None


def _why_not_concert(request: RequestFacts, members: Membership) -> Denial | None:
    """All have voted, and don't agree. Before that, whether a vote is there is told to nobody."""
    if request.state not in OPEN:
        return Denial(Problem.NOT_IN_THIS_STATE)
    found = outcome(counted(request, barred(request, members)), request.looks_needed)
    return None if isinstance(found, Conflict) else Denial(Problem.NO_CONFLICT)


def _why_not_consolidate(person: Someone, request: RequestFacts, members: Membership) -> Denial | None:
    if (denial := _why_not_concert(request, members)) is not None:
        return denial
    voters = {review.reviewer for review in counted(request, barred(request, members))}
    return None if person.username in voters else Denial(Problem.NOT_ONE_OF_THE_VOTERS)


def _why_not_recall(person: Someone, request: RequestFacts, members: Membership, pool: Pool) -> Denial | None:
    if Role.DPO not in person.roles:
        denial = _why_not_review(person, request, members, pool)
        if denial is not None:
            return denial
    if request.state is not State.RELEASED or request.recalled is not None:
        return Denial(Problem.NOT_IN_THIS_STATE)
    return None


def decided(request: RequestFacts) -> bool:
    return request.state in _DECIDED
