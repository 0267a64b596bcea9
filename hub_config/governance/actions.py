"""Use cases of governance: one function each, one transaction of the caller's session, one audit event.

Whatever changes something takes a `Recorder`, and records last. What is stored comes back as the frozen
values of `facts`. The caller commits, by leaving `store.change()`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hub_config.governance import models
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.demo import demo_charters
from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.ledger.report import method_of
from hub_config.governance.problems import BadProject, ForbiddenTransition, UnknownProject
from hub_config.governance.recorder import Recorder
from hub_config.governance.register import admission
from hub_config.governance.register.admission import undecided
from hub_config.governance.releases.holders import note_row_holders
from hub_config.governance.rules import Step, next_status, takes
from hub_config.governance.terms import SnapshotTerms, Terms, bad_username, check, is_username, username

_THRESHOLDS: Final = ("min_patients", "min_physicians")  # of a policy: columns with a floor of their own

# reading


def project_facts(session: Session, slug: str) -> ProjectFacts:
    """The project called `slug`, as it is now. Raises UnknownProject."""
    facts = admission.of(session, _facts(_project(session, slug)))
    return replace(facts, related=_projects_of_any(session, facts.compared) - {slug})


def _projects_of_any(session: Session, users: Collection[str]) -> frozenset[str]:
    """Where one of `users` works or ever worked, not as a DIM physician: what was shown there they may have
    read, or may be told."""
    works = select(models.Member.project).where(
        models.Member.username.in_(users), models.Member.role != MemberRole.MEDECIN_DIM.value
    )
    worked = select(models.Departure.project).where(models.Departure.username.in_(users))
    return frozenset(session.scalars(works)) | frozenset(session.scalars(worked))


def all_projects(session: Session) -> list[ProjectFacts]:
    """Every project, by name."""
    return [_facts(row) for row in session.scalars(select(models.Project).order_by(models.Project.slug))]


def projects_of(session: Session, user: str) -> list[ProjectFacts]:
    """The projects `user` belongs to, and those open to all, whatever their status, by name. `rules.why_not`
    says which of them may be worked in."""
    belongs = models.Project.members.any(models.Member.username == user)
    query = (
        select(models.Project).where(or_(belongs, models.Project.open_to_all)).order_by(models.Project.slug)
    )
    return [admission.of(session, _facts(row)) for row in session.scalars(query)]


def memberships(session: Session, user: str) -> list[str]:
    """The projects that `user` is a member of, by name."""
    query = select(models.Member.project).where(models.Member.username == user)
    return list(session.scalars(query.order_by(models.Member.project)))


# changing


def create_project(session: Session, charter: Charter, *, terms: Terms, audit: Recorder) -> ProjectFacts:
    """Put a project on record, as a draft: nobody works in it before it is approved.

    Raises BadGrant or BadProject unless the charter keeps to the terms: the site's policy, the catalogue,
    the snapshot.
    """
    check(charter, terms)
    if session.get(models.Project, charter.slug) is not None:
        raise BadProject(f"There is already a project {charter.slug!r}. Choose another name.")
    row = _row(charter)
    session.add(row)
    details = {
        "access": charter.grant.access.value,
        "snapshot": charter.snapshot,
        **({} if charter.rolling is None else {"rolling": charter.rolling}),
        "members": len(charter.members),
    }
    audit.record(session, "project.create", charter.slug, **details)
    return _facts(row)


def approve(session: Session, slug: str, *, audit: Recorder) -> ProjectFacts:
    """Open a draft or suspended project to its members. Raises ForbiddenTransition for one that committee,
    DPO and administrator were asked for and did not all agree to."""
    if undecided(session, slug):
        raise ForbiddenTransition(
            f"Project {slug!r} was asked for in the register, where committee, DPO and administrator "
            "have not all agreed yet: it opens when they do."
        )
    return _step(session, slug, Step.APPROVE, audit)


def suspend(session: Session, slug: str, *, audit: Recorder) -> ProjectFacts:
    """Close an approved project at once, until it is approved again."""
    return _step(session, slug, Step.SUSPEND, audit)


def amend(
    session: Session,
    slug: str,
    grant: Grant,
    *,
    terms: Terms,
    audit: Recorder,
    policy: Mapping[str, Any] | None = None,
) -> ProjectFacts:
    """Give a project another grant or policy, or the same on another snapshot. It is a draft again until
    approved. `policy` None: the one it has."""
    project = _project(session, slug)
    before = _take(project, Step.AMEND)
    if grant.access is not AccessLevel.MICRODATA:
        note_row_holders(session, project)
    on = terms.snapshot
    charter = replace(_charter(project), snapshot=on.number, rolling=on.rolling, grant=grant)
    charter = charter if policy is None else replace(charter, policy=policy)
    check(charter, terms)
    _keep_method(session, charter, terms)
    project.snapshot, project.rolling = on.number, on.rolling
    project.grant = _grant_row(grant)
    for name, value in _policy_columns(charter.policy).items():
        setattr(project, name, value)
    audit.record(
        session,
        "project.amend",
        slug,
        before=before.value,
        after=project.status,
        access=grant.access.value,
        snapshot=project.snapshot,
        **({} if project.rolling is None else {"rolling": project.rolling}),
    )
    return _facts(project)


def rewrite(session: Session, charter: Charter, *, terms: Terms, audit: Recorder) -> ProjectFacts:
    """Let a draft say all that `charter` says: its title, purpose, grant and members. Nothing opens by it."""
    project = _project(session, charter.slug)
    if project.status != ProjectStatus.DRAFT.value:
        raise ForbiddenTransition(f"Project {charter.slug!r} is {project.status}: only drafts are rewritten.")
    check(charter, terms)
    _keep_method(session, charter, terms)
    project.title, project.purpose = charter.title, charter.purpose
    project.snapshot, project.rolling = charter.snapshot, charter.rolling
    project.grant = _grant_row(charter.grant)
    there, wanted = (
        {member.username for member in project.members},
        {username(user) for user in charter.members},
    )
    for user in sorted(there - wanted):
        remove_member(session, charter.slug, user, audit=audit)
    for user, role in charter.members.items():
        if username(user) not in there:
            add_member(session, charter.slug, user, role, audit=audit)
    audit.record(session, "project.rewrite", charter.slug, access=charter.grant.access.value)
    return _facts(project)


def close(session: Session, slug: str, *, audit: Recorder) -> ProjectFacts:
    """Close a project for good."""
    return _step(session, slug, Step.CLOSE, audit)


def add_member(session: Session, slug: str, user: str, role: MemberRole, *, audit: Recorder) -> ProjectFacts:
    """Let `user` work in the project, from the next request on."""
    project = _project(session, slug)
    name = username(user)
    if not is_username(name):
        raise BadProject(bad_username(user))
    if any(member.username == name for member in project.members):
        raise BadProject(f"{name!r} is already a member of {slug!r}.")
    project.members.append(models.Member(username=name, role=role.value, added_at=datetime.now(UTC)))
    audit.record(session, "project.add-member", slug, user=name, role=role.value)
    return _facts(project)


def remove_member(session: Session, slug: str, user: str, *, audit: Recorder) -> ProjectFacts:
    """Take `user` out of the project, from the next request on. What they could read there stays on record:
    their answers elsewhere are compared with it."""
    project = _project(session, slug)
    member = next((member for member in project.members if member.username == username(user)), None)
    if member is None:
        raise BadProject(
            f"{user!r} is not a member of {slug!r}. `p4dp-enclave project show {slug}` lists them."
        )
    if member.role != MemberRole.MEDECIN_DIM.value:
        left = models.Departure(project=slug, username=member.username, left_at=datetime.now(UTC))
        session.merge(left)
    project.members.remove(member)
    audit.record(session, "project.remove-member", slug, user=member.username)
    return _facts(project)


def ensure_demo(session: Session, snapshot: int, *, synthetic: bool, audit: Recorder) -> list[str]:
    """Create and approve those of the demo's projects that don't exist yet. Returns their names.

    `synthetic` is what the snapshot's manifest says; the sandbox project is refused on any other.
    """
    terms = Terms(SnapshotTerms(snapshot, synthetic))
    missing = [
        charter for charter in demo_charters(snapshot) if session.get(models.Project, charter.slug) is None
    ]
    for charter in missing:
        create_project(session, charter, terms=terms, audit=audit)
        approve(session, charter.slug, audit=audit)
    return [charter.slug for charter in missing]


def _step(session: Session, slug: str, step: Step, audit: Recorder) -> ProjectFacts:
    project = _project(session, slug)
    before = _take(project, step)
    audit.record(session, f"project.{step.value}", slug, before=before.value, after=project.status)
    return _facts(project)


def _take(project: models.Project, step: Step) -> ProjectStatus:
    """Move the project by `step`; where it was before. Raises ForbiddenTransition."""
    before = ProjectStatus(project.status)
    after = next_status(before, step)
    if after is None:
        possible = " or ".join(status.value for status in takes(step))
        raise ForbiddenTransition(
            f"Project {project.slug!r} is {before.value}: `{step.value}` is for {possible} projects."
        )
    project.status = after.value
    return before


def _project(session: Session, slug: str) -> models.Project:
    project = session.get(models.Project, slug)
    if project is None:
        raise UnknownProject(slug, known=session.scalars(select(models.Project.slug)))
    return project


def _keep_method(session: Session, charter: Charter, terms: Terms) -> None:
    """Two ways of blurring the same numbers average out: a project keeps the one of its first answer."""
    first = method_of(session, charter.slug)
    wanted = terms.policy.policy().strictest(charter.policy).method.value
    if first not in (None, wanted):
        raise BadProject(
            f"{charter.slug!r} was answered by {first}: it can't change to {wanted}. Found a new project."
        )


def _charter(row: models.Project) -> Charter:
    return Charter(
        slug=row.slug,
        title=row.title,
        purpose=row.purpose,
        snapshot=row.snapshot,
        rolling=row.rolling,
        grant=_grant_facts(row.grant),
        members={member.username: MemberRole(member.role) for member in row.members},
        open_to_all=row.open_to_all,
        policy=_policy_facts(row),
    )


def _row(charter: Charter) -> models.Project:
    now = datetime.now(UTC)
    return models.Project(
        slug=charter.slug,
        title=charter.title,
        purpose=charter.purpose,
        status=ProjectStatus.DRAFT.value,
        snapshot=charter.snapshot,
        rolling=charter.rolling,
        open_to_all=charter.open_to_all,
        **_policy_columns(charter.policy),
        created_at=now,
        grant=_grant_row(charter.grant),
        members=[
            models.Member(username=username(user), role=role.value, added_at=now)
            for user, role in charter.members.items()
        ],
    )


def _policy_columns(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Thresholds in their own columns, the rest as JSON."""
    rest = {name: value for name, value in policy.items() if name not in _THRESHOLDS}
    return {**{name: policy.get(name) for name in _THRESHOLDS}, "policy": rest}


def _policy_facts(row: models.Project) -> dict[str, Any]:
    stated = {name: getattr(row, name) for name in _THRESHOLDS}
    return {**{name: value for name, value in stated.items() if value is not None}, **(row.policy or {})}


def _grant_row(grant: Grant) -> models.Grant:
    return models.Grant(
        access=grant.access.value,
        tables={table: _sorted(columns) for table, columns in grant.tables.items()},
        centres=_sorted(grant.centres),
        date_from=grant.date_from,
        date_to=grant.date_to,
        expires_on=grant.expires_on,
        legal_basis=grant.legal_basis,
        snds=grant.snds,
        recontact=grant.recontact,
    )


def _sorted(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _facts(row: models.Project) -> ProjectFacts:
    return ProjectFacts(
        slug=row.slug,
        title=row.title,
        purpose=row.purpose,
        status=ProjectStatus(row.status),
        snapshot=row.snapshot,
        rolling=row.rolling,
        grant=_grant_facts(row.grant),
        members=frozenset(member.username for member in row.members),
        open_to_all=row.open_to_all,
        policy=_policy_facts(row),
        physicians_dim=frozenset(m.username for m in row.members if m.role == MemberRole.MEDECIN_DIM.value),
    )


def _grant_facts(row: models.Grant) -> Grant:
    return Grant(
        access=AccessLevel(row.access),
        tables={
            table: None if columns is None else frozenset(columns) for table, columns in row.tables.items()
        },
        centres=None if row.centres is None else frozenset(row.centres),
        date_from=row.date_from,
        date_to=row.date_to,
        expires_on=row.expires_on,
        legal_basis=row.legal_basis,
        snds=row.snds,
        recontact=row.recontact,
    )
