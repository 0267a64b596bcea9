"""Small pieces that all pages of the register use: refusals into words, texts read from forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.problems import GovernanceProblem, StoreProblem
from hub_config.governance.register import reading
from hub_config.governance.register.facts import DossierFacts
from hub_config.governance.roles import Person, Role
from hub_config.register import texts
from hub_config.register.form import Problems, clean, parse_day
from hub_config.register.problems import Denied, NoSuch, RegisterProblem, Stale, Unfit
from hub_config.register.rules import Act, Denial, why_not
from hub_config.register.secretariat import Secretariat
from hub_config.web.answers import Told
from hub_config.web.errors import told_page
from hub_config.web.pages import page, text

LONGEST_REASON: Final = 4_000
LABELS: Final[Mapping[str, Any]] = {
    "legal_bases": texts.LEGAL_BASES,
    "access_labels": texts.ACCESS,
    "recontact_labels": texts.RECONTACT,
    "scopes": texts.SCOPES,
    "kinds": texts.KINDS,
    "states": texts.STATES,
    "state_tones": texts.STATE_TONES,
    "offices": texts.OFFICES,
    "verdicts": texts.VERDICTS,
    "verdict_tones": texts.VERDICT_TONES,
    "ballots": texts.BALLOTS,
    "statuses": texts.STATUSES,
    "status_tones": texts.STATUS_TONES,
    "status_notes": texts.STATUS_NOTES,
    "role_labels": texts.ROLES,
    "reviews": texts.REVIEWS,
    "denials": texts.DENIALS,
    "in_french": lambda said, day: day(found) if (found := parse_day(said or "")) else said or "",
}
"""What templates look words up in."""

_LATER: Final = frozenset(
    {Denial.NOT_NOW, Denial.ALREADY_VOTED, Denial.ALREADY_DECIDED, Denial.NO_QUORUM, Denial.TIED}
)


def answer_in_words(app: FastAPI) -> None:
    """What the register refuses becomes a page that says what, why and what next."""

    @app.exception_handler(RegisterProblem)
    def refused(request: Request, problem: RegisterProblem) -> Response:
        return told_page(request, told(problem))

    @app.exception_handler(GovernanceProblem)
    def governed(request: Request, problem: GovernanceProblem) -> Response:
        words = texts.SAME_MOMENT if isinstance(problem, StoreProblem) else texts.REFUSED
        return told_page(request, Told(409, words))


def show(
    request: Request, template: str, person: Person | None, context: Mapping[str, Any], *, status: int = 200
) -> Response:
    """A page of the register, with its vocabularies."""
    return page(request, f"register/{template}.html", person, status=status, **{**LABELS, **context})


def told(problem: RegisterProblem) -> Told:
    match problem:
        case Denied(denial=denial):
            return Told(409 if denial in _LATER else 403, texts.DENIALS[denial])
        case Stale():
            return Told(409, texts.STALE)
        case Unfit(problems=problems):
            first = next(iter(problems.values()))
            return Told(422, texts.FLAWS[first.flaw], **first.blanks)
        case _:
            return Told(404, texts.NO_SUCH)


def in_words(request: Request, problems: Problems) -> dict[str, str]:
    """What is wrong at each field."""
    return {name: text(request, texts.FLAWS[one.flaw], **one.blanks) for name, one in problems.items()}


def visible(office: Secretariat, dossier_id: str, person: Person) -> DossierFacts:
    """The dossier, for whoever may see it. Raises NoSuch, and Told for somebody who left."""
    office.greet(person)
    with office.reading() as session:
        found = reading.dossier(session, dossier_id)
    if found is None or why_not(person, Act.VIEW, found, quorum=office.quorum) is not None:
        raise NoSuch(dossier_id)
    return found


def said(form: FormData, name: str, *, most: int = LONGEST_REASON) -> str:
    """One text of a form, cleaned; empty where there is none. Longer than `most` is cut."""
    value = form.get(name)
    return clean(value)[:most] if isinstance(value, str) else ""


def many(form: FormData, name: str) -> list[str]:
    return [clean(value) for value in form.getlist(name) if isinstance(value, str)][:500]


def fields(form: FormData) -> dict[str, list[str]]:
    """Every text field, files left out."""
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


def reason(form: FormData, name: str = "reason") -> str:
    """A written reason. Raises Told where there is none."""
    given = said(form, name)
    if not given:
        raise Told(422, texts.REASON_NEEDED)
    return given


def version(form: FormData) -> int | None:
    """What version of the dossier the page was made from."""
    return number(form, "version")


def number(form: FormData, name: str) -> int | None:
    given = said(form, name, most=9)
    return int(given) if given.isdecimal() else None


def require(person: Person, *roles: Role) -> None:
    """Raises Told unless they have one of the roles."""
    if not person.roles & set(roles):
        raise Told(403, texts.DENIALS[Denial.NOT_YOUR_ROLE])
