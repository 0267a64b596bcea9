"""Use cases of participation: an objection with its receipt; a practice enters, changes software, leaves.

One transaction of the caller's, one audit event more than the objection's own. The log says that there was an
objection, of a patient or of a physician, and the receipt's number; never whose. A receipt says when the
objection took effect: the moment after which its transaction was on disk, so every later question honours it.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.models import Objection
from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.actions import add_objection, in_force
from hub_config.governance.objections.facts import ObjectionScope, Subject
from hub_config.governance.problems import GovernanceProblem
from hub_config.governance.recorder import Recorder
from hub_config.governance.rights import models
from hub_config.governance.rights.facts import (
    PRACTICE_TRANSITIONS,
    Practice,
    PracticeState,
    PracticeStep,
    Receipt,
    is_reference,
)

_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is read for another
SOFTWARE: Final = 80


class BadRight(GovernanceProblem):
    """What was asked breaks a rule of the rights; `why` names it for the page, which has the words."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Refused: {why}.")
        self.why = why


def fresh_id(letter: str) -> str:
    return f"{letter}-{''.join(secrets.choice(_LETTERS) for _ in range(10))}"


# --- objections --------------------------------------------------------------------------------------------


def record_objection(
    session: Session,
    subject: Subject,
    number: int,
    *,
    numbering: str,
    scope: ObjectionScope = ObjectionScope.ALL,
    source: str,
    reference: str,
    at: datetime,
    audit: Recorder,
) -> Receipt:
    """The objection of the person of this dense number, in every snapshot of its numbering, and its receipt.
    `confirm` it once the transaction is over. Raises BadRight for a reference that is none."""
    check_reference(reference)
    who = {"patient_no" if subject is Subject.PATIENT else "physician_no": number}
    new = add_objection(session, **who, numbering=numbering, scope=scope, on=at.date(), audit=audit)
    held = in_force(session, subject, number, numbering)
    if held is None:
        raise BadRight("no-receipt")
    receipt = fresh_id("R")
    details = {"of": subject.value, "scope": held.scope.value, "receipt": receipt, "source": source}
    event = audit.record(session, "participation.objection", None, **details, new=new)
    row = models.ObjectionReceipt(
        id=receipt,
        objection=held.id,
        subject=subject.value,
        scope=held.scope.value,
        source=source,
        reference=reference,
        recorded_by=audit.who,
        recorded_at=at,
        effective_at=None,
        event=event,
        new=new,
    )
    session.add(row)
    session.flush()
    return _facts_of(session, row)


def check_reference(reference: str) -> None:
    """Raises BadRight for one that is none; a letter may have none."""
    if reference and not is_reference(reference):
        raise BadRight("reference")


def confirm(session: Session, receipt: str, *, at: datetime) -> Receipt:
    """Say that the objection has taken effect by `at`; the first to say so counts. Called in a transaction
    after the one that recorded it: that this one sees the row proves that the other is over."""
    row = _receipt_row(session, receipt)
    if row.effective_at is None:
        row.effective_at = max(at, aware(row.recorded_at))
    return _facts_of(session, row)


def lift(session: Session, receipt: str, *, reason: str, at: datetime, audit: Recorder) -> Receipt:
    """The receipt's objection was recorded by error, or is withdrawn: it holds no more. Raises BadRight."""
    row = _receipt_row(session, receipt)
    if not reason.strip() or len(reason) > objections.LONGEST_REASON:
        raise BadRight("why")
    if session.get_one(Objection, row.objection).lifted_on is not None:
        raise BadRight("lifted")
    objections.lift(session, row.objection, reason=reason, on=at.date(), audit=audit)
    audit.record(session, "participation.lift", None, of=row.subject, receipt=receipt)
    return _facts_of(session, row)


def receipt_of(session: Session, receipt: str) -> Receipt:
    return _facts_of(session, _receipt_row(session, receipt))


def receipts(session: Session, *, by: str | None = None, limit: int = 200) -> list[Receipt]:
    """The newest first; those that one person recorded, or all."""
    query = select(models.ObjectionReceipt).order_by(models.ObjectionReceipt.recorded_at.desc()).limit(limit)
    query = query if by is None else query.where(models.ObjectionReceipt.recorded_by == by)
    return [_facts_of(session, row) for row in session.scalars(query)]


def _receipt_row(session: Session, receipt: str) -> models.ObjectionReceipt:
    row = session.get(models.ObjectionReceipt, receipt)
    if row is None:
        raise BadRight("no-receipt")
    return row


def _facts_of(session: Session, row: models.ObjectionReceipt) -> Receipt:
    objection = session.get_one(Objection, row.objection)
    number = objection.patient_no if objection.patient_no is not None else objection.physician_no
    return Receipt(
        row.id,
        Subject(row.subject),
        ObjectionScope(row.scope),
        row.source,
        row.reference,
        row.recorded_by,
        aware(row.recorded_at),
        aware_or_none(row.effective_at),
        row.event,
        row.new,
        objection.recorded_on,
        objection.lifted_on,
        objection.numbering,
        -1 if number is None else number,
    )


# --- practices ---------------------------------------------------------------------------------------------


def enter(
    session: Session, reference: str, *, source: str, software: str, on: date, audit: Recorder
) -> Practice:
    """A practice takes part from `on`, under a code of the AQD's. Raises BadRight."""
    if not is_reference(reference):
        raise BadRight("reference")
    if session.get(models.ParticipatingPractice, reference) is not None:
        raise BadRight("known-practice")
    row = models.ParticipatingPractice(
        reference=reference,
        source=_worded(source, 200),
        software=_worded(software, SOFTWARE),
        state=PracticeState.ACTIVE.value,
        entered_on=on,
        software_since=on,
    )
    session.add(row)
    audit.record(session, "participation.enter", None, reference=reference, software=row.software)
    return _practice(row)


def change_software(
    session: Session, reference: str, *, software: str, on: date, audit: Recorder
) -> Practice:
    """The practice uses other software from `on`: its exports have a gap there, and its rows one source
    more."""
    row = _step(session, reference, PracticeStep.SOFTWARE)
    if on < row.software_since:
        raise BadRight("before")
    before, row.software, row.software_since = row.software, _worded(software, SOFTWARE), on
    audit.record(
        session, "participation.software", None, reference=reference, before=before, after=row.software
    )
    return _practice(row)


def leave(
    session: Session,
    reference: str,
    number: int,
    *,
    numbering: str,
    scope: ObjectionScope = ObjectionScope.ALL,
    source: str,
    at: datetime,
    audit: Recorder,
) -> Receipt:
    """The practice's GP withdraws: what they exported is out of every question from now on, or what they
    export from now on."""
    row = _step(session, reference, PracticeStep.LEAVE)
    row.left_on = max(at.date(), row.entered_on)
    receipt = record_objection(
        session,
        Subject.PHYSICIAN,
        number,
        numbering=numbering,
        scope=scope,
        source=source,
        reference=reference,
        at=at,
        audit=audit,
    )
    row.receipt = receipt.id
    audit.record(session, "participation.leave", None, reference=reference, receipt=receipt.id)
    return receipt


def who_may_leave(session: Session, reference: str) -> Practice:
    """The practice, if it may leave now; asked before anybody is looked up. Raises BadRight."""
    row = session.get(models.ParticipatingPractice, reference)
    if row is None:
        raise BadRight("no-practice")
    if PracticeStep.LEAVE not in PRACTICE_TRANSITIONS[PracticeState(row.state)]:
        raise BadRight("left")
    return _practice(row)


def practices(session: Session) -> list[Practice]:
    query = select(models.ParticipatingPractice).order_by(models.ParticipatingPractice.reference)
    return [_practice(row) for row in session.scalars(query)]


def _step(session: Session, reference: str, step: PracticeStep) -> models.ParticipatingPractice:
    row = session.get(models.ParticipatingPractice, reference)
    if row is None:
        raise BadRight("no-practice")
    after = PRACTICE_TRANSITIONS[PracticeState(row.state)].get(step)
    if after is None:
        raise BadRight("left")
    row.state = after.value
    return row


def _worded(text: str, longest: int) -> str:
    said = " ".join(text.split())
    if not said or len(said) > longest or not said.isprintable():
        raise BadRight("text")
    return said


def _practice(row: models.ParticipatingPractice) -> Practice:
    return Practice(
        row.reference,
        row.source,
        row.software,
        PracticeState(row.state),
        row.entered_on,
        row.software_since,
        row.left_on,
        row.receipt,
    )
