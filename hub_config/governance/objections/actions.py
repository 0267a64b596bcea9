"""Use cases of objections: recorded, lifted, and asked for by whoever must honour them.

One transaction of the caller's, one audit event each. The log says that there was an objection, of a patient
or of a physician; never whose. A person has at most one objection in force within a numbering: a second one
can widen it from the future to all, never the other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance import models
from hub_config.governance.facts import Objectors
from hub_config.governance.objections.facts import EVERY_NUMBERING, Objection, ObjectionScope, Subject
from hub_config.governance.problems import BadProject
from hub_config.governance.recorder import Recorder

LONGEST_REASON: Final = 400
_NUMBERED: Final[Mapping[Subject, str]] = {
    Subject.PATIENT: "patient_no",
    Subject.PHYSICIAN: "physician_no",
}

# reading


def objectors(session: Session, numbering: str) -> Objectors:
    """Everyone whose objection holds in snapshots of this numbering, by dense number. Where one person's
    objections differ in scope, the wider holds."""
    row = models.Objection
    query = select(row.patient_no, row.physician_no, row.scope, row.recorded_on).where(
        row.lifted_on.is_(None), row.numbering.in_((numbering, EVERY_NUMBERING))
    )
    whole: dict[Subject, set[int]] = {subject: set() for subject in Subject}
    until: dict[Subject, dict[int, date]] = {subject: {} for subject in Subject}
    for patient, physician, scope, day in session.execute(query):
        subject, number = _who(patient, physician)
        if ObjectionScope(scope) is ObjectionScope.ALL:
            whole[subject].add(number)
        else:
            until[subject][number] = min(day, until[subject].get(number, day))
    return Objectors(
        frozenset(whole[Subject.PATIENT]),
        frozenset(whole[Subject.PHYSICIAN]),
        _less(until[Subject.PATIENT], whole[Subject.PATIENT]),
        _less(until[Subject.PHYSICIAN], whole[Subject.PHYSICIAN]),
    )


def _less(until: Mapping[int, date], whole: set[int]) -> dict[int, date]:
    return {number: day for number, day in until.items() if number not in whole}


def objections(session: Session) -> list[Objection]:
    """The objections recorded here, lifted ones too, oldest first. Those a warehouse was loaded with are in
    its snapshots."""
    return [_facts(row) for row in session.scalars(select(models.Objection).order_by(models.Objection.id))]


# changing


def add_objection(
    session: Session,
    *,
    patient_no: int | None = None,
    physician_no: int | None = None,
    numbering: str = EVERY_NUMBERING,
    scope: ObjectionScope = ObjectionScope.ALL,
    on: date,
    audit: Recorder,
) -> bool:
    """Record that a patient, or a physician, objected: the next query honours it. False if it was on record
    already, as far-reaching as that."""
    if (patient_no is None) == (physician_no is None):
        raise BadProject("An objection is a patient's or a physician's: give one number.")
    subject, number = _who(patient_no, physician_no)
    known = _in_force(session, subject, number, numbering)
    new = known is None or (known.scope, scope) == (ObjectionScope.FUTURE.value, ObjectionScope.ALL)
    if known is None:
        who = {"patient_no": patient_no, "physician_no": physician_no}
        session.add(models.Objection(**who, numbering=numbering, scope=scope.value, recorded_on=on))
    elif new:
        known.scope = scope.value
    audit.record(session, "objection.add", None, of=subject.value, scope=scope.value, new=new)
    return new


def lift(session: Session, objection: int, *, reason: str, on: date, audit: Recorder) -> Objection:
    """Say that an objection was recorded by error, or withdrawn by who made it: from the next query on it
    holds no more, here. Snapshots made meanwhile lack the person. Raises BadProject."""
    said = " ".join(reason.split())
    row = session.get(models.Objection, objection)
    if row is None or row.lifted_on is not None:
        raise BadProject("This objection is not in force: there is nothing to lift.")
    if not said or len(said) > LONGEST_REASON:
        raise BadProject(f"Say why it is lifted, in {LONGEST_REASON} signs at most; never whose it is.")
    row.lifted_on, row.lifted_why = max(on, row.recorded_on), said
    facts = _facts(row)
    audit.record(session, "objection.lift", None, of=facts.subject.value, scope=row.scope, reason=said)
    return facts


def in_force(session: Session, subject: Subject, number: int, numbering: str) -> Objection | None:
    """This person's objection, if one holds."""
    row = _in_force(session, subject, number, numbering)
    return None if row is None else _facts(row)


def _in_force(session: Session, subject: Subject, number: int, numbering: str) -> models.Objection | None:
    row = models.Objection
    theirs = getattr(row, _NUMBERED[subject]) == number
    return session.scalars(
        select(row).where(theirs, row.numbering == numbering, row.lifted_on.is_(None))
    ).one_or_none()


def _who(patient_no: int | None, physician_no: int | None) -> tuple[Subject, int]:
    if patient_no is not None:
        return Subject.PATIENT, patient_no
    if physician_no is not None:
        return Subject.PHYSICIAN, physician_no
    raise BadProject("An objection is a patient's or a physician's: this one is nobody's.")


def _facts(row: models.Objection) -> Objection:
    subject, number = _who(row.patient_no, row.physician_no)
    scope = ObjectionScope(row.scope)
    return Objection(row.id, subject, number, row.numbering, scope, row.recorded_on, row.lifted_on)
