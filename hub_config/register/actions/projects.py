"""What is done to a project on record: its members, its responsible, the yearly review, suspension, closure.

Decisions on a project's grant are dossiers' (`decisions`); here is what needs no committee.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance import actions
from hub_config.governance.charter import MemberRole
from hub_config.governance.facts import ProjectFacts, ProjectStatus
from hub_config.governance.notices.models import NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.problems import UnknownProject
from hub_config.governance.recorder import Recorder
from hub_config.governance.register import models, reading
from hub_config.governance.register.facts import EntryFacts
from hub_config.governance.roles import Person
from hub_config.register.form import Flaw, Problem, may_belong, member_role
from hub_config.register.problems import Denied, NoSuch, Stale, Unfit
from hub_config.register.rules import (
    Denial,
    ProjectAct,
    ReviewPolicy,
    ReviewState,
    next_review,
    offices_held,
    review_state,
    why_not_of_project,
)


def seen(session: Session, slug: str, person: Person) -> tuple[ProjectFacts, EntryFacts | None]:
    """The project and its entry, for whoever may see them. Raises NoSuch."""
    return _opened(session, slug, person, ProjectAct.VIEW)


def add_member(session: Session, slug: str, user: str, person: Person, *, audit: Recorder) -> ProjectFacts:
    """The responsible takes in an intern or a researcher who has an account. Raises Unfit for anybody
    else."""
    project, _ = _opened(session, slug, person, ProjectAct.ADD_MEMBER)
    known = reading.people(session).get(user.strip().lower())
    if known is None:
        raise Unfit({"user": Problem(Flaw.UNKNOWN_PERSON, {"who": user[:64]})})
    if not may_belong(known):
        raise Unfit({"user": Problem(Flaw.NOT_A_MEMBER_ROLE, {"who": known.username})})
    _require_no_part_in_deciding(session, slug, known.username)
    if known.username in project.members:
        return project
    role = member_role(known.roles)
    return actions.add_member(
        session, slug, known.username, MemberRole(role.value if role else "chercheur"), audit=audit
    )


def remove_member(session: Session, slug: str, user: str, person: Person, *, audit: Recorder) -> ProjectFacts:
    """From the next request on they are out. Removing somebody who is out is no error."""
    project, _ = _opened(session, slug, person, ProjectAct.REMOVE_MEMBER)
    if user not in project.members:
        return project
    return actions.remove_member(session, slug, user, audit=audit)


def name_responsible(session: Session, slug: str, user: str, person: Person, *, audit: Recorder) -> None:
    """Somebody else answers for the project from now on. They need not work in it. Nobody names
    themselves."""
    _opened(session, slug, person, ProjectAct.NAME_RESPONSIBLE)
    row = session.get(models.Entry, slug)
    if row is None:
        raise NoSuch(slug)
    name = user.strip().lower()
    if name not in reading.people(session):
        raise Unfit({"user": Problem(Flaw.UNKNOWN_PERSON, {"who": name[:64]})})
    if name == person.username:
        raise Denied(Denial.INVOLVED)
    _require_no_part_in_deciding(session, slug, name)
    row.responsible = name
    audit.record(session, "register.responsible", slug, user=name)


def confirm_members(
    session: Session,
    slug: str,
    kept: Collection[str],
    person: Person,
    *,
    listed: Collection[str],
    policy: ReviewPolicy,
    today: date,
    audit: Recorder,
) -> date:
    """The yearly review: whoever is not kept is out; the next date. A project that the review suspended
    stays so until the administrator lifts it. Raises Stale unless the page listed who is a member now."""
    project, _ = _opened(session, slug, person, ProjectAct.CONFIRM_MEMBERS)
    if set(listed) != project.members:
        raise Stale(slug)
    row = session.get(models.Entry, slug)
    if row is None:
        raise NoSuch(slug)
    gone = sorted(project.members - set(kept))
    for user in gone:
        actions.remove_member(session, slug, user, audit=audit)
    due, row.review_due = row.review_due, next_review(today, policy)
    session.add(
        models.AccessReview(
            project=slug,
            due_on=due,
            at=datetime.now(UTC),
            by=person.username,
            kept=len(project.members) - len(gone),
            removed=len(gone),
        )
    )
    audit.record(session, "register.review", slug, removed=len(gone), next=row.review_due.isoformat())
    return row.review_due


def overdue(
    session: Session, policy: ReviewPolicy, today: date, notice_days: int
) -> list[tuple[ProjectFacts, EntryFacts, ReviewState]]:
    """Approved projects whose members are to be confirmed soon, now, or should have been."""
    entries = reading.entries(session)
    found = [
        (project, entries[project.slug])
        for project in actions.all_projects(session)
        if project.slug in entries and project.status is ProjectStatus.APPROVED
    ]
    states = [
        (project, entry, review_state(entry.review_due, policy, today, notice_days))
        for project, entry in found
    ]
    return [each for each in states if each[2] is not ReviewState.NONE]


def suspend_overdue(session: Session, policy: ReviewPolicy, today: date, *, audit: Recorder) -> list[str]:
    """Suspend, by policy, the projects nobody confirmed in time; their names."""
    late = [
        project.slug
        for project, _, state in overdue(session, policy, today, 0)
        if state is ReviewState.OVERDUE
    ]
    for slug in late:
        actions.suspend(session, slug, audit=audit)
        audit.record(session, "register.review-overdue", slug)
    return late


def suspend(
    session: Session, slug: str, person: Person, *, reason: str, at: datetime, audit: Recorder
) -> None:
    """At once. Whoever answers for it is told that it is, unless they did it."""
    _opened(session, slug, person, ProjectAct.SUSPEND)
    actions.suspend(session, slug, audit=audit)
    _note(session, slug, "suspend", reason, audit)
    tell_suspended(session, [slug], at, but=person)


def tell_suspended(session: Session, slugs: Collection[str], at: datetime, *, but: Person) -> None:
    """A notice to whoever answers for one of these projects and has not left."""
    entries, known = reading.entries(session), reading.people(session)
    answering = {entries[slug].responsible for slug in slugs if slug in entries}
    post(session, NoticeKind.SUSPENDED, (answering & set(known)) - {but.username}, None, at)


def resume(
    session: Session,
    slug: str,
    person: Person,
    *,
    reason: str,
    policy: ReviewPolicy,
    today: date,
    audit: Recorder,
) -> None:
    """Lift a suspension. Raises NoSuch or Denied: where the yearly review is overdue, it comes first."""
    _, entry = _opened(session, slug, person, ProjectAct.RESUME)
    due = entry.review_due if entry else None
    if review_state(due, policy, today, 0) is ReviewState.OVERDUE:
        raise Denied(Denial.REVIEW_FIRST)
    actions.approve(session, slug, audit=audit)
    _note(session, slug, "resume", reason, audit)


def close(session: Session, slug: str, person: Person, *, reason: str, audit: Recorder) -> None:
    """For good."""
    _opened(session, slug, person, ProjectAct.CLOSE)
    actions.close(session, slug, audit=audit)
    _note(session, slug, "close", reason, audit)


def reviews(session: Session, slug: str) -> list[models.AccessReview]:
    """The reviews on record, newest first."""
    query = select(models.AccessReview).where(models.AccessReview.project == slug)
    return list(session.scalars(query.order_by(models.AccessReview.id.desc())))


def _require_no_part_in_deciding(session: Session, slug: str, user: str) -> None:
    """Whoever decided that the project may be, or decides on a change now, gains nothing by it; nor does who
    lifted the reserve that it waited for."""
    if any(offices_held(user, dossier) for dossier in reading.dossiers_about(session, slug)):
        raise Unfit({"user": Problem(Flaw.DECIDED_ON_IT, {"who": user})})


def _note(session: Session, slug: str, what: str, reason: str, audit: Recorder) -> None:
    """The reason is on the audit chain, beside the step itself."""
    audit.record(session, f"register.{what}", slug, reason=reason)


def _opened(
    session: Session, slug: str, person: Person, act: ProjectAct
) -> tuple[ProjectFacts, EntryFacts | None]:
    try:
        project = actions.project_facts(session, slug)
    except UnknownProject:
        raise NoSuch(slug) from None
    entry = reading.entry(session, slug)
    if why_not_of_project(person, ProjectAct.VIEW, project, entry) is not None:
        raise NoSuch(slug)
    if (denial := why_not_of_project(person, act, project, entry)) is not None:
        raise Denied(denial)
    return project, entry
