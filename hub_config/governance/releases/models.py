"""Tables of the airlock. What must hold, holds in the database: one vote a person that stands, no release
without its record.

The airlock's actions write them; `reading` turns them into facts. A change here needs a migration.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub_config.governance.models import SLUG, USER, Base, one_of
from hub_config.governance.releases.facts import CheckState, OutputClass, State, Verdict

REQUEST = String(16)
SHA256 = String(64)
MOMENT = DateTime(timezone=True)
STANDING = text("standing")


class ReleaseRequest(Base):
    __tablename__ = "release_requests"
    __table_args__ = (
        CheckConstraint("length(id) >= 6", name="id"),
        CheckConstraint("length(title) > 0", name="title"),
        CheckConstraint(one_of("state", State), name="state"),
        CheckConstraint("looks_needed BETWEEN 0 AND 2", name="looks_needed"),
        CheckConstraint("submitted_at IS NOT NULL OR state IN ('draft', 'withdrawn')", name="submitted"),
        CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released"),
        CheckConstraint("(recalled_at IS NULL) OR (state = 'released')", name="recalled"),
        Index("ix_release_requests_state", "state", "submitted_at"),
        Index("ix_release_requests_project", "project", "state"),
        Index("ix_release_requests_requester", "requester", "created_at"),
    )

    id: Mapped[str] = mapped_column(REQUEST, primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug"))
    requester: Mapped[str] = mapped_column(USER)
    title: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(Text)
    context: Mapped[str] = mapped_column(Text)
    controls: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    looks_needed: Mapped[int] = mapped_column(default=2)
    round: Mapped[int] = mapped_column(default=1)
    previous: Mapped[str | None] = mapped_column(REQUEST, ForeignKey("release_requests.id"))
    members_then: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(MOMENT)
    touched_at: Mapped[datetime] = mapped_column(MOMENT)
    submitted_at: Mapped[datetime | None] = mapped_column(MOMENT)
    decided_at: Mapped[datetime | None] = mapped_column(MOMENT)
    released_at: Mapped[datetime | None] = mapped_column(MOMENT)
    recalled_at: Mapped[datetime | None] = mapped_column(MOMENT)
    recalled_by: Mapped[str | None] = mapped_column(USER)
    recall_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column()  # two at once: the second is told to look again

    files: Mapped[list[ReleaseFile]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ReleaseFile.number"
    )
    reviews: Mapped[list[ReleaseReview]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ReleaseReview.id"
    )
    comments: Mapped[list[ReleaseComment]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ReleaseComment.id"
    )
    assignments: Mapped[list[ReleaseAssignment]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ReleaseAssignment.reviewer"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class ReleaseFile(Base):
    __tablename__ = "release_files"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("length(name) > 0", name="name"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("length(kind) > 0", name="kind"),
        CheckConstraint(one_of("output_class", OutputClass), name="output_class"),
        CheckConstraint(one_of("checked", CheckState), name="checked"),
    )

    request: Mapped[str] = mapped_column(
        REQUEST, ForeignKey("release_requests.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(SHA256, index=True)
    size: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    output_class: Mapped[str] = mapped_column(String(16))
    checked: Mapped[str] = mapped_column(String(16))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    checker: Mapped[str] = mapped_column(String(64), default="")
    explanations: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)


class ReleaseReview(Base):
    """A vote. It stops to stand when its files change or its reviewer votes anew; it stays on record."""

    __tablename__ = "release_reviews"
    __table_args__ = (
        CheckConstraint(one_of("verdict", Verdict), name="verdict"),
        CheckConstraint("length(seal) = 64", name="seal"),
        CheckConstraint("round >= 1", name="round"),
        Index(
            "uq_release_reviews_standing",
            "request",
            "reviewer",
            unique=True,
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
        Index("ix_release_reviews_request", "request"),
        Index("ix_release_reviews_reviewer", "reviewer", "at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(REQUEST, ForeignKey("release_requests.id", ondelete="CASCADE"))
    reviewer: Mapped[str] = mapped_column(USER)
    role: Mapped[str] = mapped_column(String(24), default="")
    verdict: Mapped[str] = mapped_column(String(16))
    files: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    comment: Mapped[str] = mapped_column(Text, default="")
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    seal: Mapped[str] = mapped_column(SHA256)
    round: Mapped[int]
    at: Mapped[datetime] = mapped_column(MOMENT)
    standing: Mapped[bool] = mapped_column(default=True)


class ReleaseComment(Base):
    __tablename__ = "release_comments"
    __table_args__ = (
        CheckConstraint("length(text) > 0", name="text"),
        CheckConstraint("NOT (private AND question)", name="question"),
        Index("ix_release_comments_request", "request"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(REQUEST, ForeignKey("release_requests.id", ondelete="CASCADE"))
    author: Mapped[str] = mapped_column(USER)
    at: Mapped[datetime] = mapped_column(MOMENT)
    text: Mapped[str] = mapped_column(Text)
    private: Mapped[bool]
    question: Mapped[bool]
    answers: Mapped[int | None] = mapped_column(ForeignKey("release_comments.id"))
    file: Mapped[int | None]


class ReleaseAssignment(Base):
    """Who is expected to look. Whoever else may review can look as well: this is a list of things to do."""

    __tablename__ = "release_assignments"

    request: Mapped[str] = mapped_column(
        REQUEST, ForeignKey("release_requests.id", ondelete="CASCADE"), primary_key=True
    )
    reviewer: Mapped[str] = mapped_column(USER, primary_key=True, index=True)
    assigned_at: Mapped[datetime] = mapped_column(MOMENT)
    reminded_at: Mapped[datetime | None] = mapped_column(MOMENT)


class ReleaseRecord(Base):
    """What was checked, by which version, by whom: written with the release, never changed."""

    __tablename__ = "release_records"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256"),)

    request: Mapped[str] = mapped_column(REQUEST, ForeignKey("release_requests.id"), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(MOMENT)
    sha256: Mapped[str] = mapped_column(SHA256)
    document: Mapped[str] = mapped_column(Text)


class ReleaseDownload(Base):
    __tablename__ = "release_downloads"
    __table_args__ = (Index("ix_release_downloads_request", "request"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(REQUEST, ForeignKey("release_requests.id"))
    file: Mapped[int]
    by: Mapped[str] = mapped_column(USER)
    at: Mapped[datetime] = mapped_column(MOMENT)


class Reviewer(Base):
    """A physician whom the CSE named. Who is taken off stays on record."""

    __tablename__ = "reviewers"
    __table_args__ = (
        CheckConstraint("length(username) > 0 AND username = lower(username)", name="username"),
    )

    username: Mapped[str] = mapped_column(USER, primary_key=True)
    named_by: Mapped[str] = mapped_column(USER)
    named_at: Mapped[datetime] = mapped_column(MOMENT)
    removed_at: Mapped[datetime | None] = mapped_column(MOMENT)


class ReviewerAbsence(Base):
    __tablename__ = "reviewer_absences"
    __table_args__ = (CheckConstraint("first <= last", name="dates"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    reviewer: Mapped[str] = mapped_column(USER, index=True)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)


class ReviewerDelegation(Base):
    __tablename__ = "reviewer_delegations"
    __table_args__ = (
        CheckConstraint("first <= last", name="dates"),
        CheckConstraint("reviewer <> delegate", name="somebody_else"),
        CheckConstraint("delegate = lower(delegate)", name="username"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    reviewer: Mapped[str] = mapped_column(USER, index=True)
    delegate: Mapped[str] = mapped_column(USER, index=True)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    named_at: Mapped[datetime] = mapped_column(MOMENT)


class RowHolder(Base):
    """That somebody held rows of people in a project whose grant has since become narrower."""

    __tablename__ = "row_holders"

    project: Mapped[str] = mapped_column(
        SLUG, ForeignKey("projects.slug", ondelete="CASCADE"), primary_key=True
    )
    username: Mapped[str] = mapped_column(USER, primary_key=True, index=True)
    until: Mapped[datetime] = mapped_column(MOMENT)
