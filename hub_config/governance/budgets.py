"""What noisy answers have cost, and what is left: a privacy budget shared by a project and its members.

A charge counts for the project and for everyone who sees the answer: its members then, and whoever joins it
later. So what one person has seen adds up over all their projects, and a second project gives nobody a second
budget. DIM physicians vet the outputs of many projects and are left out. A budget is per snapshot: a patient
who is in several has the sum of their budgets as guarantee.

`charge` is to be called before anything is computed and is never given back: an error that comes after it may
depend on the data. Charges of several gateways come one after the other, on either database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, String, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from hub_config.governance.audit import AuditDiskFull, AuditFailure
from hub_config.governance.charter import MemberRole
from hub_config.governance.models import SLUG, USER, Base, Member
from hub_config.governance.problems import StoreProblem
from hub_config.governance.store import Store
from p4dp_sdk.wire.errors import ErrorCode, Refusal

MICRO: Final = 1_000_000  # budgets are kept in millionths: sums of floats would drift
LEAST: Final = 0.01  # the smallest epsilon of one question
_ONE_AT_A_TIME: Final = 0x7034_6575  # PostgreSQL's advisory lock of all charges


class NoiseCharge(Base):
    """One noisy answer, paid for. Kept for good: a closed project has spent what it has spent."""

    __tablename__ = "noise_charges"
    __table_args__ = (
        CheckConstraint("micro_epsilon > 0", name="micro_epsilon"),
        CheckConstraint("snapshot > 0", name="snapshot"),
        Index("ix_noise_charges_project", "project", "snapshot"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    project: Mapped[str] = mapped_column(SLUG)
    snapshot: Mapped[int]
    username: Mapped[str] = mapped_column(USER)
    micro_epsilon: Mapped[int]
    request_id: Mapped[str] = mapped_column(String(64))
    charged_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class NoiseWitness(Base):
    """A person who could see that answer when it was given."""

    __tablename__ = "noise_witnesses"

    charge: Mapped[int] = mapped_column(ForeignKey("noise_charges.id", ondelete="CASCADE"), primary_key=True)
    username: Mapped[str] = mapped_column(USER, primary_key=True, index=True)


@dataclass(frozen=True)
class Account:
    """In whose name a noisy answer is asked, and on what."""

    project: str
    user: str
    snapshot: int


@dataclass(frozen=True)
class Budgets:
    """The budgets of one enclave: at most `total` for a project or person and snapshot, `each` a question."""

    store: Store
    total: float
    each: float

    def check(self, epsilon: float) -> float:
        """`epsilon` as it will be charged, in whole millionths. Raises Refusal unless one question may
        spend it."""
        if not LEAST <= epsilon <= self.each:  # NaN lies nowhere
            problem = f"epsilon must lie between {LEAST:g} and {self.each:g}"
            raise Refusal(ErrorCode.MALFORMED, problem=problem)
        return int(round(epsilon * MICRO, 3)) / MICRO

    def charge(self, account: Account, epsilon: float, request_id: str) -> float:
        """Spend `epsilon` for the project and each of its members; what is left.

        Durable on return. Raises Refusal: BUDGET_EXHAUSTED where too little is left for one of them, and
        LEDGER_FAILED, AUDIT_FAILED or DISK_FULL when it can't be kept; then nothing is spent.
        """
        asked = _micro(self.check(epsilon))
        try:
            with self.store.change() as session:
                _wait_for_others(session)
                left = self._left(session, account)
                if asked > left:
                    raise Refusal(ErrorCode.BUDGET_EXHAUSTED, left=_shown(left), asked=_shown(asked))
                self._spend(session, account, asked, request_id)
            return (left - asked) / MICRO
        except AuditDiskFull:
            raise Refusal(ErrorCode.DISK_FULL) from None
        except AuditFailure:
            raise Refusal(ErrorCode.AUDIT_FAILED) from None
        except StoreProblem:
            raise Refusal(ErrorCode.LEDGER_FAILED) from None

    def left(self, account: Account) -> float:
        """What the project, and each of its members, may still spend on this snapshot."""
        try:
            with self.store.session() as session:
                return self._left(session, account) / MICRO
        except StoreProblem:
            raise Refusal(ErrorCode.LEDGER_FAILED) from None

    def _left(self, session: Session, account: Account) -> int:
        by_people = (_seen_by(session, person, account) for person in _people(session, account))
        spent = max([_spent_in(session, account), *by_people])
        return max(0, _micro(self.total) - spent)

    def _spend(self, session: Session, account: Account, micro: int, request_id: str) -> None:
        charge = NoiseCharge(
            project=account.project,
            snapshot=account.snapshot,
            username=account.user,
            micro_epsilon=micro,
            request_id=request_id,
            charged_at=datetime.now(UTC),
        )
        session.add(charge)
        session.flush()
        session.add_all(NoiseWitness(charge=charge.id, username=p) for p in _people(session, account))
        self.store.recorder(account.user).record(
            session,
            "noise.charge",
            account.project,
            request_id=request_id,
            snapshot=account.snapshot,
            micro_epsilon=micro,
        )


def _micro(epsilon: float) -> int:
    return round(epsilon * MICRO)


def _shown(micro: int) -> str:
    return f"{micro / MICRO:g}"


def _wait_for_others(session: Session) -> None:
    """`change()` already holds SQLite's write lock; PostgreSQL would let two charges read the same sum."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


def _people(session: Session, account: Account) -> list[str]:
    """Who sees the answer: the asker and the project's members; DIM physicians left out."""
    members = session.execute(
        select(Member.username, Member.role).where(Member.project == account.project)
    ).all()
    exempt = {name for name, role in members if role == MemberRole.MEDECIN_DIM}
    return sorted({account.user, *(name for name, _ in members)} - exempt)


def _spent_in(session: Session, account: Account) -> int:
    return _total(session, [NoiseCharge.project == account.project], account.snapshot)


def _seen_by(session: Session, person: str, account: Account) -> int:
    """What was spent on answers that `person` saw, or can see now as a member of the project that asked."""
    witnessed = select(NoiseWitness.charge).where(NoiseWitness.username == person)
    projects = select(Member.project).where(
        Member.username == person, Member.role != MemberRole.MEDECIN_DIM.value
    )
    seen = or_(NoiseCharge.id.in_(witnessed), NoiseCharge.project.in_(projects))
    return _total(session, [seen], account.snapshot)


def _total(session: Session, conditions: Iterable[object], snapshot: int) -> int:
    spent = select(func.coalesce(func.sum(NoiseCharge.micro_epsilon), 0)).where(
        *conditions,  # type: ignore[arg-type]  # SQL conditions
        NoiseCharge.snapshot == snapshot,
    )
    return int(session.scalar(spent) or 0)
