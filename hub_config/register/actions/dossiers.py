"""What a requester does: begin a request, save it as it goes, submit, withdraw, answer a reserve.

Saving keeps whatever was typed. Submitting makes the draft project, or puts a returned request into it; from
then on committee, DPO and administrator see it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import Grant, ProjectFacts, ProjectStatus
from hub_config.governance.recorder import Recorder
from hub_config.governance.register import models, reading
from hub_config.governance.register.facts import ASKED, Answers, DossierFacts, Kind, State, Step
from hub_config.governance.roles import Person, Role
from hub_config.governance.terms import Terms
from hub_config.register.actions.looking import facts_of, move, opened
from hub_config.register.form import Offer, member_role, proposed_slug, read
from hub_config.register.problems import Denied, NoSuch, Unfit
from hub_config.register.rules import Act, Denial, ProjectAct, may_ask, why_not_of_project

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no character that is mistaken for another
OPEN = (State.DRAFT, State.IN_REVIEW, State.RETURNED)


@dataclass(frozen=True)
class Sent:
    """What comes with a submission besides the form: what may be asked for, on which snapshot."""

    offer: Offer
    terms: Terms
    quorum: int


def begin(session: Session, person: Person, *, audit: Recorder) -> DossierFacts:
    """An empty request for a new project."""
    if not may_ask(person):
        raise Denied(Denial.NOT_YOUR_ROLE)
    return _begin(session, person, Kind.CREATION, None, {}, audit)


def begin_change(session: Session, person: Person, kind: Kind, slug: str, *, audit: Recorder) -> DossierFacts:
    """A request to change a project or to keep it longer, filled with what was approved last. One at a
    time."""
    project, entry = actions.project_facts(session, slug), reading.entry(session, slug)
    act = ProjectAct.ASK_RENEWAL if kind is Kind.RENEWAL else ProjectAct.ASK_AMENDMENT
    if why_not_of_project(person, ProjectAct.VIEW, project, entry) is not None:
        raise NoSuch(slug)
    if (denial := why_not_of_project(person, act, project, entry)) is not None:
        raise Denied(denial)
    earlier = reading.dossiers_about(session, slug)
    if any(one.state in OPEN for one in earlier):
        raise Denied(Denial.ASKED_ALREADY)
    approved = [one for one in earlier if one.state is State.APPROVED]
    answers = dict(approved[-1].answers) if approved else _told_by(project)
    answers["members"] = " ".join(sorted(project.members - {person.username}))
    answers["recontact"] = ASKED if project.grant.recontact else ""  # as it stands, whoever granted it
    return _begin(session, person, kind, slug, answers, audit)


def save(
    session: Session,
    dossier_id: str,
    answers: Mapping[str, Any],
    person: Person,
    *,
    version: int | None,
    audit: Recorder,
) -> DossierFacts:
    """Keep what was typed, whatever is wrong with it."""
    row = opened(session, dossier_id, person, Act.SAVE, quorum=1, version=version)
    row.answers, row.saved_at = dict(answers), _now()
    audit.record(session, "dossier.save", row.project, dossier=row.id)
    return facts_of(session, row)


def submit(
    session: Session, dossier_id: str, person: Person, sent: Sent, *, version: int | None, audit: Recorder
) -> DossierFacts:
    """Send it to committee, DPO and administrator. Raises Unfit with every flaw of the form."""
    row = opened(session, dossier_id, person, Act.SUBMIT, quorum=sent.quorum, version=version)
    answers = read(row.answers, sent.offer)
    if not isinstance(answers, Answers):
        raise Unfit(answers)
    kind = Kind(row.kind)
    if kind is Kind.CREATION:
        if not may_ask(person):
            raise Denied(Denial.NOT_YOUR_ROLE)
        row.project = _draft_project(session, row, answers, sent, person, audit)
    elif (why := _why_not_change(session, row, person)) is not None:
        raise Denied(why)
    before, after = move(row, Step.SUBMIT)
    row.answers = {**row.answers, "scope": answers.scope.value}
    row.round, row.submitted_at = row.round + 1, _now()
    audit.record(
        session,
        "dossier.submit",
        row.project,
        dossier=row.id,
        kind=kind.value,
        round=row.round,
        before=before.value,
        after=after.value,
    )
    return facts_of(session, row)


def withdraw(session: Session, dossier_id: str, person: Person, *, audit: Recorder) -> DossierFacts:
    """Take it back. The draft project of a creation is closed with it."""
    row = opened(session, dossier_id, person, Act.WITHDRAW, quorum=1)
    before, after = move(row, Step.WITHDRAW)
    row.closed_at = _now()
    audit.record(
        session, "dossier.withdraw", row.project, dossier=row.id, before=before.value, after=after.value
    )
    if row.project is not None and Kind(row.kind) is Kind.CREATION:
        close_draft(session, row.project, audit=audit)
    return facts_of(session, row)


def close_draft(session: Session, slug: str, *, audit: Recorder) -> None:
    """The draft of what is not to be, unless somebody closed it before."""
    if actions.project_facts(session, slug).status is not ProjectStatus.CLOSED:
        actions.close(session, slug, audit=audit)


def answer_reserve(
    session: Session, dossier_id: str, reserve: int, text: str, person: Person, *, audit: Recorder
) -> DossierFacts:
    """The requester's answer to a condition; the committee reads it and lifts, or not."""
    row = opened(session, dossier_id, person, Act.ANSWER_RESERVE, quorum=1)
    found = next((one for one in row.reserves if one.id == reserve and one.lifted_at is None), None)
    if found is None:
        raise NoSuch(str(reserve))
    found.answer, row.saved_at = text, _now()  # so that the version counts it
    audit.record(session, "dossier.answer-reserve", row.project, dossier=row.id, reserve=reserve)
    return facts_of(session, row)


def _begin(
    session: Session,
    person: Person,
    kind: Kind,
    project: str | None,
    answers: Mapping[str, Any],
    audit: Recorder,
) -> DossierFacts:
    now = _now()
    row = models.Dossier(
        id="p-" + "".join(secrets.choice(ALPHABET) for _ in range(8)),
        kind=kind.value,
        project=project,
        requester=person.username,
        state=State.DRAFT.value,
        round=0,
        answers=dict(answers),
        created_at=now,
        saved_at=now,
    )
    session.add(row)
    audit.record(session, "dossier.begin", project, dossier=row.id, kind=kind.value)
    return facts_of(session, row)


def _draft_project(
    session: Session,
    row: models.Dossier,
    answers: Answers,
    sent: Sent,
    person: Person,
    audit: Recorder,
) -> str:
    """The project as a draft: nobody works in it. A returned request replaces what its draft said."""
    if row.project is not None:
        charter = charter_of(session, row.project, answers, sent.terms, person)
        actions.rewrite(session, charter, terms=sent.terms, audit=audit)
        return row.project
    slug = proposed_slug(answers.title, (one.slug for one in actions.all_projects(session)))
    charter = charter_of(session, slug, answers, sent.terms, person)
    return actions.create_project(session, charter, terms=sent.terms, audit=audit).slug


def charter_of(session: Session, slug: str, answers: Answers, terms: Terms, person: Person) -> Charter:
    """What the answers ask governance for."""
    people = reading.people(session)
    roles = {user: people[user].roles for user in answers.members if user in people}
    roles.setdefault(person.username, frozenset(role.value for role in person.roles))
    return Charter(
        slug=slug,
        title=answers.title,
        purpose=answers.purpose,
        snapshot=terms.snapshot.number,
        grant=asked_grant(answers),
        members={
            user: MemberRole((member_role(roles.get(user, ())) or Role.CHERCHEUR).value)
            for user in answers.members
        },
    )


def asked_grant(answers: Answers) -> Grant:
    return Grant(
        access=answers.access,
        tables=dict.fromkeys(answers.tables),
        centres=answers.centres,
        date_from=answers.date_from,
        date_to=answers.date_to,
        expires_on=answers.expires_on,
        legal_basis=legal_basis_text(answers.legal_basis.value, answers.legal_reference),
        snds=any(name.startswith("snds_") for name in answers.tables),
        recontact=bool(answers.recontact),
    )


def legal_basis_text(basis: str, reference: str) -> str:
    """As a grant states it: `MR-004`, `authorisation 2026-014`."""
    return f"{basis} {reference}".strip()[:200]


def _why_not_change(session: Session, row: models.Dossier, person: Person) -> Denial | None:
    """The project may have been closed, or handed on, since the request was begun."""
    slug = row.project or ""
    act = ProjectAct.ASK_RENEWAL if Kind(row.kind) is Kind.RENEWAL else ProjectAct.ASK_AMENDMENT
    project, entry = actions.project_facts(session, slug), reading.entry(session, slug)
    return why_not_of_project(person, act, project, entry)


def _told_by(project: ProjectFacts) -> dict[str, Any]:
    """A form filled from a project that no request made (from the operators' command line)."""
    grant = project.grant
    return {
        "title": project.title,
        "purpose": project.purpose,
        "access": grant.access.value,
        "tables": sorted(grant.tables),
        "centres": sorted(grant.centres) if grant.centres is not None else ["*"],
        "date_from": _iso(grant.date_from),
        "date_to": _iso(grant.date_to),
        "expires_on": _iso(grant.expires_on),
    }


def _iso(day: Any) -> str:
    return day.isoformat() if day else ""


def _now() -> datetime:
    return datetime.now(UTC)
