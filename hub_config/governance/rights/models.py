"""Tables of the rights. What must hold, holds in the database. A change here needs a migration."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Date, DateTime, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub_config.governance.models import SLUG, USER, Base, one_of
from hub_config.governance.objections.facts import ObjectionScope, Subject
from hub_config.governance.rights.facts import EntryKind, EntryState, PracticeState, Right, RightState

ID = String(16)
SOURCE = String(200)
REFERENCE = String(40)
MOMENT = DateTime(timezone=True)


class ObjectionReceipt(Base):
    """Of an objection: who recorded it, when, and the hash of its audit event. It names nobody: `objection`
    is a dense number's."""

    __tablename__ = "objection_receipts"
    __table_args__ = (
        CheckConstraint(one_of("subject", Subject), name="subject"),
        CheckConstraint(one_of("scope", ObjectionScope), name="scope"),
        CheckConstraint("length(event) = 64", name="event"),
        CheckConstraint("effective_at IS NULL OR effective_at >= recorded_at", name="effective"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    objection: Mapped[int] = mapped_column(ForeignKey("objections.id"), index=True)
    subject: Mapped[str] = mapped_column(String(16))
    scope: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(SOURCE)
    reference: Mapped[str] = mapped_column(REFERENCE)
    recorded_by: Mapped[str] = mapped_column(USER)
    recorded_at: Mapped[datetime] = mapped_column(MOMENT, index=True)
    effective_at: Mapped[datetime | None] = mapped_column(MOMENT)
    event: Mapped[str] = mapped_column(String(64))
    new: Mapped[bool]


class Erasure(Base):
    """That somebody was asked to erase the copies they made, in a project, of rows that an objector's may be
    among; and that it was done. It names the holder, and of the objector no more than the receipt does."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("(done_by IS NULL) = (done_at IS NULL)", name="done"),
        CheckConstraint("done_at IS NULL OR done_at >= asked_at", name="order"),
    )

    receipt: Mapped[str] = mapped_column(ID, ForeignKey("objection_receipts.id"), primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug"), primary_key=True)
    username: Mapped[str] = mapped_column(USER, primary_key=True, index=True)
    held_until: Mapped[datetime] = mapped_column(MOMENT)
    asked_by: Mapped[str] = mapped_column(USER)
    asked_at: Mapped[datetime] = mapped_column(MOMENT)
    done_by: Mapped[str | None] = mapped_column(USER)
    done_at: Mapped[datetime | None] = mapped_column(MOMENT)


class ParticipatingPractice(Base):
    __tablename__ = "practices"
    __table_args__ = (
        CheckConstraint("length(reference) > 0", name="reference"),
        CheckConstraint(one_of("state", PracticeState), name="state"),
        CheckConstraint("(state = 'left') = (left_on IS NOT NULL)", name="left"),
        CheckConstraint("left_on IS NULL OR left_on >= entered_on", name="order"),
        CheckConstraint("software_since >= entered_on", name="software"),
    )

    reference: Mapped[str] = mapped_column(REFERENCE, primary_key=True)
    source: Mapped[str] = mapped_column(SOURCE)
    software: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    entered_on: Mapped[date] = mapped_column(Date)
    software_since: Mapped[date] = mapped_column(Date)
    left_on: Mapped[date | None] = mapped_column(Date)
    receipt: Mapped[str | None] = mapped_column(ID, ForeignKey("objection_receipts.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class RightsRequest(Base):
    __tablename__ = "rights_requests"
    __table_args__ = (
        CheckConstraint(one_of("kind", Right), name="kind"),
        CheckConstraint(one_of("state", RightState), name="state"),
        CheckConstraint("due_on > received_on", name="due"),
        CheckConstraint(
            "(state IN ('answered', 'refused', 'withdrawn')) = (closed_on IS NOT NULL)", name="closed"
        ),
        CheckConstraint("state NOT IN ('extended', 'refused') OR length(reason) > 0", name="reason"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(REFERENCE)
    received_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date, index=True)
    state: Mapped[str] = mapped_column(String(16))
    assigned_to: Mapped[str] = mapped_column(USER)
    opened_at: Mapped[datetime] = mapped_column(MOMENT)
    closed_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text, default="")
    receipt: Mapped[str | None] = mapped_column(ID, ForeignKey("objection_receipts.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class IncomingFile(Base):
    """A file that asks to come in. Nobody accepts their own where a look is needed: the database knows."""

    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint(one_of("kind", EntryKind), name="kind"),
        CheckConstraint(one_of("state", EntryState), name="state"),
        CheckConstraint("length(name) > 0", name="name"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("length(purpose) > 0", name="purpose"),
        CheckConstraint("looked_by IS NULL OR looked_by <> requester", name="own"),
        CheckConstraint("kind <> 'table' OR state <> 'accepted' OR looked_by IS NOT NULL", name="looked"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug"), index=True)
    requester: Mapped[str] = mapped_column(USER)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    purpose: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    findings: Mapped[list[str]] = mapped_column(JSON, default=list)
    submitted_at: Mapped[datetime] = mapped_column(MOMENT)
    looked_by: Mapped[str | None] = mapped_column(USER)
    looked_at: Mapped[datetime | None] = mapped_column(MOMENT)
    reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)
