"""What the register's tables say, as frozen values. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.models import Departure, Member
from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.register import facts, models


def dossier(session: Session, dossier_id: str) -> facts.DossierFacts | None:
    row = session.get(models.Dossier, dossier_id)
    return None if row is None else dossier_facts(session, row)


def dossiers(session: Session, *states: facts.State) -> list[facts.DossierFacts]:
    """Every dossier in one of these states (none given: in any), the longest waiting first."""
    query = select(models.Dossier).order_by(models.Dossier.submitted_at, models.Dossier.created_at)
    if states:
        query = query.where(models.Dossier.state.in_([state.value for state in states]))
    return _all_facts(session, session.scalars(query))


def dossiers_of(session: Session, user: str) -> list[facts.DossierFacts]:
    """What `user` asked for, newest first."""
    query = (
        select(models.Dossier)
        .where(models.Dossier.requester == user)
        .order_by(models.Dossier.created_at.desc())
    )
    return _all_facts(session, session.scalars(query))


def dossiers_about(session: Session, project: str) -> list[facts.DossierFacts]:
    """Every dossier of one project, oldest first."""
    query = select(models.Dossier).where(models.Dossier.project == project)
    return _all_facts(session, session.scalars(query.order_by(models.Dossier.created_at)))


def departed_since(session: Session, project: str, moment: datetime) -> frozenset[str]:
    """Who was taken out of the project after `moment`."""
    query = select(Departure).where(Departure.project == project)
    return frozenset(row.username for row in session.scalars(query) if aware(row.left_at) > moment)


def entry(session: Session, project: str) -> facts.EntryFacts | None:
    row = session.get(models.Entry, project)
    return None if row is None else _entry_facts(row)


def entries(session: Session) -> dict[str, facts.EntryFacts]:
    """Every entry, by project."""
    rows = session.scalars(select(models.Entry).order_by(models.Entry.project))
    return {row.project: _entry_facts(row) for row in rows}


def centres_led_by(session: Session, user: str) -> frozenset[str]:
    return frozenset(session.scalars(select(models.Lead.centre).where(models.Lead.username == user)))


def leads(session: Session) -> list[tuple[str, str]]:
    """(who, centre), by centre."""
    query = select(models.Lead.username, models.Lead.centre).order_by(
        models.Lead.centre, models.Lead.username
    )
    return [(user, centre) for user, centre in session.execute(query)]


def people(session: Session) -> dict[str, facts.KnownPerson]:
    """Everybody who logged in once and has not left, by login."""
    gone = select(models.Leaver.username)
    query = select(models.Acquaintance).where(models.Acquaintance.username.not_in(gone))
    rows = session.scalars(query.order_by(models.Acquaintance.username))
    return {
        row.username: facts.KnownPerson(row.username, row.full_name, frozenset(row.roles), aware(row.seen_at))
        for row in rows
    }


def full_names(session: Session, users: Iterable[str]) -> dict[str, str]:
    """As they were last called, for those who logged in here once, left or not."""
    query = select(models.Acquaintance).where(models.Acquaintance.username.in_(set(users)))
    return {row.username: row.full_name for row in session.scalars(query)}


def _all_facts(session: Session, rows: Iterable[models.Dossier]) -> list[facts.DossierFacts]:
    found = list(rows)
    belonging = _belonging(session, {row.project for row in found if row.project is not None})
    return [_dossier_facts(row, belonging.get(row.project or "", frozenset())) for row in found]


def _belonging(session: Session, projects: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Who works or worked in each project, answers for it or leads its region."""
    found: dict[str, set[str]] = {slug: set() for slug in projects}
    works = select(Member.project, Member.username).where(Member.project.in_(projects))
    worked = select(Departure.project, Departure.username).where(Departure.project.in_(projects))
    for slug, user in session.execute(works.union(worked)):
        found[slug].add(user)
    for entry in session.scalars(select(models.Entry).where(models.Entry.project.in_(projects))):
        found[entry.project] |= {entry.responsible, *([entry.lead] if entry.lead else [])}
    return {slug: frozenset(users) for slug, users in found.items()}


def dossier_facts(session: Session, row: models.Dossier) -> facts.DossierFacts:
    (found,) = _all_facts(session, [row])
    return found


def _dossier_facts(row: models.Dossier, belonging: frozenset[str]) -> facts.DossierFacts:
    return facts.DossierFacts(
        id=row.id,
        kind=facts.Kind(row.kind),
        project=row.project,
        requester=row.requester,
        state=facts.State(row.state),
        round=row.round,
        answers=row.answers,
        created_at=aware(row.created_at),
        saved_at=aware(row.saved_at),
        submitted_at=aware_or_none(row.submitted_at),
        closed_at=aware_or_none(row.closed_at),
        version=row.version,
        votes=tuple(_vote(vote) for vote in row.votes if vote.round == row.round),
        voted_before=frozenset(vote.username for vote in row.votes if vote.round < row.round),
        conflicts=tuple(facts.Conflict(each.username, each.reason, aware(each.at)) for each in row.conflicts),
        reserves=tuple(_reserve(each) for each in row.reserves),
        opinions=tuple(_opinion(each) for each in row.opinions),
        belonging=belonging,
    )


def _vote(row: models.VoteRow) -> facts.Vote:
    return facts.Vote(row.username, facts.Ballot(row.ballot), row.comment, aware(row.at))


def _reserve(row: models.ReserveRow) -> facts.Reserve:
    return facts.Reserve(
        row.id,
        row.text,
        row.by,
        aware(row.at),
        row.answer,
        row.lifted_by,
        aware_or_none(row.lifted_at),
        row.lifted_because,
    )


def _opinion(row: models.OpinionRow) -> facts.Opinion:
    return facts.Opinion(
        facts.Office(row.office),
        facts.Verdict(row.verdict),
        row.by,
        row.reason,
        aware(row.at),
        row.round,
        row.details,
    )


def _entry_facts(row: models.Entry) -> facts.EntryFacts:
    return facts.EntryFacts(
        project=row.project,
        scope=facts.Scope(row.scope),
        responsible=row.responsible,
        director=row.director,
        protocol=row.protocol,
        legal_basis=facts.LegalBasis(row.legal_basis),
        legal_reference=row.legal_reference,
        retention=row.retention,
        dpia=row.dpia,
        lay_fr=row.lay_fr,
        lay_en=row.lay_en,
        lead=row.lead,
        review_due=row.review_due,
        dossier=row.dossier,
    )
