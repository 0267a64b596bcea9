"""What may be asked about releases, by the airlock and by the other services. Reads only.

A request comes whole, votes included: pages show it through `hub_config.airlock.rules.sight` only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, lazyload
from sqlalchemy.orm.attributes import set_committed_value

from hub_config.governance.facts import AccessLevel, ProjectStatus
from hub_config.governance.models import Departure, Grant, Member, Project
from hub_config.governance.notebooks.facts import NotebookState
from hub_config.governance.notebooks.models import RegisteredNotebook
from hub_config.governance.releases import models
from hub_config.governance.releases.facts import (
    Delegation,
    FileFacts,
    Membership,
    Pool,
    RequestFacts,
    State,
)
from hub_config.governance.releases.stored import file_of, request_of


def find_request(session: Session, request: str) -> RequestFacts | None:
    """The request of this id, whatever its state; None where there is none."""
    row = session.get(models.ReleaseRequest, request)
    return None if row is None else request_of(row)


Known = MutableMapping[tuple[str, int], tuple[FileFacts, ...]]
"""Files of requests by id and version, remembered between questions. What is sent keeps its files for as long
as its version; what is a draft is not remembered."""


def requests_in(
    session: Session, states: Collection[State], known: Known | None = None
) -> list[RequestFacts]:
    """Every request in one of these states, oldest submission first. `known` spares reading files again."""
    query = select(models.ReleaseRequest).where(models.ReleaseRequest.state.in_([s.value for s in states]))
    ordered = query.order_by(models.ReleaseRequest.submitted_at, models.ReleaseRequest.id)
    return _all(session, ordered) if known is None else _remembered(session, ordered, known)


def recently_decided(session: Session, most: int) -> list[RequestFacts]:
    """What was decided last, newest first."""
    decided = [s.value for s in (State.APPROVED, State.RELEASED, State.RETURNED, State.REJECTED)]
    query = select(models.ReleaseRequest).where(models.ReleaseRequest.state.in_(decided))
    return _all(session, query.order_by(models.ReleaseRequest.decided_at.desc()).limit(most))


def _remembered(session: Session, query: Select[models.ReleaseRequest], known: Known) -> list[RequestFacts]:
    rows = list(session.scalars(query.options(lazyload(models.ReleaseRequest.files))))
    for row in rows:
        set_committed_value(row, "files", [])  # not read for it: they come below, all at once or from memory
    new = [row for row in rows if (row.id, row.version) not in known]
    files: dict[str, list[FileFacts]] = {row.id: [] for row in new}
    asked = select(models.ReleaseFile).where(models.ReleaseFile.request.in_(files))
    for file in session.scalars(asked.order_by(models.ReleaseFile.number)) if new else ():
        files[file.request].append(file_of(file))
    found = {row.id: tuple(files[row.id]) if row.id in files else known[row.id, row.version] for row in rows}
    known.update({(row.id, row.version): found[row.id] for row in new if row.state != State.DRAFT.value})
    return [replace(request_of(row), files=found[row.id]) for row in rows]


def requests_of(session: Session, username: str, *, project: str | None = None) -> list[RequestFacts]:
    """What somebody asked for, newest first; in one project, or in all."""
    query = select(models.ReleaseRequest).where(models.ReleaseRequest.requester == username)
    if project is not None:
        query = query.where(models.ReleaseRequest.project == project)
    return _all(session, query.order_by(models.ReleaseRequest.created_at.desc(), models.ReleaseRequest.id))


def released(session: Session, project: str | None = None) -> list[RequestFacts]:
    """What left, of one project or of all, newest first; recalled ones too."""
    query = select(models.ReleaseRequest).where(models.ReleaseRequest.state == State.RELEASED.value)
    if project is not None:
        query = query.where(models.ReleaseRequest.project == project)
    return _all(session, query.order_by(models.ReleaseRequest.released_at.desc(), models.ReleaseRequest.id))


def record_of(session: Session, request: str) -> str | None:
    """The disclosure record of a release, as it was written; None where nothing left."""
    row = session.get(models.ReleaseRecord, request)
    return None if row is None else row.document


def titles(session: Session, projects: Iterable[str]) -> Mapping[str, str]:
    """What each project is called, in one query; an unknown one by its slug."""
    slugs = set(projects)
    found = session.execute(select(Project.slug, Project.title).where(Project.slug.in_(slugs)))
    titles = {row.slug: row.title for row in found}
    return {slug: titles.get(slug, slug) for slug in slugs}


_GOING: Final = (ProjectStatus.APPROVED.value, ProjectStatus.CLOSED.value)


def membership(session: Session, project: str) -> Membership:
    return memberships(session, [project])[project]


def memberships(session: Session, projects: Iterable[str]) -> Mapping[str, Membership]:
    """Who works, and ever worked, in each project, and approved its notebooks, and whether it goes on: five
    queries for however many. An unknown project has nobody."""
    slugs = sorted(set(projects))
    members = session.execute(select(Member.project, Member.username).where(Member.project.in_(slugs))).all()
    departed = session.execute(
        select(Departure.project, Departure.username).where(Departure.project.in_(slugs))
    ).all()
    readers = _code_readers(session, slugs)
    opened = set(session.scalars(select(Project.slug).where(Project.slug.in_(slugs), Project.open_to_all)))
    going = select(Project.slug, Project.status, Grant.expires_on).outerjoin(
        Grant, Grant.project == Project.slug
    )
    states = {row.slug: row for row in session.execute(going.where(Project.slug.in_(slugs)))}
    return {
        slug: Membership(
            frozenset(user for project, user in members if project == slug),
            frozenset(user for project, user in departed if project == slug),
            slug in opened,
            readers.get(slug, {}),
            stopped=slug not in states or states[slug].status not in _GOING,
            last_day=states[slug].expires_on if slug in states else None,
            closed=slug in states and states[slug].status == ProjectStatus.CLOSED.value,
        )
        for slug in slugs
    }


def _code_readers(session: Session, slugs: Collection[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
    row = RegisteredNotebook
    query = select(row.project, row.sha256, row.decided_by).where(
        row.project.in_(slugs), row.state != NotebookState.REFUSED.value
    )
    found: dict[str, dict[str, frozenset[str]]] = {}
    for project, sha256, who in session.execute(query):
        if who is not None:
            of_project = found.setdefault(project, {})
            of_project[sha256] = of_project.get(sha256, frozenset()) | {who}
    return found


def pool_on(session: Session, day: date) -> Pool:
    """Who may review on that day. Someone taken off the pool delegates to nobody."""
    named = frozenset(
        session.scalars(select(models.Reviewer.username).where(models.Reviewer.removed_at.is_(None)))
    )
    delegations = session.scalars(
        select(models.ReviewerDelegation).where(models.ReviewerDelegation.reviewer.in_(named))
    )
    absent = session.scalars(
        select(models.ReviewerAbsence.reviewer).where(
            models.ReviewerAbsence.first <= day, models.ReviewerAbsence.last >= day
        )
    )
    made = (Delegation(each.reviewer, each.delegate, each.first, each.last) for each in delegations)
    return Pool(named, frozenset(made), frozenset(absent), day)


def holds_rows(session: Session, people: Collection[str], since: datetime) -> bool:
    """Whether one of `people` may hold rows of people, or may have since that moment: a member, then or now,
    of a project that gives them, or did."""
    gives = select(Grant.project).where(Grant.access == AccessLevel.MICRODATA.value)
    questions = (
        select(Member.username).where(Member.username.in_(people), Member.project.in_(gives)),
        select(Departure.username).where(
            Departure.username.in_(people), Departure.project.in_(gives), Departure.left_at >= since
        ),
        select(models.RowHolder.username).where(
            models.RowHolder.username.in_(people), models.RowHolder.until >= since
        ),
    )
    return any(session.scalar(question.limit(1)) is not None for question in questions)


def gives_rows(session: Session, project: str) -> bool:
    """Whether the project's grant gives individual data now."""
    access = session.scalar(select(Grant.access).where(Grant.project == project))
    return access == AccessLevel.MICRODATA.value


def _all(session: Session, query: Select[models.ReleaseRequest]) -> list[RequestFacts]:
    return [request_of(row) for row in session.scalars(query)]
