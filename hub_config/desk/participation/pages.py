"""Participation and withdrawals: for the AQD who visits practices, and the DPO. HTTP only.

A person is found by the identifier of their practice's software, one at a time; the page never learns a
name, never says whether somebody is in a snapshot otherwise, and never shows a number. What was typed is not
kept: the objection holds the number, the receipt a reference of whoever keeps the letter.

Nobody learns whether an identifier is anybody's without a trace: everything else about a form is checked
before anybody is looked up, so what is found is objected, what is not is on the log, and who finds nothing
too often in a day goes on with the DPO.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.office import Office, office_of, require
from hub_config.desk.participation.texts import PROBLEMS, UNFOUND
from hub_config.desk.rules import Act, may
from hub_config.desk.texts import N_
from hub_config.governance.audit import AuditBroken, AuditEvent, Decision
from hub_config.governance.audit.reading import Wanted, newest
from hub_config.governance.audit.reading import find as find_event
from hub_config.governance.objections.facts import ObjectionScope, Subject
from hub_config.governance.rights import actions
from hub_config.governance.rights.actions import BadRight
from hub_config.governance.rights.facts import Practice, Receipt
from hub_config.governance.roles import Person
from hub_config.warehouse.local_ids import LOADED, Found, find, sources
from hub_config.warehouse.pseudonyms import Kind
from hub_config.web.answers import Told, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor
from hub_config.web.pages import page

KINDS: Final[Mapping[Subject, Kind]] = {Subject.PATIENT: Kind.PATIENT, Subject.PHYSICIAN: Kind.PHYSICIAN}
UNCHECKED: Final = N_(
    "Seul le DPO lève une opposition : relisez l'identifiant et la portée, puis cochez la case."
)
NOT_A_DATE: Final = N_("La date manque, ou elle est à venir. Choisissez-la dans le calendrier.")
CHANGED: Final = N_("C'est enregistré.")

TOO_OFTEN: Final = N_(
    "Trop d'identifiants sans correspondance aujourd'hui : par précaution, voyez la suite avec le délégué à "
    "la protection des données. Rien n'a été enregistré."
)
MOST_UNFOUND: Final = 15  # a day and person: slips of the pen, not a search
LOOKUP: Final = "participation.lookup"

T = TypeVar("T")

router = APIRouter(include_in_schema=False)


@router.get("/participation")
async def home(request: Request, person: Visitor) -> Response:
    require(person, Act.RECORD_PARTICIPATION)
    office = office_of(request)

    def read() -> tuple[list[Receipt], list[Practice], list[str]]:
        with office.store.session() as session:
            known = sources(office.settings.warehouse_dir)
            return actions.receipts(session, by=_whose(person)), actions.practices(session), known

    receipts, practices, known = await run_in_threadpool(read)
    return page(
        request,
        "desk/participation.html",
        person,
        today=office.today,
        receipts=receipts,
        practices=practices,
        sources=known,
    )


@router.post("/participation/oppositions")
async def object_to_it(request: Request, person: Visitor, form: Form) -> Response:
    """A patient or a GP objects: from the next question on, nobody sees their rows."""
    require(person, Act.RECORD_PARTICIPATION)
    office = office_of(request)
    subject = Subject.PHYSICIAN if said(form, "qui") == Subject.PHYSICIAN else Subject.PATIENT
    receipt = await run_in_threadpool(_objected, office, person, subject, form, "")
    return see_other(request, f"/participation/recepisses/{receipt.id}")


@router.post("/participation/retraits")
async def leave(request: Request, person: Visitor, form: Form) -> Response:
    """A practice's GP withdraws."""
    require(person, Act.RECORD_PARTICIPATION)
    office, reference = office_of(request), said(form, "cabinet")
    if not reference:
        raise Told(404, PROBLEMS["no-practice"])
    receipt = await run_in_threadpool(_objected, office, person, Subject.PHYSICIAN, form, reference)
    return see_other(request, f"/participation/recepisses/{receipt.id}")


@router.post("/participation/entrees")
async def enter(request: Request, person: Visitor, form: Form) -> Response:
    require(person, Act.RECORD_PARTICIPATION)
    office = office_of(request)
    on = day_in(form, "date", office.today)

    def write() -> None:
        with office.acting(person) as (session, audit):
            source, software = as_written(office, said(form, "source")), said(form, "logiciel")
            actions.enter(
                session, said(form, "cabinet"), source=source, software=software, on=on, audit=audit
            )

    await run_in_threadpool(in_words, write)
    return see_other(request, "/participation", told=CHANGED)


def as_written(office: Office, source: str) -> str:
    """A loaded source as its snapshots write it, where only its own name was typed: what is looked up in the
    practice's source later goes by that."""
    known, loaded = sources(office.settings.warehouse_dir), f"{LOADED}{source}"
    return loaded if source not in known and loaded in known else source


@router.post("/participation/logiciels")
async def change_software(request: Request, person: Visitor, form: Form) -> Response:
    require(person, Act.RECORD_PARTICIPATION)
    office = office_of(request)
    on = day_in(form, "date", office.today)

    def write() -> None:
        with office.acting(person) as (session, audit):
            actions.change_software(
                session, said(form, "cabinet"), software=said(form, "logiciel"), on=on, audit=audit
            )

    await run_in_threadpool(in_words, write)
    return see_other(request, "/participation", told=CHANGED)


@router.get("/participation/recepisses/{receipt}")
async def show_receipt(request: Request, person: Visitor, receipt: str) -> Response:
    """The receipt, to print; with what the audit log says of it now. For whoever recorded it, and the DPO."""
    require(person, Act.SEE_RECEIPT)
    office = office_of(request)

    def read() -> tuple[Receipt, bool]:
        with office.store.change() as session:
            if _whose(person) not in (None, actions.receipt_of(session, receipt).recorded_by):
                raise BadRight("no-receipt")
            found = actions.confirm(session, receipt, at=office.clock())
        return found, _is_in_log(office, found)

    found, logged = await run_in_threadpool(in_words, read)
    return page(
        request,
        "desk/receipt.html",
        person,
        receipt=found,
        logged=logged,
        may_trace=may(person, Act.TRACE_OBJECTOR),
    )


def _whose(person: Person) -> str | None:
    """Whose receipts this person sees: the DPO everybody's."""
    return None if may(person, Act.TRACE_OBJECTOR) else person.username


def _objected(office: Office, person: Person, subject: Subject, form: FormData, cabinet: str) -> Receipt:
    """The receipt, once the objection is on disk and in effect. Raises Told."""
    if said(form, "relu") != "oui":
        raise Told(422, UNCHECKED)
    source, identifier, kind = said(form, "source"), said(form, "identifiant"), KINDS[subject]
    in_words(lambda: _check_the_rest(office, form, cabinet))
    if searched(office, person):
        note_lookup(office, person, subject, "too-often", source)
        raise Told(429, TOO_OFTEN)
    found = find(office.settings.warehouse_dir, office.settings.keys_dir, source, kind, identifier)
    if not isinstance(found, Found):
        note_lookup(office, person, subject, found.value, source)
        raise Told(422, UNFOUND[found])
    recorded = in_words(lambda: _recorded(office, person, subject, found, form, cabinet))
    with office.store.change() as session:
        return actions.confirm(session, recorded.id, at=office.clock())


def _check_the_rest(office: Office, form: FormData, cabinet: str) -> None:
    """Everything that can be wrong but the identifier: an error after it is looked up would tell that it is
    somebody's."""
    if not cabinet:
        actions.check_reference(said(form, "reference"))
        return
    with office.store.session() as session:
        practice = actions.who_may_leave(session, cabinet)
    if practice.source != said(form, "source") and practice.source in sources(office.settings.warehouse_dir):
        raise BadRight("source")


def searched(office: Office, person: Person) -> bool:
    """Whether this person found nobody too often today; the log counts, so a restart forgets nothing. A log
    that broke stops no objection."""
    if may(person, Act.TRACE_OBJECTOR):
        return False
    wanted = Wanted(who=person.username, what=(LOOKUP,), first=office.today)
    settings = office.settings
    try:
        found = newest(settings.audit_dir, settings.keys_dir, wanted, limit=MOST_UNFOUND)
    except AuditBroken:
        return False
    return len(found.records) >= MOST_UNFOUND


def note_lookup(office: Office, person: Person, subject: Subject, code: str, source: str) -> None:
    details = {"of": subject.value, "code": code, "source": source[:200]}
    office.store.audit.append(AuditEvent(person.username, LOOKUP, None, Decision.REFUSED, details))


def _recorded(
    office: Office, person: Person, subject: Subject, found: Found, form: FormData, cabinet: str
) -> Receipt:
    at, source = office.clock(), said(form, "source")
    scope = ObjectionScope.FUTURE if said(form, "portee") == ObjectionScope.FUTURE else ObjectionScope.ALL
    with office.acting(person) as (session, audit):
        if cabinet:
            return actions.leave(
                session,
                cabinet,
                found.number,
                numbering=found.numbering,
                scope=scope,
                source=source,
                at=at,
                audit=audit,
            )
        return actions.record_objection(
            session,
            subject,
            found.number,
            numbering=found.numbering,
            scope=scope,
            source=source,
            reference=said(form, "reference"),
            at=at,
            audit=audit,
        )


def _is_in_log(office: Office, receipt: Receipt) -> bool:
    """Whether the log still holds the event of this receipt, by its hash and number."""
    try:
        event = find_event(office.settings.audit_dir, office.settings.keys_dir, receipt.event)
    except AuditBroken:
        return False
    return event is not None and event.details.get("receipt") == receipt.id


def in_words(work: Callable[[], T]) -> T:
    """What `work` gives; what it refuses, as a page in words."""
    try:
        return work()
    except BadRight as problem:
        raise Told(404 if problem.why.startswith("no-") else 422, PROBLEMS[problem.why]) from None


def said(form: FormData, name: str) -> str:
    """One text of a form, bounded."""
    value = form.get(name)
    return value.strip()[:400] if isinstance(value, str) else ""


def day_in(form: FormData, name: str, today: date) -> date:
    """A day that is not to come. Raises Told."""
    try:
        day = date.fromisoformat(said(form, name))
    except ValueError:
        raise Told(422, NOT_A_DATE) from None
    if day > today:
        raise Told(422, NOT_A_DATE)
    return day
