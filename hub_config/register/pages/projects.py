"""*Registre*: every project on record, and each one's page: members, decisions, review, suspension."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance import actions
from hub_config.governance.register import reading
from hub_config.governance.register.facts import Kind
from hub_config.governance.roles import Role
from hub_config.register.actions import dossiers, projects
from hub_config.register.form import may_belong
from hub_config.register.parts import many, reason, require, said, show
from hub_config.register.rules import ProjectAct, is_officer, review_state, why_not_of_project
from hub_config.register.secretariat import secretariat_of
from hub_config.web.answers import see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.texts import N_

router = APIRouter(prefix="/projets")


@router.get("")
def listed(request: Request, person: Visitor) -> Response:
    """Officers see the whole register; others what they belong to or answer for."""
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        entries = reading.entries(session)
        found = [
            one
            for one in actions.all_projects(session)
            if why_not_of_project(person, ProjectAct.VIEW, one, entries.get(one.slug)) is None
        ]
        late = projects.overdue(session, office.review, office.today, office.notice_days)
    context = {
        "found": found,
        "entries": entries,
        "today": office.today,
        "late": {project.slug: state for project, _, state in late},
        "is_officer": is_officer(person),
        "is_admin": Role.ADMIN in person.roles,
    }
    return show(request, "projects", person, context)


@router.post("/revue/suspendre")
def suspend_overdue(request: Request, person: Visitor, form: Form) -> Response:
    require(person, Role.ADMIN)
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        late = projects.suspend_overdue(session, office.review, office.today, audit=audit)
        projects.tell_suspended(session, late, office.clock(), but=person)
    return see_other(
        request, "/projets", N_("Projets suspendus faute de revue : %(count)s."), count=len(late)
    )


@router.get("/{slug}")
def one(request: Request, slug: str, person: Visitor) -> Response:
    office = secretariat_of(request)
    office.greet(person)
    with office.reading() as session:
        project, entry = projects.seen(session, slug, person)
        about = [each for each in reading.dossiers_about(session, slug) if each.submitted_at]
        people = reading.people(session)
        deciders = {opinion.by for each in about for opinion in each.opinions}
        names = reading.full_names(session, project.members | deciders | {entry.responsible if entry else ""})
        done = projects.reviews(session, slug)
    why = {act.value: why_not_of_project(person, act, project, entry) for act in ProjectAct}
    terms = office.terms(None)
    context = {
        "project": project,
        "entry": entry,
        "about": about,
        "names": names,
        "done": done,
        "may": {act: denial is None for act, denial in why.items()},
        "candidates": [
            each for each in people.values() if may_belong(each) and each.username not in project.members
        ],
        "people": people,
        "review": review_state(
            entry.review_due if entry else None, office.review, office.today, office.notice_days
        ),
        "today": office.today,
        "catalogue": terms.catalogue,
        "centre_labels": terms.snapshot.labels,
    }
    return show(request, "project", person, context)


@router.post("/{slug}/membres")
def add_member(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        projects.add_member(session, slug, said(form, "user", most=64), person, audit=audit)
    return see_other(request, f"/projets/{slug}", N_("La personne est membre du projet dès maintenant."))


@router.post("/{slug}/membres/retirer")
def remove_member(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        projects.remove_member(session, slug, said(form, "user", most=64), person, audit=audit)
    return see_other(request, f"/projets/{slug}", N_("La personne n'est plus membre du projet."))


@router.post("/{slug}/revue")
def confirm(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        projects.confirm_members(
            session,
            slug,
            many(form, "kept"),
            person,
            listed=many(form, "listed"),
            policy=office.review,
            today=office.today,
            audit=audit,
        )
    return see_other(request, f"/projets/{slug}", N_("La revue des accès est faite pour cette année."))


@router.post("/{slug}/responsable")
def name_responsible(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office = secretariat_of(request)
    with office.acting(person) as (session, audit):
        projects.name_responsible(session, slug, said(form, "user", most=64), person, audit=audit)
    return see_other(request, f"/projets/{slug}", N_("Le responsable du projet est changé."))


@router.post("/{slug}/demandes")
def ask_change(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    """Begin a renewal, or else an amendment."""
    office = secretariat_of(request)
    kind = Kind.RENEWAL if said(form, "kind") == Kind.RENEWAL else Kind.AMENDMENT
    with office.acting(person) as (session, audit):
        made = dossiers.begin_change(session, person, kind, slug, audit=audit)
    return see_other(request, f"/demandes/{made.id}/formulaire")


@router.post("/{slug}/suspendre")
def suspend(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office, why = secretariat_of(request), reason(form)
    with office.acting(person) as (session, audit):
        projects.suspend(session, slug, person, reason=why, at=office.clock(), audit=audit)
    return see_other(request, f"/projets/{slug}", N_("Le projet est suspendu : ses accès sont fermés."))


@router.post("/{slug}/reprendre")
def resume(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office, why = secretariat_of(request), reason(form)
    with office.acting(person) as (session, audit):
        projects.resume(
            session, slug, person, reason=why, policy=office.review, today=office.today, audit=audit
        )
    return see_other(request, f"/projets/{slug}", N_("La suspension est levée."))


@router.post("/{slug}/clore")
def close(request: Request, slug: str, person: Visitor, form: Form) -> Response:
    office, why = secretariat_of(request), reason(form)
    with office.acting(person) as (session, audit):
        projects.close(session, slug, person, reason=why, audit=audit)
    return see_other(request, f"/projets/{slug}", N_("Le projet est clos."))
