"""Tables of the governance store. What must hold, holds in the database: its constraints refuse what the
actions forgot.

The actions turn rows into the frozen values of `facts`; nothing else reads these classes. A change here
needs a migration.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from hub_config.governance.charter import MemberRole
from hub_config.governance.facts import AccessLevel, ProjectStatus
from hub_config.governance.objections.facts import ObjectionScope

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}
SLUG = String(40)
USER = String(64)


def one_of(column: str, vocabulary: type[StrEnum]) -> str:
    """SQL that holds `column` to a closed vocabulary."""
    return f"{column} IN ({', '.join(repr(member.value) for member in vocabulary)})"


def _one_in_force(column: str) -> Index:
    """Of a person, within a numbering: those that were lifted stay on record beside it."""
    alive = text("lifted_on IS NULL")
    return Index(
        f"ix_objections_{column}",
        "numbering",
        column,
        unique=True,
        sqlite_where=alive,
        postgresql_where=alive,
    )


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Project(Base):
    """A purpose, its status, and the snapshot it works on, or was founded on where it follows a population.

    `policy` holds what the project's policy tightens; its two thresholds stand in columns of their own, where
    the database itself holds the floor.
    """

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("length(slug) >= 3 AND slug = lower(slug)", name="slug"),
        CheckConstraint("length(title) > 0", name="title"),
        CheckConstraint("length(purpose) > 0", name="purpose"),
        CheckConstraint(one_of("status", ProjectStatus), name="status"),
        CheckConstraint("snapshot > 0", name="snapshot"),
        CheckConstraint("rolling IS NULL OR length(rolling) > 0", name="rolling"),
        CheckConstraint("min_patients IS NULL OR min_patients >= 11", name="min_patients"),
        CheckConstraint("min_physicians IS NULL OR min_physicians >= 3", name="min_physicians"),
    )

    slug: Mapped[str] = mapped_column(SLUG, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    snapshot: Mapped[int]
    rolling: Mapped[str | None] = mapped_column(String(200))  # the population it follows; NULL: it is pinned
    open_to_all: Mapped[bool]
    min_patients: Mapped[int | None]
    min_physicians: Mapped[int | None]
    policy: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column()  # two operators at once: the second is told to look again

    grant: Mapped[Grant] = relationship(cascade="all, delete-orphan", lazy="joined", innerjoin=True)
    members: Mapped[list[Member]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="Member.username"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class Grant(Base):
    """What the project may see: one grant a project. `tables` and `centres` are checked against the
    catalogue on the way in."""

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint(one_of("access", AccessLevel), name="access"),
        CheckConstraint("date_from IS NULL OR date_to IS NULL OR date_from <= date_to", name="dates"),
        CheckConstraint("length(legal_basis) > 0", name="legal_basis"),
    )

    project: Mapped[str] = mapped_column(
        SLUG, ForeignKey("projects.slug", ondelete="CASCADE"), primary_key=True
    )
    access: Mapped[str] = mapped_column(String(16))
    tables: Mapped[dict[str, list[str] | None]] = mapped_column(JSON)
    centres: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    date_from: Mapped[date | None] = mapped_column(Date)
    date_to: Mapped[date | None] = mapped_column(Date)
    expires_on: Mapped[date | None] = mapped_column(Date)
    legal_basis: Mapped[str] = mapped_column(String(200))
    snds: Mapped[bool]
    recontact: Mapped[bool] = mapped_column(default=False, server_default=false())


class Member(Base):
    """One person in one project, by the name the identity provider gives."""

    __tablename__ = "members"
    __table_args__ = (
        CheckConstraint(one_of("role", MemberRole), name="role"),
        CheckConstraint("length(username) > 0 AND username = lower(username)", name="username"),
    )

    project: Mapped[str] = mapped_column(
        SLUG, ForeignKey("projects.slug", ondelete="CASCADE"), primary_key=True
    )
    username: Mapped[str] = mapped_column(USER, primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(32))
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Departure(Base):
    """That somebody worked in a project once, and was shown what it asked. They may be members again. DIM
    physicians, whom no answer is compared for, are not listed."""

    __tablename__ = "departures"

    project: Mapped[str] = mapped_column(
        SLUG, ForeignKey("projects.slug", ondelete="CASCADE"), primary_key=True
    )
    username: Mapped[str] = mapped_column(USER, primary_key=True, index=True)
    left_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Objection(Base):
    """A patient, or a physician with all their patients, whose rows no query sees any more. The number is one
    person's within its `numbering`, where at most one objection of theirs is in force."""

    __tablename__ = "objections"
    __table_args__ = (
        CheckConstraint("(patient_no IS NULL) <> (physician_no IS NULL)", name="exactly_one"),
        CheckConstraint("coalesce(patient_no, physician_no) >= 0", name="number"),
        CheckConstraint("length(numbering) > 0", name="numbering"),
        CheckConstraint(one_of("scope", ObjectionScope), name="scope"),
        CheckConstraint("(lifted_on IS NULL) = (lifted_why = '')", name="lifted"),
        CheckConstraint("lifted_on IS NULL OR lifted_on >= recorded_on", name="order"),
        _one_in_force("patient_no"),
        _one_in_force("physician_no"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    patient_no: Mapped[int | None]
    physician_no: Mapped[int | None]
    numbering: Mapped[str] = mapped_column(String(200))
    scope: Mapped[str] = mapped_column(String(16))
    recorded_on: Mapped[date] = mapped_column(Date)
    lifted_on: Mapped[date | None] = mapped_column(Date)
    lifted_why: Mapped[str] = mapped_column(Text, default="")
