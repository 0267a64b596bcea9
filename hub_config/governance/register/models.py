"""Tables of the register. What must hold, holds in the database. A change here needs a migration."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, DateTime, ForeignKey, Identity, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub_config.governance.models import SLUG, USER, Base, one_of
from hub_config.governance.register.facts import Ballot, Kind, LegalBasis, Office, Scope, State, Verdict

ID = String(16)
WORD = String(24)
MOMENT = DateTime(timezone=True)
_OF_DOSSIER = "register_dossiers.id"


class Dossier(Base):
    """One request, as typed so far; complete from its submission on."""

    __tablename__ = "register_dossiers"
    __table_args__ = (
        CheckConstraint(one_of("kind", Kind), name="kind"),
        CheckConstraint(one_of("state", State), name="state"),
        CheckConstraint("round >= 0", name="round"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR project IS NOT NULL", name="project"),
        CheckConstraint("state IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL", name="submitted"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[str] = mapped_column(WORD)
    project: Mapped[str | None] = mapped_column(
        SLUG, ForeignKey("projects.slug", ondelete="CASCADE"), index=True
    )
    requester: Mapped[str] = mapped_column(USER, index=True)
    state: Mapped[str] = mapped_column(WORD, index=True)
    round: Mapped[int]
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(MOMENT)
    saved_at: Mapped[datetime] = mapped_column(MOMENT)
    submitted_at: Mapped[datetime | None] = mapped_column(MOMENT)
    closed_at: Mapped[datetime | None] = mapped_column(MOMENT)
    version: Mapped[int] = mapped_column()  # two tabs: the second is told to look again

    votes: Mapped[list[VoteRow]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    conflicts: Mapped[list[ConflictRow]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    reserves: Mapped[list[ReserveRow]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ReserveRow.id"
    )
    opinions: Mapped[list[OpinionRow]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="OpinionRow.at"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (SQLAlchemy's own declaration)


class VoteRow(Base):
    """One member's ballot in one round. A member votes once a round."""

    __tablename__ = "register_votes"
    __table_args__ = (CheckConstraint(one_of("ballot", Ballot), name="ballot"),)

    dossier: Mapped[str] = mapped_column(ID, ForeignKey(_OF_DOSSIER, ondelete="CASCADE"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(USER, primary_key=True)
    ballot: Mapped[str] = mapped_column(WORD)
    comment: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(MOMENT)


class ConflictRow(Base):
    __tablename__ = "register_conflicts"
    __table_args__ = (CheckConstraint("length(reason) > 0", name="reason"),)

    dossier: Mapped[str] = mapped_column(ID, ForeignKey(_OF_DOSSIER, ondelete="CASCADE"), primary_key=True)
    username: Mapped[str] = mapped_column(USER, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(MOMENT)


class ReserveRow(Base):
    """A condition. Lifted by somebody, for a reason, or not at all."""

    __tablename__ = "register_reserves"
    __table_args__ = (
        CheckConstraint("length(text) > 0", name="text"),
        CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL OR length(lifted_because) > 0)",
            name="lifted",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    dossier: Mapped[str] = mapped_column(ID, ForeignKey(_OF_DOSSIER, ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(USER)
    at: Mapped[datetime] = mapped_column(MOMENT)
    answer: Mapped[str] = mapped_column(Text, default="")
    lifted_by: Mapped[str | None] = mapped_column(USER)
    lifted_at: Mapped[datetime | None] = mapped_column(MOMENT)
    lifted_because: Mapped[str] = mapped_column(Text, default="")


class OpinionRow(Base):
    """What one office decided in one round, with its reason: once, never changed."""

    __tablename__ = "register_opinions"
    __table_args__ = (
        CheckConstraint(one_of("office", Office), name="office"),
        CheckConstraint(one_of("verdict", Verdict), name="verdict"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )

    dossier: Mapped[str] = mapped_column(ID, ForeignKey(_OF_DOSSIER, ondelete="CASCADE"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    office: Mapped[str] = mapped_column(WORD, primary_key=True)
    verdict: Mapped[str] = mapped_column(WORD)
    by: Mapped[str] = mapped_column(USER)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(MOMENT)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Entry(Base):
    """A project in the register of processing. A regional one names the lead whose region it is."""

    __tablename__ = "register_entries"
    __table_args__ = (
        CheckConstraint(one_of("scope", Scope), name="scope"),
        CheckConstraint(one_of("legal_basis", LegalBasis), name="legal_basis"),
        CheckConstraint("scope <> 'regional' OR lead IS NOT NULL", name="lead"),
    )

    project: Mapped[str] = mapped_column(
        SLUG, ForeignKey("projects.slug", ondelete="CASCADE"), primary_key=True
    )
    scope: Mapped[str] = mapped_column(WORD)
    responsible: Mapped[str] = mapped_column(USER, index=True)
    director: Mapped[str] = mapped_column(String(200))
    protocol: Mapped[str] = mapped_column(Text)
    legal_basis: Mapped[str] = mapped_column(WORD)
    legal_reference: Mapped[str] = mapped_column(String(200), default="")
    retention: Mapped[str] = mapped_column(Text, default="")
    dpia: Mapped[str] = mapped_column(String(200), default="")
    lay_fr: Mapped[str] = mapped_column(Text, default="")
    lay_en: Mapped[str] = mapped_column(Text, default="")
    lead: Mapped[str | None] = mapped_column(USER)
    review_due: Mapped[date | None] = mapped_column(Date)
    dossier: Mapped[str | None] = mapped_column(ID, ForeignKey(_OF_DOSSIER))


class AccessReview(Base):
    """That a project's members were confirmed, by whom, and how many stayed."""

    __tablename__ = "register_access_reviews"
    __table_args__ = (Index("ix_register_access_reviews_project", "project"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug", ondelete="CASCADE"))
    due_on: Mapped[date | None] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(MOMENT)
    by: Mapped[str] = mapped_column(USER)
    kept: Mapped[int]
    removed: Mapped[int]


class Lead(Base):
    """Who leads which centre, as the committee or the administrator named them."""

    __tablename__ = "register_leads"

    username: Mapped[str] = mapped_column(USER, primary_key=True)
    centre: Mapped[str] = mapped_column(String(64), primary_key=True)
    named_by: Mapped[str] = mapped_column(USER)
    named_at: Mapped[datetime] = mapped_column(MOMENT)


class Acquaintance(Base):
    """Somebody who logged in once: whom a project's responsible may add."""

    __tablename__ = "register_people"

    username: Mapped[str] = mapped_column(USER, primary_key=True)
    full_name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(JSON)
    seen_at: Mapped[datetime] = mapped_column(MOMENT)


class CharterInForce(Base):
    """A version of the charter, since when everyone must have accepted it, and until when."""

    __tablename__ = "register_charters"
    __table_args__ = (CheckConstraint("version > 0", name="version"),)

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(MOMENT)
    lifted_at: Mapped[datetime | None] = mapped_column(MOMENT)


class Acceptance(Base):
    """That a person accepted a version of the charter, in which language they read it, and when."""

    __tablename__ = "register_acceptances"
    __table_args__ = (CheckConstraint("language IN ('fr', 'en')", name="language"),)

    username: Mapped[str] = mapped_column(USER, primary_key=True)
    version: Mapped[int] = mapped_column(ForeignKey("register_charters.version"), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    at: Mapped[datetime] = mapped_column(MOMENT)


class Leaver(Base):
    """Somebody who left: out everywhere until they are taken back."""

    __tablename__ = "register_leavers"

    username: Mapped[str] = mapped_column(USER, primary_key=True)
    left_at: Mapped[datetime] = mapped_column(MOMENT)
    by: Mapped[str] = mapped_column(USER)
    reason: Mapped[str] = mapped_column(Text, default="")
