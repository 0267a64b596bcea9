"""The inbound airlock's pages: hand a file in, look at what others handed in. HTTP only.

A member of the project hands in; a table is looked at by somebody else, who answers for the project or is a
DIM physician. What is looked at is shown as text, never rendered.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.entries.checks import MOST_BYTES, Checked, check
from hub_config.desk.entries.texts import FINDINGS, KINDS, STATES
from hub_config.desk.office import Office, office_of, require_here
from hub_config.desk.participation.pages import in_words, said
from hub_config.desk.texts import N_
from hub_config.governance.actions import project_facts, projects_of
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.problems import UnknownProject
from hub_config.governance.rights import entries
from hub_config.governance.rights.actions import BadRight
from hub_config.governance.rights.facts import Entry, EntryKind, EntryState, EntryStep
from hub_config.governance.roles import Person, Role
from hub_config.governance.rules import Denial, why_not
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.pages import page
from p4dp_sdk.wire.errors import ErrorCode

LINES_SHOWN: Final = 200
LINE_SHOWN: Final = 160
NOT_A_MEMBER: Final = N_(
    "Vous ne pouvez rien faire entrer dans ce projet : vous n'en êtes pas membre, ou il n'est pas ouvert."
)
CHARTER_FIRST: Final = N_(
    "Acceptez d'abord la charte (menu « Charte ») : rien n'entre dans un projet sans elle. Puis revenez ici."
)
NOT_A_LOOKER: Final = N_(
    "Ce fichier est regardé par un responsable de son projet ou par un médecin DIM, jamais par son auteur."
)
NO_FILE: Final = N_("Choisissez un fichier, un type et un usage, puis recommencez.")
ACCEPTED: Final = N_("Le fichier est accepté : il est dans le dossier « entrees » de l'espace de travail.")
WAITS: Final = N_("Le fichier attend un regard. Vous le trouverez ensuite dans le dossier « entrees ».")
DONE: Final = N_("C'est enregistré.")


def _still_here(request: Request, person: Visitor) -> None:
    """Before any page of these: by membership or by role, a leaver looks at nothing."""
    with office_of(request).store.session() as session:
        require_here(session, person)


router = APIRouter(include_in_schema=False, dependencies=[Depends(_still_here)])


@router.get("/entrees")
async def home(request: Request, person: Visitor) -> Response:
    """The person's projects, and what waits for their look."""
    office = office_of(request)

    def read() -> tuple[list[ProjectFacts], list[Entry]]:
        with office.store.session() as session:
            waiting = [each for each in entries.waiting(session) if _may_look(session, person, each)]
            return projects_of(session, person.username), waiting

    projects, waiting = await run_in_threadpool(read)
    denials = [(facts, why_not(person.username, facts, office.today)) for facts in projects]
    return page(
        request,
        "desk/entries.html",
        person,
        projects=[facts for facts, denial in denials if denial is None],
        first=CHARTER_FIRST if any(_lacks_charter(denial) for _, denial in denials) else "",
        waiting=waiting,
        kinds=KINDS,
    )


@router.get("/entrees/{project}")
async def of_project(request: Request, person: Visitor, project: str) -> Response:
    office = office_of(request)

    def read() -> tuple[ProjectFacts, list[Entry]]:
        with office.store.session() as session:
            facts = _joined(session, office, person, project)
            found = entries.entries_of(session, project)
        _deliver(office, found)
        return facts, found

    facts, found = await run_in_threadpool(read)
    return page(
        request, "desk/project_entries.html", person, facts=facts, entries=found, kinds=KINDS, states=STATES
    )


@router.post("/entrees/{project}/fichiers")
async def hand_in(request: Request, person: Visitor, form: Form, project: str) -> Response:
    office, sent, kind = office_of(request), form.get("fichier"), said(form, "type")
    if not isinstance(sent, UploadFile) or kind not in set(EntryKind) or not said(form, "usage"):
        raise Told(422, NO_FILE)
    content = await sent.read(MOST_BYTES + 1)
    name = (sent.filename or "")[:120]

    def write() -> Entry:
        with office.store.session() as session:
            _joined(session, office, person, project)
        checked = check(EntryKind(kind), name, content)
        if not checked.fits:
            _turn_away(office, person, project, EntryKind(kind), checked)
        purpose = said(form, "usage")
        return _handed_in(office, person, project, EntryKind(kind), name, checked, purpose)

    entry = await run_in_threadpool(in_words, write)
    told = ACCEPTED if entry.state is EntryState.ACCEPTED else WAITS
    return see_other(request, f"/entrees/{project}", told=told)


@router.get("/entrees/regards/{number}")
async def show(
    request: Request, person: Visitor, number: str, feuille: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> Response:
    office = office_of(request)

    def read() -> tuple[Entry, list[str]]:
        with office.store.session() as session:
            entry = entries.entry_of(session, number)
            if not _may_look(session, person, entry):
                raise Told(403, NOT_A_LOOKER)
        return entry, _rows(entries.Shelf(office.settings.home).read(entry.sha256).decode())

    entry, lines = await run_in_threadpool(in_words, read)
    return page(
        request,
        "desk/entry.html",
        person,
        entry=entry,
        lines=lines[(feuille - 1) * LINES_SHOWN : feuille * LINES_SHOWN],
        total=len(lines),
        sheet=feuille,
        sheets=max(1, -(-len(lines) // LINES_SHOWN)),
        kinds=KINDS,
    )


@router.post("/entrees/regards/{number}")
async def look(request: Request, person: Visitor, form: Form, number: str) -> Response:
    office, wanted = office_of(request), said(form, "avis")
    step = EntryStep.ACCEPT if wanted == EntryStep.ACCEPT else EntryStep.REFUSE

    def write() -> None:
        with office.acting(person) as (session, audit):
            handed_in = entries.entry_of(session, number)
            if not _may_look(session, person, handed_in):
                raise Told(403, NOT_A_LOOKER)
            entries.Shelf(office.settings.home).read(handed_in.sha256)  # what was looked at is still there
            entry = entries.look(
                session, number, step, reason=said(form, "motif"), at=office.clock(), audit=audit
            )
            found = entries.entries_of(session, entry.project)
        _deliver(office, found)

    await run_in_threadpool(in_words, write)
    return see_other(request, "/entrees", told=DONE)


def _rows(text: str) -> list[str]:
    """Every sign of the file, in rows that a page can show: nothing lies beyond the right edge, and empty
    lines push nothing out of sight."""
    lines = (line for line in text.splitlines() if line.strip())
    return [line[start : start + LINE_SHOWN] for line in lines for start in range(0, len(line), LINE_SHOWN)]


def _joined(session: Session, office: Office, person: Person, project: str) -> ProjectFacts:
    """The project, if this person may work there now. Raises Told."""
    try:
        facts = project_facts(session, project)
    except UnknownProject:
        raise Told(403, NOT_A_MEMBER) from None
    if (denial := why_not(person.username, facts, office.today)) is not None:
        raise Told(403, CHARTER_FIRST if _lacks_charter(denial) else NOT_A_MEMBER)
    return facts


def _lacks_charter(denial: Denial | None) -> bool:
    return denial is not None and denial.code is ErrorCode.CHARTER_NOT_ACCEPTED


def _may_look(session: Session, person: Person, entry: Entry) -> bool:
    if entry.requester == person.username:
        return False
    return Role.MEDECIN_DIM in person.roles or person.username in entries.leads(session, entry.project)


def _turn_away(office: Office, person: Person, project: str, kind: EntryKind, checked: Checked) -> None:
    codes = " ".join(finding.value for finding in checked.findings)
    with office.acting(person) as (session, audit):
        entries.refused(audit, session, project, kind, codes)
    raise Told(422, FINDINGS[checked.findings[0]])


def _handed_in(
    office: Office, person: Person, project: str, kind: EntryKind, name: str, checked: Checked, purpose: str
) -> Entry:
    sha256 = entries.Shelf(office.settings.home).keep(checked.content)
    with office.acting(person) as (session, audit):
        entry = entries.hand_in(
            session,
            project,
            kind,
            name,
            sha256=sha256,
            size=len(checked.content),
            purpose=purpose,
            look=checked.look,
            at=office.clock(),
            audit=audit,
        )
        found = entries.entries_of(session, project)
    _deliver(office, found)
    return entry


def _deliver(office: Office, found: list[Entry]) -> None:
    """Have what should lie in a project's folder lie there."""
    shelf = entries.Shelf(office.settings.home)
    for entry in entries.lying(found):
        with suppress(BadRight):  # bytes that are gone or were changed stay out
            shelf.deliver(entry)
