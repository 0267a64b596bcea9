"""Use cases of practices' keys: recorded by one person, confirmed by another, replaced.

Whoever holds the private key reads every list sealed with the public one; so the two people compare the
fingerprint that the GP reads aloud with the key's, each for themselves, by typing it: a click would compare
nothing. Both type the GP's identifier, too: a genuine key that one person alone bound to another GP would
open that GP's lists. One transaction of the caller's, one audit event each; a new key ends the one before
when it is confirmed, and opens nothing that was sealed for it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.recontact import models
from hub_config.governance.recontact.facts import PracticeKey
from hub_config.governance.recontact.problems import BadRecontact, Why
from hub_config.governance.recorder import Recorder
from hub_config.governance.rights.actions import fresh_id
from hub_config.governance.rights.facts import PracticeState
from hub_config.governance.rights.models import ParticipatingPractice

# reading


def keys(session: Session) -> list[PracticeKey]:
    """All of them, by practice, the newest first."""
    row = models.PracticeKey
    found = select(row).order_by(row.practice, row.recorded_at.desc())
    return [facts_of(each) for each in session.scalars(found)]


def keys_in_force(session: Session, numbering: str) -> list[PracticeKey]:
    """With which lists in this numbering are sealed; none of who left."""
    practice, row = ParticipatingPractice, models.PracticeKey
    query = (
        select(row)
        .join(practice, practice.reference == row.practice)
        .where(
            row.numbering == numbering,
            row.confirmed_by.is_not(None),
            row.ended_at.is_(None),
            practice.state == PracticeState.ACTIVE.value,
        )
        .order_by(row.practice)
    )
    return [facts_of(each) for each in session.scalars(query)]


def key_of(session: Session, key: str) -> PracticeKey:
    return facts_of(_row(session, key))


# changing


def record_key(
    session: Session,
    practice: str,
    public_key: str,
    physician_no: int,
    *,
    fingerprint: str,
    heard: str,
    numbering: str,
    at: datetime,
    audit: Recorder,
) -> PracticeKey:
    """A practice's key, whose `fingerprint` is what was `heard`. Nothing is sealed with it before it is
    confirmed. Raises BadRecontact."""
    found = session.get(ParticipatingPractice, practice)
    if found is None or found.state != PracticeState.ACTIVE.value:
        raise BadRecontact(Why.NO_PRACTICE)
    _require_own_gp(session, practice, physician_no, numbering)
    require_heard(fingerprint, heard)
    row = models.PracticeKey(
        id=fresh_id("K"),
        practice=practice,
        source=found.source,
        numbering=numbering,
        physician_no=physician_no,
        public_key=public_key,
        fingerprint=fingerprint,
        recorded_by=audit.who,
        recorded_at=at,
    )
    session.add(row)
    audit.record(session, "recontact.key", None, key=row.id, practice=practice, fingerprint=fingerprint)
    return facts_of(row)


def check_may_confirm(session: Session, key: str, heard: str, *, who: str) -> PracticeKey:
    """All but whose it is: to be asked before a GP is looked up. Raises BadRecontact."""
    row = _row(session, key)
    if row.confirmed_by is not None or row.ended_at is not None:
        raise BadRecontact(Why.STEP)
    if row.recorded_by == who:
        raise BadRecontact(Why.OWN)
    require_heard(row.fingerprint, heard)
    return facts_of(row)


def confirm_key(
    session: Session,
    key: str,
    heard: str,
    physician_no: int,
    *,
    numbering: str,
    at: datetime,
    audit: Recorder,
) -> PracticeKey:
    """Somebody else heard it, too, and whose it is: it takes the place of the one before. Raises
    BadRecontact."""
    check_may_confirm(session, key, heard, who=audit.who)
    row = _row(session, key)
    if (row.physician_no, row.numbering) != (physician_no, numbering):
        raise BadRecontact(Why.FINGERPRINT)
    for before in _others(session, row):
        before.ended_at = at
    session.flush()
    row.confirmed_by, row.confirmed_at = audit.who, at
    said = {"key": key, "practice": row.practice, "fingerprint": row.fingerprint}
    audit.record(session, "recontact.confirm-key", None, **said)
    return facts_of(row)


def end_key(session: Session, key: str, *, at: datetime, audit: Recorder) -> PracticeKey:
    """Lost, or read by somebody else: nothing more is sealed with it."""
    row = _row(session, key)
    if row.ended_at is not None:
        raise BadRecontact(Why.STEP)
    row.ended_at = at
    audit.record(session, "recontact.end-key", None, key=key, practice=row.practice)
    return facts_of(row)


def _require_own_gp(session: Session, practice: str, physician_no: int, numbering: str) -> None:
    """A GP's patients are never sealed for another practice: neither by a slip, nor on purpose. A key that
    was ended holds nobody's place."""
    row, other = models.PracticeKey, ParticipatingPractice
    theirs = (
        select(row.id)
        .join(other, other.reference == row.practice)
        .where(
            row.numbering == numbering,
            row.physician_no == physician_no,
            row.practice != practice,
            row.ended_at.is_(None),
            other.state == PracticeState.ACTIVE.value,
        )
    )
    if session.scalars(theirs.limit(1)).first() is not None:
        raise BadRecontact(Why.OTHERS_GP)


def _others(session: Session, row: models.PracticeKey) -> list[models.PracticeKey]:
    """The GP's keys that are in force, or wait to be."""
    other = models.PracticeKey
    query = select(other).where(
        other.numbering == row.numbering,
        other.physician_no == row.physician_no,
        other.id != row.id,
        other.ended_at.is_(None),
    )
    return list(session.scalars(query))


def require_heard(fingerprint: str, heard: str) -> None:
    """Raises BadRecontact unless it is what was heard, however it was grouped."""
    if "".join(heard.split()) != fingerprint:
        raise BadRecontact(Why.FINGERPRINT)


def _row(session: Session, key: str) -> models.PracticeKey:
    row = session.get(models.PracticeKey, key)
    if row is None:
        raise BadRecontact(Why.NO_KEY)
    return row


def facts_of(row: models.PracticeKey) -> PracticeKey:
    return PracticeKey(
        id=row.id,
        practice=row.practice,
        source=row.source,
        numbering=row.numbering,
        physician_no=row.physician_no,
        public_key=row.public_key,
        fingerprint=row.fingerprint,
        recorded_by=row.recorded_by,
        recorded_at=aware(row.recorded_at),
        confirmed_by=row.confirmed_by,
        ended_at=aware_or_none(row.ended_at),
    )
