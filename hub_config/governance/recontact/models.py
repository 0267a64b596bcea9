"""Tables of re-contact. What must hold, holds in the database. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from hub_config.governance.models import SLUG, USER, Base, one_of
from hub_config.governance.recontact.facts import RequestState

ID = String(16)
MOMENT = DateTime(timezone=True)
_IN_FORCE = text("confirmed_by IS NOT NULL AND ended_at IS NULL")


class PracticeKey(Base):
    """A practice's public key. Nobody confirms the one they recorded: the database knows."""

    __tablename__ = "practice_keys"
    __table_args__ = (
        CheckConstraint("length(fingerprint) = 30", name="fingerprint"),
        CheckConstraint("physician_no >= 0", name="physician"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> recorded_by", name="four_eyes"),
        Index(
            "ix_practice_keys_in_force",
            "numbering",
            "physician_no",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    practice: Mapped[str] = mapped_column(String(40), ForeignKey("practices.reference"), index=True)
    source: Mapped[str] = mapped_column(String(200))
    numbering: Mapped[str] = mapped_column(String(200))
    physician_no: Mapped[int]
    public_key: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(30))
    recorded_by: Mapped[str] = mapped_column(USER)
    recorded_at: Mapped[datetime] = mapped_column(MOMENT)
    confirmed_by: Mapped[str | None] = mapped_column(USER)
    confirmed_at: Mapped[datetime | None] = mapped_column(MOMENT)
    ended_at: Mapped[datetime | None] = mapped_column(MOMENT)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class RecontactRequest(Base):
    """Nobody decides on their own. `definition` and `tables`: whom it selects, in the gateway's words."""

    __tablename__ = "recontacts"
    __table_args__ = (
        CheckConstraint(one_of("state", RequestState), name="state"),
        CheckConstraint("length(title) > 0 AND length(protocol) > 0", name="said"),
        CheckConstraint("length(definition) > 0", name="defined"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="own"),
        CheckConstraint("state NOT IN ('approved', 'announced') OR decided_by IS NOT NULL", name="approved"),
        CheckConstraint("state <> 'refused' OR length(reason) > 0", name="reason"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug"), index=True)
    requested_by: Mapped[str] = mapped_column(USER)
    title: Mapped[str] = mapped_column(String(120))
    protocol: Mapped[str] = mapped_column(Text)
    definition: Mapped[str] = mapped_column(Text)
    tables: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[int]
    numbering: Mapped[str] = mapped_column(String(200))
    synthetic: Mapped[bool]
    patients: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    requested_at: Mapped[datetime] = mapped_column(MOMENT)
    decided_by: Mapped[str | None] = mapped_column(USER)
    decided_at: Mapped[datetime | None] = mapped_column(MOMENT)
    reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class RecontactPatient(Base):
    """The list itself, by dense number; it goes when the request ends."""

    __tablename__ = "recontact_patients"

    request: Mapped[str] = mapped_column(
        ID, ForeignKey("recontacts.id", ondelete="CASCADE"), primary_key=True
    )
    patient_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    physician_no: Mapped[int | None] = mapped_column(index=True)


class RecontactFetch(Base):
    """That a practice's file was last taken, by whom."""

    __tablename__ = "recontact_fetches"

    request: Mapped[str] = mapped_column(ID, ForeignKey("recontacts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(ID, ForeignKey("practice_keys.id"), primary_key=True)
    fetched_by: Mapped[str] = mapped_column(USER)
    fetched_at: Mapped[datetime] = mapped_column(MOMENT)
