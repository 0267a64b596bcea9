"""Tables of finished runs. What must hold, holds in the database. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, DateTime, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub_config.governance.facts import AccessLevel
from hub_config.governance.models import SLUG, USER, Base, one_of
from hub_config.governance.notebooks import models as _notebooks  # noqa: F401  (a run may be of one)
from hub_config.governance.report_runs.facts import Outcome

RUN = String(16)
SHA256 = String(64)
MOMENT = DateTime(timezone=True)


class ReportRun(Base):
    """A run is written once, when it has ended, and never changed."""

    __tablename__ = "report_runs"
    __table_args__ = (
        CheckConstraint("length(id) = 12", name="id"),
        CheckConstraint("length(template) > 0", name="template"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint(one_of("access", AccessLevel), name="access"),
        CheckConstraint(one_of("outcome", Outcome), name="outcome"),
        CheckConstraint("snapshot > 0", name="snapshot"),
        CheckConstraint("ended_at >= began_at", name="order"),
    )

    id: Mapped[str] = mapped_column(RUN, primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug"), index=True)
    template: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(SHA256)
    approved: Mapped[bool]
    parameters: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(USER)
    access: Mapped[str] = mapped_column(String(16))
    snapshot: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(MOMENT)
    ended_at: Mapped[datetime] = mapped_column(MOMENT)
    outcome: Mapped[str] = mapped_column(String(16))
    requests: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    registration: Mapped[str | None] = mapped_column(RUN, ForeignKey("registered_notebooks.id"))
    undeclared: Mapped[int] = mapped_column(server_default="0")

    files: Mapped[list[ReportFile]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="ReportFile.name"
    )


class ReportFile(Base):
    __tablename__ = "report_files"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint("size >= 0", name="size"),
    )

    run: Mapped[str] = mapped_column(RUN, ForeignKey("report_runs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA256, index=True)
    size: Mapped[int]
