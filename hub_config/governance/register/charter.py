"""The charter of the people who work here: which version is in force, who accepted it.

Until a version is put in force nobody is asked. From then on `rules.why_not` opens no workspace to whoever
did not accept it; a newer version asks again. Nobody can accept for another.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub_config.governance.problems import BadPerson
from hub_config.governance.recorder import Recorder
from hub_config.governance.register.charter_texts import CHARTERS, CharterText, Language, text_of
from hub_config.governance.register.models import Acceptance, CharterInForce
from hub_config.governance.services import is_service

__all__ = [
    "CharterText",
    "accept",
    "accepted_at",
    "in_force",
    "lift",
    "must_accept",
    "put_in_force",
    "signed_by",
]


def in_force(session: Session) -> int | None:
    """The version everybody must have accepted; None where none was put in force."""
    return session.scalar(select(func.max(CharterInForce.version)).where(CharterInForce.lifted_at.is_(None)))


def must_accept(session: Session, user: str) -> CharterText | None:
    """The charter that `user` has still to accept before a workspace opens; None if nothing is asked."""
    version = in_force(session)
    if version is None or is_service(user) or session.get(Acceptance, (user, version)) is not None:
        return None
    return text_of(version)


def signed_by(session: Session, users: frozenset[str] | None) -> frozenset[str] | None:
    """Who of `users` (None: of everybody) accepted the version in force; None where none is."""
    version = in_force(session)
    if version is None:
        return None
    query = select(Acceptance.username).where(Acceptance.version == version)
    return frozenset(session.scalars(query if users is None else query.where(Acceptance.username.in_(users))))


def accepted_at(session: Session, user: str) -> tuple[int, datetime] | None:
    """The newest version that `user` accepted, and when."""
    query = select(Acceptance).where(Acceptance.username == user).order_by(Acceptance.version.desc())
    row = session.scalars(query).first()
    return None if row is None else (row.version, row.at)


def accept(session: Session, user: str, version: int, language: Language, *, audit: Recorder) -> None:
    """Record that `user` accepts. Raises BadPerson unless it is the version in force: these were the words
    they read. Accepting twice is accepting."""
    if version != in_force(session):
        raise BadPerson(f"Version {version} of the charter is not the one in force: read it again.")
    if session.get(Acceptance, (user, version)) is not None:
        return
    session.add(Acceptance(username=user, version=version, language=language, at=datetime.now(UTC)))
    audit.record(session, "charter.accept", None, user=user, version=version, language=language)


def put_in_force(session: Session, *, audit: Recorder) -> bool:
    """Ask everybody for the newest version from now on. False if it is in force already."""
    newest = CHARTERS[-1].version
    row = session.get(CharterInForce, newest)
    if row is not None and row.lifted_at is None:
        return False
    if row is None:
        row = CharterInForce(version=newest)
        session.add(row)
    row.since, row.lifted_at = datetime.now(UTC), None
    audit.record(session, "charter.in-force", None, version=newest)
    return True


def lift(session: Session, *, audit: Recorder) -> bool:
    """Ask nobody any more, until it is put in force again; who accepted stays on record. False if nothing is
    in force."""
    rows = session.scalars(select(CharterInForce).where(CharterInForce.lifted_at.is_(None))).all()
    for row in rows:
        row.lifted_at = datetime.now(UTC)
        audit.record(session, "charter.lift", None, version=row.version)
    return bool(rows)
