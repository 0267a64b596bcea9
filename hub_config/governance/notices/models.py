"""The table of the outbox. No notice without its kind. A change here needs a migration."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from hub_config.governance.models import USER, Base, one_of

REQUEST = String(16)
MOMENT = DateTime(timezone=True)


class NoticeKind(StrEnum):
    """What a mail is about. It says no more than that, and where to look."""

    TO_REVIEW = "to-review"
    TO_CONSOLIDATE = "to-consolidate"
    REMINDER = "reminder"
    QUESTION = "question"
    ANSWER = "answer"
    RETURNED = "returned"
    REJECTED = "rejected"
    RELEASED = "released"
    RECALLED = "recalled"
    TOO_FEW_REVIEWERS = "too-few-reviewers"
    SHELF_BROKEN = "shelf-broken"
    ACCESS_REVIEW = "access-review"  # the register's: of a project somebody answers for
    RENEWAL = "renewal"
    SUSPENDED = "suspended"
    RIGHTS_SOON = "rights-soon"  # the DPO's: of a rights request, whose answer is due
    RIGHTS_DUE = "rights-due"
    RIGHTS_LATE = "rights-late"
    NOTEBOOK_TO_READ = "notebook-to-read"  # a project's own notebook, which waits to be registered
    NOTEBOOK_REMINDER = "notebook-reminder"
    NOTEBOOK_WITHOUT_READER = "notebook-no-reader"
    NOTEBOOK_APPROVED = "notebook-approved"
    NOTEBOOK_REFUSED = "notebook-refused"
    NOTEBOOK_WITHDRAWN = "notebook-withdrawn"


class Notice(Base):
    """A mail to send, written with the change it tells of. `sent_at` None: not yet; it shows in the browser
    in any case."""

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint(one_of("kind", NoticeKind), name="kind"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_notices_unsent", "sent_at", "next_at"),
        Index("ix_notices_recipient", "recipient", "created_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    recipient: Mapped[str] = mapped_column(USER)
    kind: Mapped[str] = mapped_column(String(24))
    request: Mapped[str | None] = mapped_column(REQUEST)
    created_at: Mapped[datetime] = mapped_column(MOMENT)
    next_at: Mapped[datetime] = mapped_column(MOMENT)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None] = mapped_column(MOMENT)
    sent_at: Mapped[datetime | None] = mapped_column(MOMENT)
    seen_at: Mapped[datetime | None] = mapped_column(MOMENT)
    given_up_at: Mapped[datetime | None] = mapped_column(MOMENT)
