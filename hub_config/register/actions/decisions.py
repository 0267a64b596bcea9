"""What the three offices do with a dossier: the committee votes, the DPO and the administrator decide.

Each act may be the last that was missing: `settle` then closes the dossier and, where all three agree and no
reserve stands, opens the project, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from hub_config.governance.facts import AccessLevel
from hub_config.governance.recorder import Recorder
from hub_config.governance.register import models
from hub_config.governance.register.facts import Ballot, DossierFacts, LegalBasis, Office, Verdict
from hub_config.governance.roles import Person
from hub_config.governance.terms import Terms
from hub_config.register.actions.looking import facts_of, opened
from hub_config.register.actions.settling import settle
from hub_config.register.problems import Denied, NoSuch
from hub_config.register.rules import Act, Denial, NoQuorum, ReviewPolicy, Tie, tally


@dataclass(frozen=True)
class Bench:
    """What every decision needs to know of the site: its quorum, its yearly review, its snapshots, today."""

    quorum: int
    review: ReviewPolicy
    terms: Callable[[int], Terms]
    today: date


@dataclass(frozen=True)
class Judgement:
    """What the DPO says of the law."""

    verdict: Verdict
    reason: str
    legal_basis: LegalBasis
    legal_reference: str
    retention: str
    dpia: str


@dataclass(frozen=True)
class TechnicalGrant:
    """What the administrator opens: never more than was asked."""

    verdict: Verdict
    reason: str
    snapshot: int
    access: AccessLevel
    tables: tuple[str, ...]
    centres: tuple[str, ...] | None
    expires_on: date
    recontact: bool

    def details(self) -> dict[str, Any]:
        return {
            "snapshot": self.snapshot,
            "access": self.access.value,
            "tables": sorted(self.tables),
            "centres": None if self.centres is None else sorted(self.centres),
            "expires_on": self.expires_on.isoformat(),
            "recontact": self.recontact,
        }


def vote(
    session: Session,
    dossier_id: str,
    person: Person,
    ballot: Ballot,
    *,
    comment: str,
    reserve: str,
    round: int,
    bench: Bench,
    audit: Recorder,
) -> DossierFacts:
    """One member's ballot, on what was sent in this round. `reserve`: a condition of theirs that must be
    lifted before anything opens."""
    row = opened(session, dossier_id, person, Act.VOTE, quorum=bench.quorum, round=round)
    now = _now()
    row.votes.append(
        models.VoteRow(
            round=row.round, username=person.username, ballot=ballot.value, comment=comment, at=now
        )
    )
    if reserve:
        row.reserves.append(models.ReserveRow(text=reserve, by=person.username, at=now, answer=""))
    _touch(row, now)
    audit.record(
        session, "dossier.vote", row.project, dossier=row.id, ballot=ballot.value, reserve=bool(reserve)
    )
    return facts_of(session, row)


def declare_conflict(
    session: Session, dossier_id: str, person: Person, *, reason: str, bench: Bench, audit: Recorder
) -> DossierFacts:
    """A member steps back, even late: a vote they cast in this round is void. A decision of the committee
    that does not stand without it, or that they pronounced, is taken back, and the vote goes on."""
    row = opened(session, dossier_id, person, Act.DECLARE_CONFLICT, quorum=bench.quorum)
    own = [vote for vote in row.votes if vote.username == person.username and vote.round == row.round]
    for each in own:
        row.votes.remove(each)
    now = _now()
    row.conflicts.append(models.ConflictRow(username=person.username, reason=reason, at=now))
    _touch(row, now)
    reopened = _take_back(row, facts_of(session, row), person, bench)
    audit.record(session, "dossier.conflict", row.project, dossier=row.id, voided=len(own), reopened=reopened)
    return facts_of(session, row)


def _take_back(row: models.Dossier, facts: DossierFacts, person: Person, bench: Bench) -> bool:
    """Whether the committee's decision of this round fell."""
    said = facts.opinion(Office.CSE)
    if said is None or (said.by != person.username and tally(facts).outcome(bench.quorum) is said.verdict):
        return False
    for each in [one for one in row.opinions if one.office == said.office and one.round == row.round]:
        row.opinions.remove(each)
    return True


def close_vote(
    session: Session,
    dossier_id: str,
    person: Person,
    *,
    reason: str,
    version: int,
    bench: Bench,
    audit: Recorder,
) -> DossierFacts:
    """Pronounce the committee's decision, which the count makes: the quorum is there and it is no tie."""
    row = opened(session, dossier_id, person, Act.CLOSE_VOTE, quorum=bench.quorum, version=version)
    count = tally(facts_of(session, row))
    outcome = count.outcome(bench.quorum)
    if isinstance(outcome, NoQuorum | Tie):
        raise Denied(Denial.NO_QUORUM if isinstance(outcome, NoQuorum) else Denial.TIED)
    details = {"for": count.votes_for, "against": count.against, "abstain": count.abstentions}
    return _decide(session, row, Office.CSE, outcome, person, reason, details, bench, audit)


def lift_reserve(
    session: Session,
    dossier_id: str,
    reserve: int,
    person: Person,
    *,
    because: str,
    version: int,
    bench: Bench,
    audit: Recorder,
) -> DossierFacts:
    """The committee finds a condition met. The last one may open the project."""
    row = opened(session, dossier_id, person, Act.LIFT_RESERVE, quorum=bench.quorum, version=version)
    found = next((one for one in row.reserves if one.id == reserve and one.lifted_at is None), None)
    if found is None:
        raise NoSuch(str(reserve))
    found.lifted_by, found.lifted_at, found.lifted_because = person.username, _now(), because
    _touch(row, _now())
    audit.record(session, "dossier.lift-reserve", row.project, dossier=row.id, reserve=reserve)
    return settle(session, row, bench, audit=audit)


def judge(
    session: Session,
    dossier_id: str,
    person: Person,
    judgement: Judgement,
    *,
    round: int,
    bench: Bench,
    audit: Recorder,
) -> DossierFacts:
    """The DPO's opinion: the legal basis, how long, which impact assessment."""
    row = opened(session, dossier_id, person, Act.DECIDE_DPO, quorum=bench.quorum, round=round)
    details = {
        "legal_basis": judgement.legal_basis.value,
        "legal_reference": judgement.legal_reference,
        "retention": judgement.retention,
        "dpia": judgement.dpia,
    }
    return _decide(
        session, row, Office.DPO, judgement.verdict, person, judgement.reason, details, bench, audit
    )


def grant(
    session: Session,
    dossier_id: str,
    person: Person,
    granted: TechnicalGrant,
    *,
    round: int,
    bench: Bench,
    audit: Recorder,
) -> DossierFacts:
    """The administrator's technical grant."""
    row = opened(session, dossier_id, person, Act.DECIDE_ADMIN, quorum=bench.quorum, round=round)
    return _decide(
        session, row, Office.ADMIN, granted.verdict, person, granted.reason, granted.details(), bench, audit
    )


def _decide(
    session: Session,
    row: models.Dossier,
    office: Office,
    verdict: Verdict,
    person: Person,
    reason: str,
    details: Mapping[str, Any],
    bench: Bench,
    audit: Recorder,
) -> DossierFacts:
    now = _now()
    row.opinions.append(
        models.OpinionRow(
            round=row.round,
            office=office.value,
            verdict=verdict.value,
            by=person.username,
            reason=reason,
            at=now,
            details=dict(details),
        )
    )
    _touch(row, now)
    audit.record(
        session,
        "dossier.decide",
        row.project,
        dossier=row.id,
        office=office.value,
        verdict=verdict.value,
        round=row.round,
    )
    return settle(session, row, bench, audit=audit)


def _touch(row: models.Dossier, now: datetime) -> None:
    """So that the version counts what hangs on the dossier too."""
    row.saved_at = now


def _now() -> datetime:
    return datetime.now(UTC)
