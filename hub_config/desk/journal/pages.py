"""The DPO's pages of the log. HTTP only; each look is itself an event."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.journal.views import VIEWS, Kind, Tally, row, who_saw_what
from hub_config.desk.office import Checked, Office, office_of, require
from hub_config.desk.rules import Act
from hub_config.desk.texts import N_
from hub_config.governance.audit import AuditBroken
from hub_config.governance.audit.export import Format, export
from hub_config.governance.audit.reading import PAGE, Page, Wanted, backwards, newest
from hub_config.web.answers import Told, download, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.pages import page

MOST_COUNTED: Final = 200_000
PERIOD: Final = timedelta(days=30)
BROKEN: Final = N_(
    "Le journal d'audit n'est pas dans l'état où il a été écrit : prévenez l'administrateur, qui lancera "
    "« p4dp-enclave audit verify ». Rien n'y a été changé depuis cette page."
)
INTACT: Final = N_("Le journal est intact.")
TORN: Final = N_("Le journal est rompu : voyez ci-dessous, et prévenez l'administrateur.")
NOT_A_DAY: Final = N_("Une date s'écrit jj/mm/aaaa, ou se choisit dans le calendrier. Corrigez le filtre.")

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=200)]


def wanted_of(kind: Kind, qui: str, projet: str, du: str, au: str) -> Wanted:
    """The filter of a page's address. Raises Told for a date that is none."""
    view = VIEWS[kind]
    return Wanted(qui.strip(), projet.strip(), view.what, view.decision, day_of(du), day_of(au))


def day_of(text: str) -> date | None:
    if not text.strip():
        return None
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), pattern).date()
        except ValueError:
            continue
    raise Told(422, NOT_A_DAY)


@router.get("/journal")
async def log(
    request: Request,
    person: Visitor,
    genre: Kind = Kind.ALL,
    qui: Text = "",
    projet: Text = "",
    du: Text = "",
    au: Text = "",
    avant: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    require(person, Act.READ_LOG)
    office = office_of(request)
    wanted = wanted_of(genre, qui, projet, du, au)

    def read() -> Page:
        office.note(person, "audit.read", kind=genre.value, person=wanted.who, of_project=wanted.project)
        return newest(office.settings.audit_dir, office.settings.keys_dir, wanted, limit=PAGE, before=avant)

    try:
        found = await run_in_threadpool(read)
    except AuditBroken:
        raise Told(500, BROKEN) from None
    return page(
        request,
        "desk/journal.html",
        person,
        rows=[row(record) for record in found.records],
        older=found.older,
        views=VIEWS,
        genre=genre,
        asked={"qui": qui, "projet": projet, "du": du, "au": au},
        checked=office.checked,
        moment_of=datetime.fromisoformat,
    )


@router.get("/journal/personnes")
async def persons(
    request: Request, person: Visitor, qui: Text = "", projet: Text = "", du: Text = "", au: Text = ""
) -> Response:
    """Who saw what: by person and project, over a period."""
    require(person, Act.READ_LOG)
    office = office_of(request)
    wanted = wanted_of(Kind.SEEN, qui, projet, du, au)
    wanted = replace(wanted, decision=(), first=wanted.first or office.today - PERIOD)

    def read() -> tuple[dict[tuple[str, str], Tally], bool]:
        office.note(person, "audit.read", kind="personnes", person=wanted.who, of_project=wanted.project)
        records = backwards(office.settings.audit_dir, office.settings.keys_dir, wanted)
        tallies = who_saw_what(islice(records, MOST_COUNTED))
        return tallies, next(records, None) is not None

    try:
        tallies, cut = await run_in_threadpool(read)
    except AuditBroken:
        raise Told(500, BROKEN) from None
    return page(
        request,
        "desk/persons.html",
        person,
        tallies=tallies,
        cut=cut,
        first=wanted.first,
        last=wanted.last or office.today,
        asked={"qui": qui, "projet": projet, "du": du, "au": au},
        moment_of=datetime.fromisoformat,
    )


@router.post("/journal/verification")
async def check(request: Request, person: Visitor) -> Response:
    """Read the whole log again, now."""
    require(person, Act.READ_LOG)
    office = office_of(request)
    await run_in_threadpool(office.note, person, "audit.verify")
    checked: Checked = await run_in_threadpool(office.check_log)
    return see_other(request, "/journal", told=INTACT if checked.outcome.intact else TORN)


@router.post("/journal/export")
async def take_out(request: Request, person: Visitor, form: Form) -> Response:
    """The events of the filter as a file; taking them out is itself an event."""
    require(person, Act.READ_LOG)
    office = office_of(request)
    kind = Format.JSONL if form.get("format") == "jsonl" else Format.CSV
    genre = str(form.get("genre") or "")
    said = [str(form.get(name) or "")[:200] for name in ("qui", "projet", "du", "au")]
    wanted = wanted_of(Kind(genre) if genre in set(Kind) else Kind.ALL, *said)
    try:
        content = await run_in_threadpool(_exported, office, wanted, kind, person.username)
    except AuditBroken:
        raise Told(500, BROKEN) from None
    name = f"journal-{office.today.isoformat()}.{kind.value}"
    return download(name, content, "text/csv; charset=utf-8" if kind is Format.CSV else "application/jsonl")


def _exported(office: Office, wanted: Wanted, kind: Format, who: str) -> bytes:
    output = io.StringIO(newline="")
    settings = office.settings
    export(settings.audit_dir, settings.keys_dir, wanted, kind, output, who=who, language="fr")
    text = output.getvalue()
    return text.encode("utf-8-sig" if kind is Format.CSV else "ascii")
