"""Use cases of the log of rights requests: received, taken in hand, extended, answered, refused, withdrawn.

Who asked is known by a reference alone: that of the letter, which the DPO keeps elsewhere. Each step is an
audit event; its reasons are in the store, not in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.moments import aware
from hub_config.governance.recorder import Recorder
from hub_config.governance.rights import models
from hub_config.governance.rights.actions import BadRight, fresh_id
from hub_config.governance.rights.deadlines import SOON, due_on
from hub_config.governance.rights.facts import (
    REASONED,
    RIGHT_TRANSITIONS,
    Right,
    RightsRequest,
    RightState,
    RightStep,
    is_reference,
)

LONGEST_REASON = 2_000


class Urgency(StrEnum):
    LATE = "late"
    SOON = "soon"
    CALM = "calm"
    CLOSED = "closed"


@dataclass(frozen=True)
class Taken:
    """A step, and when. `reason` is what the person is told; `receipt` that of the objection that answers."""

    step: RightStep
    on: date
    reason: str = ""
    receipt: str = ""


def open_request(
    session: Session, right: Right, *, reference: str, received_on: date, at: datetime, audit: Recorder
) -> RightsRequest:
    """Put a request on record, assigned to whoever does: its month runs from the day it was received."""
    if not is_reference(reference):
        raise BadRight("reference")
    if received_on > at.date():
        raise BadRight("to-come")
    row = models.RightsRequest(
        id=fresh_id("D"),
        kind=right.value,
        reference=reference,
        received_on=received_on,
        due_on=due_on(received_on),
        state=RightState.RECEIVED.value,
        assigned_to=audit.who,
        opened_at=at,
    )
    session.add(row)
    audit.record(session, "rights.open", None, request=row.id, kind=right.value, due=row.due_on.isoformat())
    return _request(row)


def take_step(session: Session, request: str, taken: Taken, *, audit: Recorder) -> RightsRequest:
    """Raises BadRight: no such step from where it is, no reasons where they are owed, an extension after the
    first month."""
    row = session.get(models.RightsRequest, request)
    if row is None:
        raise BadRight("no-request")
    after = RIGHT_TRANSITIONS[RightState(row.state)].get(taken.step)
    if after is None:
        raise BadRight("step")
    reason = taken.reason.strip()[:LONGEST_REASON]
    if taken.step in REASONED and not reason:
        raise BadRight("reason")
    if taken.step is RightStep.EXTEND:
        if taken.on > row.due_on:
            raise BadRight("too-late")
        row.due_on = due_on(row.received_on, extended=True)
    row.reason = reason or row.reason
    row.receipt = _receipt(session, taken.receipt) or row.receipt
    before, row.state, row.assigned_to = row.state, after.value, audit.who
    row.closed_on = None if RIGHT_TRANSITIONS[after] else max(taken.on, row.received_on)
    audit.record(
        session,
        "rights.step",
        None,
        request=row.id,
        before=before,
        after=row.state,
        due=row.due_on.isoformat(),
    )
    return _request(row)


def _receipt(session: Session, receipt: str) -> str | None:
    if not receipt:
        return None
    if session.get(models.ObjectionReceipt, receipt) is None:
        raise BadRight("no-receipt")
    return receipt


def requests(session: Session) -> list[RightsRequest]:
    """The open ones first, by the day they are due; then the others, newest first."""
    rows = session.scalars(select(models.RightsRequest).order_by(models.RightsRequest.due_on))
    found = [_request(row) for row in rows]
    closed = sorted((each for each in found if not each.is_open), key=_closing, reverse=True)
    return [each for each in found if each.is_open] + closed


def _closing(request: RightsRequest) -> date:
    return request.closed_on or request.received_on


def urgency(request: RightsRequest, today: date) -> Urgency:
    """What the page's reminder says."""
    if not request.is_open:
        return Urgency.CLOSED
    if today > request.due_on:
        return Urgency.LATE
    return Urgency.SOON if request.due_on - today <= SOON else Urgency.CALM


def _request(row: models.RightsRequest) -> RightsRequest:
    return RightsRequest(
        row.id,
        Right(row.kind),
        row.reference,
        row.received_on,
        row.due_on,
        RightState(row.state),
        row.assigned_to,
        aware(row.opened_at),
        row.closed_on,
        row.reason or "",
        row.receipt,
    )
