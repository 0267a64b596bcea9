"""Who reviews: the physicians the committee named, their absences, and who stands in for them."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.pages.asking import Allowed, Asked
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.pages.desk import Doing
from hub_config.airlock.pages.rules import Door
from hub_config.airlock.pool import actions as pool
from hub_config.airlock.texts import AirlockProblem, Problem
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)
NOT_A_DAY = N_("Ce n’est pas une date : choisissez-la dans le calendrier, ou écrivez 2026-11-30.")


@router.get("/relecteurs")
def reviewers(request: Request, asked: Allowed) -> Response:
    return page(
        request,
        "pool.html",
        asked.person,
        reviewers=asked.desk.pool(asked.today),
        may_name=asked.desk.opens(asked.person, Door.NAMING, asked.today),
    )


@router.post("/relecteurs/nommer")
def name(request: Request, asked: Allowed, form: Form) -> Response:
    asked.desk.change(
        asked.person,
        lambda do: pool.name_reviewer(
            do.session, asked.person, field(form, "reviewer"), at=do.at, audit=do.audit
        ),
    )
    return see_other(request, "/relecteurs", N_("Le relecteur est nommé."))


@router.post("/relecteurs/retirer")
def remove(request: Request, asked: Allowed, form: Form) -> Response:
    asked.desk.change(
        asked.person,
        lambda do: pool.remove_reviewer(
            do.session, asked.person, field(form, "reviewer"), at=do.at, audit=do.audit
        ),
    )
    return see_other(request, "/relecteurs", N_("Le relecteur est retiré ; les avis qu’il a donnés restent."))


@router.get("/absences")
def absences(request: Request, asked: Allowed) -> Response:
    on_pool = next((one for one in asked.desk.pool(asked.today) if one.name == asked.person.username), None)
    others = [one.name for one in asked.desk.pool(asked.today) if one.name != asked.person.username]
    return page(request, "absences.html", asked.person, me=on_pool, others=others)


@router.post("/absences")
def be_absent(request: Request, asked: Allowed, form: Form) -> Response:
    """An absence, and with it who stands in, if anybody."""
    _note_absence(asked, form)
    return see_other(request, "/absences", N_("Votre absence est enregistrée."))


@router.post("/relecteurs/absences")
def note_absence(request: Request, asked: Allowed, form: Form) -> Response:
    """The committee notes it for somebody who can't: a physician who fell ill keeps no request waiting."""
    _note_absence(asked, form, who=_reviewer(form))
    return see_other(request, "/relecteurs", N_("L’absence est enregistrée : d’autres sont attendus."))


@router.post("/absences/fin")
def be_back(request: Request, asked: Allowed) -> Response:
    _end_absences(asked)
    return see_other(request, "/absences", N_("Vos absences sont levées : les demandes vous attendent."))


@router.post("/relecteurs/retour")
def note_return(request: Request, asked: Allowed, form: Form) -> Response:
    _end_absences(asked, who=_reviewer(form))
    return see_other(request, "/relecteurs", N_("Ses absences sont levées."))


def _note_absence(asked: Asked, form: Form, *, who: str = "") -> None:
    """Of `who`, or of whoever asks."""
    first, last, delegate = _day(field(form, "first")), _day(field(form, "last")), field(form, "delegate")

    def away(do: Doing) -> None:
        pool.be_absent(do.session, asked.person, first, last, at=do.at, audit=do.audit, who=who)
        if delegate.strip():
            pool.delegate(do.session, asked.person, delegate, first, last, at=do.at, audit=do.audit, who=who)

    asked.desk.change(asked.person, away)


def _end_absences(asked: Asked, *, who: str = "") -> None:
    asked.desk.change(
        asked.person, lambda do: pool.be_back(do.session, asked.person, at=do.at, audit=do.audit, who=who)
    )


def _reviewer(form: Form) -> str:
    """Whom it is about. Raises AirlockProblem where nobody is named: it would be whoever asks."""
    if not (named := field(form, "reviewer").strip()):
        raise AirlockProblem(Problem.UNKNOWN_REVIEWER)
    return named


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Told(400, NOT_A_DAY) from None
