"""Notebooks of a project's own: a member asks that the enclave run one, a physician reads its code and
decides.

What is read, registered and run are the cells alone, by their SHA-256. Who may do what, `rules.registering`
says; an address names a notebook by its number, and whoever may not see it is told that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from hub_config.airlock.intake.home import Home, Listing, listing, read
from hub_config.airlock.pages.asking import Allowed, Asked
from hub_config.airlock.pages.ballots import field
from hub_config.airlock.pages.desk import Doing
from hub_config.airlock.pages.news import read_news
from hub_config.airlock.pages.notebook_words import KINDS, REFUSALS, SIGNS, STATES
from hub_config.airlock.pool.notebooks import tell_readers, tell_requester
from hub_config.airlock.rules.code_signs import signs, signs_of_text
from hub_config.airlock.rules.permission import why_not_open, why_not_request
from hub_config.airlock.rules.registering import Act, why_not
from hub_config.airlock.texts import TEXTS, AirlockProblem, Denied, Problem
from hub_config.governance.facts import AccessLevel, ProjectFacts
from hub_config.governance.notebooks import actions, reading
from hub_config.governance.notebooks.actions import Wanted
from hub_config.governance.notebooks.facts import NotebookState, NotebookStep, Registration
from hub_config.governance.notebooks.problems import BadNotebook, Why
from hub_config.governance.releases.reading import membership, pool_on
from hub_config.governance.report_runs.parameters import Parameter, source
from hub_config.governance.report_runs.templates import Template
from hub_config.governance.roles import Person
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.pages import page, text
from hub_config.web.texts import N_

router = APIRouter(include_in_schema=False)
LARGEST: Final = 4 * 1024**2  # of a file with its outputs, which are not taken along
_FIELDS: Final = ("file", "name", "purpose", "outputs", "rows")
NO_PROJECT: Final = N_("Choisissez un projet dans lequel vous travaillez aujourd’hui.")
_NO_READERS: Final = frozenset({Problem.OWN_PROJECT, Problem.READS_THE_LOG})
NO_FILE: Final = N_("Choisissez le notebook à enregistrer.")
BROKEN: Final = N_(
    "Ce notebook n’est plus celui qui a été enregistré. Prévenez le délégué à la protection des données."
)
ASKED: Final = N_("Le notebook est enregistré : il attend la lecture d’un médecin.")
DECIDED: Final = {
    NotebookStep.APPROVE: N_("Le notebook est accepté : l’opérateur peut l’exécuter."),
    NotebookStep.REFUSE: N_("Le notebook est refusé, avec votre motif."),
}
WITHDRAWN: Final = N_(
    "Le notebook est retiré : il ne s’exécute plus, et ce qu’il a produit n’est plus reproduit."
)


@dataclass(frozen=True)
class CellView:
    """One cell as it will run. `number` counts all cells, from 1."""

    number: int
    is_code: bool
    holds_parameters: bool
    source: str
    signs: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """A notebook, and what this person may do with it."""

    facts: Registration
    cells: tuple[CellView, ...]
    parameters: tuple[Parameter, ...]
    may: frozenset[Act]


# --- lists -------------------------------------------------------------------------------------------------


@router.get("/notebooks")
def listed(request: Request, asked: Allowed) -> Response:
    """Those of one's projects; for a reviewer, those that wait for a look of theirs."""
    titles = {one.slug: one.title for one in _projects(asked)}
    with asked.desk.store.session() as session:
        own = reading.of_projects(session, titles)
        waiting = _waiting(session, asked)
    return page(
        request, "notebooks.html", asked.person, own=own, waiting=waiting, titles=titles, states=STATES
    )


def waits_for(asked: Asked) -> int:
    """How many notebooks this person may decide on."""
    with asked.desk.store.session() as session:
        return len(_waiting(session, asked))


def _waiting(session: Session, asked: Asked) -> list[Registration]:
    found = reading.in_state(session, NotebookState.ASKED)
    return [each for each in found if _denial(session, asked, Act.DECIDE, each) is None]


# --- asking ------------------------------------------------------------------------------------------------


@router.get("/notebooks/nouveau")
def new(
    request: Request,
    asked: Allowed,
    projet: str = "",
    d: Annotated[list[str] | None, Query(max_length=20)] = None,
) -> Response:
    """One folder of one's home in the project; `d`: the names on the way to it."""
    return _form(request, asked, projet, tuple(d or ()), dict.fromkeys(_FIELDS, ""))


@router.post("/notebooks/nouveau")
def ask(request: Request, asked: Allowed, form: Form) -> Response:
    project = field(form, "project")
    folder = tuple(one for one in form.getlist("d") if isinstance(one, str))
    written = {name: field(form, name).strip() for name in _FIELDS}
    facts = _project(asked, project)
    if not written["file"].endswith(".ipynb"):
        return _form(request, asked, project, folder, written, text(request, NO_FILE))
    wanted = Wanted(
        facts.slug, written["name"], written["purpose"], written["outputs"], written["rows"] == "1"
    )
    try:
        content = read(_home(asked, project), folder, written["file"], limit=LARGEST)
        asked.desk.turns.note_bytes(asked.person.username, len(content))
        made = asked.desk.change(asked.person, lambda do: _ask(do, wanted, content, asked.person))
    except AirlockProblem as problem:
        return _form(request, asked, project, folder, written, asked.told(request, problem))
    except BadNotebook as problem:
        return _form(request, asked, project, folder, written, _said(request, problem))
    return see_other(request, f"/notebooks/{made.id}", ASKED)


def _ask(do: Doing, wanted: Wanted, content: bytes, who: Person) -> Registration:
    """The rule is asked again in the transaction that writes."""
    project = wanted.project
    if denial := why_not_request(who, project, membership(do.session, project), do.at.date()):
        raise denial.denied()
    made = actions.ask(do.session, wanted, content, who.username, at=do.at, audit=do.audit)
    tell_readers(do.session, made, do.at)
    return made


def _form(
    request: Request,
    asked: Asked,
    project: str,
    folder: tuple[str, ...],
    written: dict[str, str],
    problem: str = "",
) -> Response:
    chosen = _project(asked, project) if project else None
    found = listing(_home(asked, project), folder) if chosen else Listing()
    return page(
        request, "notebook_new.html", asked.person, status=409 if problem else 200,
        projects=_projects(asked), chosen=chosen, folder=folder, listed=found,
        files=[file for file in found.files if file.name.endswith(".ipynb")],
        gives_rows=chosen is not None and chosen.grant.access is AccessLevel.MICRODATA,
        written=written, problem=problem,
    )  # fmt: skip


def _projects(asked: Asked) -> tuple[ProjectFacts, ...]:
    return asked.desk.projects(asked.person, asked.today)


def _project(asked: Asked, slug: str) -> ProjectFacts:
    """A project this person may work in today. Raises Told (404)."""
    found = next((one for one in _projects(asked) if one.slug == slug), None)
    if found is None:
        raise Told(404, NO_PROJECT)
    return found


def _home(asked: Asked, project: str) -> Home:
    return Home(asked.desk.settings.homes_dir, project, asked.person.username)


# --- one notebook ------------------------------------------------------------------------------------------


@router.get("/notebooks/{number}")
def show(request: Request, number: str, asked: Allowed) -> Response:
    shown = _screen(request, asked, number)
    read_news(asked.desk, asked.person, number)
    return shown


@router.post("/notebooks/{number}/avis")
def decide(request: Request, number: str, asked: Allowed, form: Form) -> Response:
    """Approve, or refuse with a reason. What was read is named by its hash."""
    approves = field(form, "verdict") == NotebookStep.APPROVE.value
    step = NotebookStep.APPROVE if approves else NotebookStep.REFUSE
    taking = Taking(Act.DECIDE, step, field(form, "reason"), field(form, "sha256"))
    return _taken(request, asked, number, taking, DECIDED[step])


@router.post("/notebooks/{number}/retirer")
def withdraw(request: Request, number: str, asked: Allowed) -> Response:
    return _taken(request, asked, number, Taking(Act.WITHDRAW, NotebookStep.WITHDRAW), WITHDRAWN)


@dataclass(frozen=True)
class Taking:
    """A step as its form sends it. `seal`: the hash of what was shown; None where nothing is judged."""

    act: Act
    step: NotebookStep
    reason: str = ""
    seal: str | None = None


def _taken(request: Request, asked: Asked, number: str, taking: Taking, told: str) -> Response:
    """The rule is asked in the transaction that changes: who joined the project meanwhile decides no more."""
    who = asked.person.username

    def change(do: Doing) -> Registration:
        facts = _judged(do.session, asked, taking.act, number)
        if taking.seal not in (None, facts.sha256):
            raise BadNotebook(Why.STEP)
        taken = actions.take(do.session, number, taking.step, who, taking.reason, at=do.at, audit=do.audit)
        tell_requester(do.session, taken, taking.step, who, do.at)
        return taken

    try:
        asked.desk.change(asked.person, change)
    except BadNotebook as problem:
        return _screen(request, asked, number, _said(request, problem))
    return see_other(request, f"/notebooks/{number}", told)


def _screen(request: Request, asked: Asked, number: str, problem: str = "") -> Response:
    with asked.desk.store.session() as session:
        facts = _judged(session, asked, Act.VIEW, number)
        content = reading.content_of(session, facts)
        may = frozenset(act for act in Act if _denial(session, asked, act, facts) is None)
        stopped = _stopped(session, asked, facts)
    if content is None:
        raise Told(409, BROKEN)
    template = Template(facts.name, content, facts)
    view = View(facts, _cells(template), template.parameters, may)
    return page(
        request, "notebook.html", asked.person, status=409 if problem else 200,
        n=view, title=asked.desk.title_of(facts.project), Act=Act, states=STATES, words=SIGNS, kinds=KINDS,
        problem=problem, stopped=asked.told(request, stopped),
    )  # fmt: skip


def _stopped(session: Session, asked: Asked, facts: Registration) -> Denied | None:
    """Why it waits, and this person has no form to decide on it."""
    if facts.state is not NotebookState.ASKED:
        return None
    ended = why_not_open(facts.project, membership(session, facts.project), asked.today)
    denied = ended.denied() if ended else _denial(session, asked, Act.DECIDE, facts)
    return denied if denied is not None and (ended or denied.problem in _NO_READERS) else None


def _judged(session: Session, asked: Asked, act: Act, number: str) -> Registration:
    """The notebook, if this person may do that to it. Raises Told (404) where they may not know of it, and
    Denied."""
    facts = reading.find(session, number)
    if facts is None or _denial(session, asked, Act.VIEW, facts) is not None:
        raise Told(404, TEXTS[Problem.UNKNOWN_REQUEST])
    denial = _denial(session, asked, act, facts)
    if denial is not None:
        raise denial
    return facts


def _denial(session: Session, asked: Asked, act: Act, facts: Registration) -> Denied | None:
    found = why_not(
        asked.person, act, facts,
        members=membership(session, facts.project), pool=pool_on(session, asked.today),
    )  # fmt: skip
    return None if found is None else found.denied()


def _cells(template: Template) -> tuple[CellView, ...]:
    return tuple(_cell(number, cell) for number, cell in enumerate(template.notebook["cells"], 1))


def _cell(number: int, cell: dict[str, object]) -> CellView:
    is_code, written = cell["cell_type"] == "code", source(cell)
    tagged = bool(cell.get("metadata"))
    found = signs(written) if is_code else signs_of_text(written)
    return CellView(number, is_code, tagged, written, tuple(sign.value for sign in found))


def _said(request: Request, problem: BadNotebook) -> str:
    return text(request, REFUSALS[problem.why], line=problem.line)
