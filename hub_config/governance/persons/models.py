"""The table of the register. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub_config.governance.models import USER, Base, one_of
from hub_config.governance.persons.facts import Standing

SOURCE = String(200)


class Person(Base):
    """One login's number in one source. Nobody is two in a source, and no number is two people's."""

    __tablename__ = "persons"
    __table_args__ = (
        CheckConstraint("length(username) > 0 AND username = lower(username)", name="username"),
        CheckConstraint("length(source) > 0", name="source"),
        CheckConstraint(one_of("standing", Standing), name="standing"),
        CheckConstraint("number >= 0", name="number"),
        UniqueConstraint("source", "standing", "number"),
    )

    username: Mapped[str] = mapped_column(USER, primary_key=True)
    source: Mapped[str] = mapped_column(SOURCE, primary_key=True)
    standing: Mapped[str] = mapped_column(String(16))
    number: Mapped[int]
    linked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
