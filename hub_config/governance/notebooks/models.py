"""The table of registered notebooks. What must hold, holds in the database; a change needs a migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub_config.governance.facts import AccessLevel
from hub_config.governance.models import SLUG, USER, Base, one_of
from hub_config.governance.notebooks.facts import NotebookState

_OPEN = text("state IN ('asked', 'approved')")


class RegisteredNotebook(Base):
    """`content` is written once. Nobody decides on what they asked for; of a project's open ones, each has a
    name of its own."""

    __tablename__ = "registered_notebooks"
    __table_args__ = (
        CheckConstraint("length(id) > 2", name="id"),
        CheckConstraint("length(name) > 2", name="name"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        CheckConstraint(one_of("access", AccessLevel), name="access"),
        CheckConstraint(one_of("state", NotebookState), name="state"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="own"),
        CheckConstraint(
            "state NOT IN ('approved', 'refused') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name="decided",
        ),
        CheckConstraint("state <> 'withdrawn' OR ended_by IS NOT NULL", name="ended"),
        Index(
            "ix_registered_notebooks_open_name",
            "project",
            "name",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    project: Mapped[str] = mapped_column(SLUG, ForeignKey("projects.slug"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    purpose: Mapped[str] = mapped_column(Text)
    access: Mapped[str] = mapped_column(String(16))
    outputs: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    asked_by: Mapped[str] = mapped_column(USER)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None] = mapped_column(USER)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    ended_by: Mapped[str | None] = mapped_column(USER)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
