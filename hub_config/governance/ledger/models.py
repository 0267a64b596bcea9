"""Tables of the ledger. Rows are only ever added; the one that changes is the head, which every writer locks.

An answer chains to the one before it: its link is a hash of that one's, of all its columns, its audience and
the checksums of its groups. The head repeats how many answers there are and the last link, so a row that is
missing or changed is found.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub_config.governance.models import SLUG, USER, Base

NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER only


class Answer(Base):
    """One answer that showed something, or could have: whose, when, by which method."""

    __tablename__ = "ledger_answers"
    __table_args__ = (
        CheckConstraint("length(link) = 32", name="link"),
        CheckConstraint("length(request_id) > 0", name="request_id"),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    request_id: Mapped[str] = mapped_column(String(64))
    project: Mapped[str] = mapped_column(SLUG, index=True)  # outlives the project: no foreign key
    username: Mapped[str] = mapped_column(USER)
    snapshot: Mapped[int]
    publication: Mapped[bool]
    method: Mapped[str] = mapped_column(String(16))
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    link: Mapped[bytes] = mapped_column(LargeBinary)


class Audience(Base):
    """Who was shown an answer: the members of its project when it was given."""

    __tablename__ = "ledger_audiences"

    answer: Mapped[int] = mapped_column(NUMBER, ForeignKey("ledger_answers.number"), primary_key=True)
    username: Mapped[str] = mapped_column(USER, primary_key=True, index=True)


class Measured(Base):
    """A measure that was shown, as bytes of `group`; the same one shown again is kept once."""

    __tablename__ = "ledger_groups"
    __table_args__ = (CheckConstraint("length(checksum) = 32", name="checksum"),)

    id: Mapped[int] = mapped_column(NUMBER, Identity(), primary_key=True)
    checksum: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Part(Base):
    """That an answer held a measure, and how many cells of it were shown, taken over, withheld."""

    __tablename__ = "ledger_parts"

    answer: Mapped[int] = mapped_column(NUMBER, ForeignKey("ledger_answers.number"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    group: Mapped[int] = mapped_column("group_id", NUMBER, ForeignKey("ledger_groups.id"), index=True)
    shown: Mapped[int]
    snapped: Mapped[int]
    withheld: Mapped[int]


class Head(Base):
    """The newest answer. One row, made by the migration."""

    __tablename__ = "ledger_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    answers: Mapped[int] = mapped_column(NUMBER)
    link: Mapped[bytes] = mapped_column(LargeBinary)
