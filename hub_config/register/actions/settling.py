"""What follows from the opinions: a dossier is sent back, refused, or approved; approval opens the project
and writes its entry. Part of the transaction of whoever spoke last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.recorder import Recorder
from hub_config.governance.register import models, reading
from hub_config.governance.register.facts import DossierFacts, Kind, Office, Scope, Step, members_of
from hub_config.governance.roles import Role
from hub_config.register.actions.dossiers import close_draft, legal_basis_text
from hub_config.register.actions.looking import facts_of, move
from hub_config.register.form import member_role, parse_day
from hub_config.register.problems import Denied
from hub_config.register.rules import Denial, Waiting, next_review, settled

if TYPE_CHECKING:
    from hub_config.governance.terms import Terms
    from hub_config.register.actions.decisions import Bench


def settle(session: Session, row: models.Dossier, bench: Bench, *, audit: Recorder) -> DossierFacts:
    """Take the step that the opinions amount to, if they amount to one."""
    facts = facts_of(session, row)
    match settled(facts):
        case Waiting():
            return facts
        case step:
            _take(session, row, facts, step, bench, audit)
            return facts_of(session, row)


def _take(
    session: Session, row: models.Dossier, facts: DossierFacts, step: Step, bench: Bench, audit: Recorder
) -> None:
    before, after = move(row, step)
    if step is not Step.RETURN:
        row.closed_at = datetime.now(UTC)
    audit.record(
        session,
        f"dossier.{step.value}",
        row.project,
        dossier=row.id,
        before=before.value,
        after=after.value,
    )
    if step is Step.APPROVE:
        _open(session, facts, bench, audit)
    elif step is Step.REFUSE and facts.kind is Kind.CREATION:
        close_draft(session, _slug(facts), audit=audit)


def _open(session: Session, facts: DossierFacts, bench: Bench, audit: Recorder) -> None:
    """Give the project what the administrator granted on the ground that the DPO named, and open it."""
    slug = _slug(facts)
    project = actions.project_facts(session, slug)
    if facts.kind is not Kind.CREATION and project.status is not ProjectStatus.APPROVED:
        raise Denied(Denial.NOT_NOW)
    _require_lead(session, facts)
    granted, judged = _details(facts, Office.ADMIN), _details(facts, Office.DPO)
    grant = _grant(facts, granted, judged)
    terms = _as_followed(bench.terms(int(granted["snapshot"])), project)
    actions.amend(session, slug, grant, terms=terms, audit=audit)
    charter = Charter(
        slug=slug,
        title=facts.title,
        purpose=str(facts.answers["purpose"]),
        snapshot=terms.snapshot.number,
        rolling=terms.snapshot.rolling,
        grant=grant,
        members=_members(session, facts),
        policy=project.policy,
    )
    actions.rewrite(session, charter, terms=terms, audit=audit)
    actions.approve(session, slug, audit=audit)
    _write_entry(session, facts, judged, bench)
    audit.record(session, "register.entry", slug, dossier=facts.id, kind=facts.kind.value)


def _require_lead(session: Session, facts: DossierFacts) -> None:
    """A regional project is of centres that who asked for it leads still."""
    asked = set(facts.answers.get("centres") or ())
    is_regional = facts.answers.get("scope") == Scope.REGIONAL
    if is_regional and not asked <= reading.centres_led_by(session, facts.requester):
        raise Denied(Denial.LEADS_NO_MORE)


def _grant(facts: DossierFacts, granted: dict[str, Any], judged: dict[str, Any]) -> Grant:
    answers, centres = facts.answers, granted["centres"]
    return Grant(
        access=AccessLevel(granted["access"]),
        tables=dict.fromkeys(granted["tables"]),
        centres=None if centres is None else frozenset(centres),
        date_from=parse_day(str(answers.get("date_from", ""))),
        date_to=parse_day(str(answers.get("date_to", ""))),
        expires_on=date.fromisoformat(granted["expires_on"]),
        legal_basis=legal_basis_text(judged["legal_basis"], judged["legal_reference"]),
        snds=any(name.startswith("snds_") for name in granted["tables"]),
        recontact=bool(granted.get("recontact")),
    )


def _members(session: Session, facts: DossierFacts) -> dict[str, MemberRole]:
    """Whom the request named, without those who were taken out or left since. A member keeps the role they
    had; who asks for a change of a project they don't work in does not enter it by that."""
    people, slug = reading.people(session), _slug(facts)
    now = actions.project_facts(session, slug).members
    enters = facts.kind is Kind.CREATION or facts.requester in now
    named = (*((facts.requester,) if enters else ()), *members_of(facts.answers))
    gone = reading.departed_since(session, slug, facts.submitted_at or facts.created_at) - now
    wanted = [user for user in dict.fromkeys(named) if user not in gone]
    roles = {user: member_role(people[user].roles) for user in wanted if user in people}
    return {user: MemberRole((role or Role.CHERCHEUR).value) for user, role in roles.items()}


def _as_followed(terms: Terms, project: ProjectFacts) -> Terms:
    """A project that follows its population goes on doing so."""
    return replace(terms, snapshot=replace(terms.snapshot, rolling=project.rolling))


def _write_entry(session: Session, facts: DossierFacts, judged: dict[str, Any], bench: Bench) -> None:
    answers, slug = facts.answers, _slug(facts)
    row = session.get(models.Entry, slug)
    if row is None:
        row = models.Entry(project=slug, review_due=next_review(bench.today, bench.review))
        director = str(answers.get("director_login") or "").lower()
        row.responsible = director if director in reading.people(session) else facts.requester
        row.scope = Scope.NATIONAL.value
        session.add(row)
    led = str(answers.get("scope", "")) == Scope.REGIONAL.value
    row.scope = Scope.REGIONAL.value if led else Scope.NATIONAL.value
    row.lead = facts.requester if led else None
    row.director, row.protocol = str(answers["director"]), str(answers["protocol"])
    row.legal_basis, row.legal_reference = judged["legal_basis"], judged["legal_reference"]
    row.retention, row.dpia = judged["retention"], judged["dpia"]
    row.lay_fr, row.lay_en = str(answers["lay_fr"]), str(answers.get("lay_en", ""))
    row.dossier = facts.id


def _details(facts: DossierFacts, office: Office) -> dict[str, Any]:
    opinion = facts.opinion(office)
    if opinion is None:  # `settled` approves nothing without all three
        raise Denied(Denial.NOT_NOW)
    return dict(opinion.details)


def _slug(facts: DossierFacts) -> str:
    if facts.project is None:  # the database holds that a submitted dossier has its project
        raise Denied(Denial.NOT_NOW)
    return facts.project
