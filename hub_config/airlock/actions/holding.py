"""How an action takes a request in hand: locked for this transaction, with the people it is about, and only
if the rules let this person do this. How it moves the request on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from hub_config.airlock.rules.permission import Act, Denial, Someone, why_not
from hub_config.airlock.states import next_state
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.audit import AuditEvent, Decision
from hub_config.governance.recorder import Recorder
from hub_config.governance.register.leaving import has_left
from hub_config.governance.releases.facts import Membership, Pool, RequestFacts, State, Step
from hub_config.governance.releases.models import ReleaseFile, ReleaseRequest, ReleaseReview
from hub_config.governance.releases.reading import membership, pool_on
from hub_config.governance.releases.stored import request_of

_QUIET: Final = frozenset({Act.VIEW, Act.READ_RECORD, Act.TAKE})


@dataclass(frozen=True)
class Held:
    """A request that nobody else changes before this transaction ends."""

    row: ReleaseRequest
    members: Membership
    pool: Pool

    @property
    def facts(self) -> RequestFacts:
        """As it is now, with what this transaction changed."""
        return request_of(self.row)


def require_here(session: Session, person: Someone) -> None:
    """Asked wherever somebody reads or writes here in their own name. Raises Denied for one who left,
    whatever the hub says still."""
    if has_left(session, person.username):
        raise Denied(Problem.HAS_LEFT)


def move(row: ReleaseRequest, step: Step, at: datetime) -> State:
    """Take `step`; the new state. Raises Denied where the request can't."""
    after = next_state(State(row.state), step)
    if after is None:
        raise Denied(Problem.NOT_IN_THIS_STATE)
    row.state, row.touched_at = after.value, at
    return after


def hold(session: Session, person: Someone, act: Act, request: str, *, at: datetime, audit: Recorder) -> Held:
    """The request, for `person` to do `act` to it. Raises Denied; a denial of weight is recorded."""
    held = locked(session, request, at)
    denial = (
        Denial(Problem.UNKNOWN_REQUEST)
        if held is None
        else why_not(person, act, held.facts, members=held.members, pool=held.pool)
    )
    if held is None or denial is not None:
        if act not in _QUIET:
            _record_refusal(act, request, None if held is None else held.row.project, denial, audit)
        raise Denied(Problem.UNKNOWN_REQUEST) if denial is None else denial.denied()
    return held


def locked(session: Session, request: str, at: datetime) -> Held | None:
    """The request for the enclave itself, whatever its state."""
    row = session.get(ReleaseRequest, request, with_for_update=True, populate_existing=True)
    if row is None:
        return None
    return Held(row, membership(session, row.project), pool_on(session, at.date()))


def _record_refusal(
    act: Act, request: str, project: str | None, denial: Denial | None, audit: Recorder
) -> None:
    """At once, not with the transaction: it is rolled back."""
    code = Problem.UNKNOWN_REQUEST if denial is None else denial.problem
    details = {"request": request[:16], "code": code.value}
    audit.chain.append(AuditEvent(audit.who, f"release.{act.value}", project, Decision.REFUSED, details))


def set_aside(reviews: Iterable[ReleaseReview]) -> None:
    """These votes count no more; they stay on record."""
    for review in reviews:
        review.standing = False


def reopen(held: Held, at: datetime) -> None:
    """A draft again: what was voted was about something else."""
    move(held.row, Step.CHANGE, at)
    set_aside(held.row.reviews)
    held.row.assignments = []
    held.row.round, held.row.submitted_at, held.row.decided_at = 1, None, None


def file_row(held: Held, number: int) -> ReleaseFile:
    """The file of that number. Raises AirlockProblem where the request has none."""
    row = next((file for file in held.row.files if file.number == number), None)
    if row is None:
        raise AirlockProblem(Problem.UNKNOWN_FILE)
    return row
