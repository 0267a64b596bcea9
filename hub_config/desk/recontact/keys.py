"""Practices' keys: recorded by the AQD, confirmed by somebody else; and the tool, for whoever needs it. HTTP
only."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.office import Office, office_of, require
from hub_config.desk.participation.pages import (
    LOOKUP,
    TOO_OFTEN,
    note_lookup,
    said,
    searched,
)
from hub_config.desk.participation.texts import UNFOUND
from hub_config.desk.recontact.texts import DONE, NO_SOURCE, in_words
from hub_config.desk.rules import Act
from hub_config.governance.objections.facts import Subject
from hub_config.governance.recontact import keys
from hub_config.governance.recontact.problems import BadRecontact, Why
from hub_config.governance.rights.actions import practices
from hub_config.governance.rights.facts import Practice
from hub_config.governance.roles import Person
from hub_config.warehouse.local_ids import Found, Missing, find
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.sealing.envelope import BadKey, fingerprint_of
from hub_config.web.answers import Told, download, see_other
from hub_config.web.forms import Form
from hub_config.web.login import Visitor

TOOL: Final = "cabinet.html"
OTHERS_GP: Final = "others-gp"
_LONGEST_KEY: Final = 4000

router = APIRouter(include_in_schema=False)


@router.get("/recontact/outil")
async def tool(request: Request, person: Visitor) -> Response:
    """The practice's page, to be kept as a file: it works without any network."""
    require(person, Act.SEE_RECONTACT)
    content = (files("hub_config.desk.recontact") / "tool" / TOOL).read_bytes()
    return download("recontact-cabinet.html", content, "text/html; charset=utf-8")


@router.post("/recontact/cles")
async def record(request: Request, person: Visitor, form: Form) -> Response:
    """A practice's public key, with the fingerprint the GP read aloud and their identifier."""
    require(person, Act.KEEP_KEYS)
    await run_in_threadpool(_record, office_of(request), person, form)
    return see_other(request, "/recontact", told=DONE)


@router.post("/recontact/cles/{key}/confirmation")
async def confirm(request: Request, person: Visitor, form: Form, key: str) -> Response:
    """The second person heard the fingerprint, too, and the GP's identifier."""
    require(person, Act.CONFIRM_KEYS)
    await run_in_threadpool(in_words, lambda: _confirm(office_of(request), person, form, key))
    return see_other(request, "/recontact", told=DONE)


@router.post("/recontact/cles/{key}/fin")
async def end(request: Request, person: Visitor, key: str) -> Response:
    """Lost, or no longer the practice's alone."""
    require(person, Act.CONFIRM_KEYS)
    office = office_of(request)

    def write() -> None:
        with office.acting(person) as (session, audit):
            keys.end_key(session, key, at=office.clock(), audit=audit)

    await run_in_threadpool(in_words, write)
    return see_other(request, "/recontact", told=DONE)


def _record(office: Office, person: Person, form: FormData) -> None:
    """Everything else is checked before the GP is looked up: an error after would tell of the identifier."""
    practice = in_words(lambda: _practice(office, said(form, "cabinet")))
    public_key = in_words(lambda: _checked_key(form))
    found = _gp(office, person, practice, said(form, "identifiant"))

    def write() -> None:
        with office.acting(person) as (session, audit):
            keys.record_key(
                session,
                practice.reference,
                public_key,
                found.number,
                fingerprint=fingerprint_of(public_key),
                heard=said(form, "empreinte"),
                numbering=found.numbering,
                at=office.clock(),
                audit=audit,
            )

    def noted() -> None:
        try:
            write()
        except BadRecontact as problem:
            if problem.why is Why.OTHERS_GP:  # it tells that the identifier is somebody's
                note_lookup(office, person, Subject.PHYSICIAN, OTHERS_GP, practice.source)
            raise

    in_words(noted)


def _confirm(office: Office, person: Person, form: FormData, key: str) -> None:
    """One answer for a wrong fingerprint, nobody's identifier and another GP's: what is not theirs is not
    told apart, and each look-up counts."""
    heard = said(form, "empreinte")
    with office.store.session() as session:
        held = keys.check_may_confirm(session, key, heard, who=person.username)
    found = _looked_up(office, person, held.source, said(form, "identifiant"))
    if not isinstance(found, Found):
        raise BadRecontact(Why.FINGERPRINT)
    if (found.number, found.numbering) != (held.physician_no, held.numbering):
        note_lookup(office, person, Subject.PHYSICIAN, OTHERS_GP, held.source)
        raise BadRecontact(Why.FINGERPRINT)
    with office.acting(person) as (session, audit):
        keys.confirm_key(
            session,
            key,
            heard,
            found.number,
            numbering=found.numbering,
            at=office.clock(),
            audit=audit,
        )


def _practice(office: Office, reference: str) -> Practice:
    with office.store.session() as session:
        for practice in practices(session):
            if practice.reference == reference and practice.left_on is None:
                return practice
    raise BadRecontact(Why.NO_PRACTICE)


def _checked_key(form: FormData) -> str:
    value = form.get("cle")
    text = value.strip() if isinstance(value, str) else ""
    try:
        fingerprint = fingerprint_of(text[: _LONGEST_KEY + 1])
    except BadKey:
        raise BadRecontact(Why.BAD_KEY) from None
    keys.require_heard(fingerprint, said(form, "empreinte"))
    return text


def _gp(office: Office, person: Person, practice: Practice, identifier: str) -> Found:
    found = _looked_up(office, person, practice.source, identifier)
    if not isinstance(found, Found):
        raise Told(422, NO_SOURCE if found is Missing.NO_SOURCE else UNFOUND[found])
    return found


def _looked_up(office: Office, person: Person, source: str, identifier: str) -> Found | Missing:
    """As for an objection: nobody is looked up without a trace, nor too often without success."""
    if searched(office, person):
        note_lookup(office, person, Subject.PHYSICIAN, "too-often", source)
        raise Told(429, TOO_OFTEN)
    places = office.settings.warehouse_dir, office.settings.keys_dir
    found = find(*places, source, Kind.PHYSICIAN, identifier)
    if not isinstance(found, Found):
        note_lookup(office, person, Subject.PHYSICIAN, found.value, source)
    return found


__all__ = ["LOOKUP", "TOOL", "router"]
