"""Which workspaces and models held the rows of whoever objected: for the DPO, from a receipt.

From three things: the projects that had individual data, now or by the log (a project's access and snapshot
stand in its events); whether the person is in that snapshot, and in a centre of the grant; and who asked
there before the objection. The page shows projects, people who asked and releases; of the person who objected
nothing but what the receipt says. What the log no longer holds it can't tell, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub_config.desk.office import Office, office_of, require
from hub_config.desk.participation.pages import in_words
from hub_config.desk.participation.texts import PROBLEMS
from hub_config.desk.rules import Act
from hub_config.desk.texts import N_
from hub_config.governance.actions import all_projects
from hub_config.governance.audit.reading import Wanted, backwards
from hub_config.governance.audit.record import Record
from hub_config.governance.centres import Merged, reached
from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts
from hub_config.governance.moments import aware
from hub_config.governance.objections.facts import Subject
from hub_config.governance.register.leaving import leavers
from hub_config.governance.releases.facts import FileKind, RequestFacts
from hub_config.governance.releases.reading import released
from hub_config.governance.rights import actions, erasures
from hub_config.governance.rights.actions import BadRight
from hub_config.governance.rights.entries import entries_of
from hub_config.governance.rights.facts import EntryKind, EntryState, Erasure, Receipt
from hub_config.governance.services import is_service
from hub_config.warehouse.local_ids import centres_of, numbering_of
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.snapshot import list_snapshots
from hub_config.web.answers import Told, see_other
from hub_config.web.login import Visitor
from hub_config.web.pages import page

_KINDS: Final[Mapping[Subject, Kind]] = {Subject.PATIENT: Kind.PATIENT, Subject.PHYSICIAN: Kind.PHYSICIAN}
_ASKED: Final = Wanted(what=("gateway.query",), decision=("allowed",))
_CHARTERED: Final = Wanted(what=("project.create", "project.amend"))

ASKED: Final = N_("C'est demandé : chacun le voit dans « Copies à effacer ».")

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Release:
    id: str
    title: str
    released_at: datetime | None
    has_model: bool


@dataclass(frozen=True)
class Holding:
    """Somebody who was given rows in a project, how often and from when to when."""

    person: str
    questions: int
    first: datetime
    last: datetime

    @property
    def is_service(self) -> bool:
        """Whether the enclave itself asked, in a run of a registered notebook: nobody logs in as that."""
        return is_service(self.person)


@dataclass(frozen=True)
class Holder:
    """A project whose workspaces may hold the person's rows. `certain` False: its grant changed since, and
    what centres it had then is not known. `entries` are tables that were brought in: they may be of the same
    people, and nothing of the enclave can tell."""

    project: str
    title: str
    snapshots: tuple[int, ...]
    certain: bool
    holdings: tuple[Holding, ...]
    releases: tuple[Release, ...]
    entries: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """The person's centres in a snapshot, and which are merged there."""

    centres: frozenset[str]
    merged: Merged

    def is_within(self, grant: Grant) -> bool:
        """Whether a question of the grant could be about them: one of merged centres is answered to who was
        granted all of these."""
        reach = reached(grant.centres, self.merged)
        return reach is None or bool(self.centres & reach)


@router.get("/participation/recepisses/{receipt}/espaces")
async def workspaces(request: Request, person: Visitor, receipt: str) -> Response:
    require(person, Act.TRACE_OBJECTOR)
    office = office_of(request)

    def read() -> tuple[Receipt, list[Holder], dict[tuple[str, str], Erasure], frozenset[str]]:
        office.note(person, "rights.trace", receipt=receipt[:16])
        found, asked = _on_record(office, receipt)
        with office.store.session() as session:
            gone = frozenset(each.username for each in leavers(session))
        return found, holders(office, found), {(each.project, each.username): each for each in asked}, gone

    found, held, asked, gone = await run_in_threadpool(read)
    return page(request, "desk/holders.html", person, receipt=found, holders=held, erasures=asked, gone=gone)


@router.post("/participation/recepisses/{receipt}/effacements")
async def ask_erasure(request: Request, person: Visitor, receipt: str) -> Response:
    """Ask everybody whom the page shows to erase what they hold."""
    require(person, Act.TRACE_OBJECTOR)
    office = office_of(request)

    def write() -> None:
        found, _ = _on_record(office, receipt)
        held = [(each.project, one.person) for each in holders(office, found) for one in each.holdings]
        with office.acting(person) as (session, audit):
            erasures.ask(session, receipt, held, at=office.clock(), audit=audit)

    await run_in_threadpool(in_words, write)
    return see_other(request, f"/participation/recepisses/{receipt}/espaces", told=ASKED)


def _on_record(office: Office, receipt: str) -> tuple[Receipt, list[Erasure]]:
    try:
        with office.store.session() as session:
            return actions.receipt_of(session, receipt), erasures.of_receipt(session, receipt)
    except BadRight:
        raise Told(404, PROBLEMS["no-receipt"]) from None


def holders(office: Office, receipt: Receipt) -> list[Holder]:
    """The projects that had individual data in which the person was, with who asked before the objection."""
    presence = _presence(office, receipt)
    with office.store.session() as session:
        projects = {facts.slug: facts for facts in all_projects(session)}
        releases = {slug: list(released(session, slug)) for slug in projects}
        brought = {slug: _tables_in(session, slug, receipt.recorded_at) for slug in projects}
    chartered = _chartered(office)
    asked = _asked(office, before=receipt.recorded_at)
    found = []
    for slug, facts in projects.items():
        seen = _seen(facts, chartered.get(slug, ()), presence)
        if seen is None or slug not in asked:
            continue
        snapshots, certain = seen
        left = tuple(_releases(releases[slug], before=receipt.recorded_at))
        found.append(Holder(slug, facts.title, snapshots, certain, asked[slug], left, brought[slug]))
    return found


def _tables_in(session: Session, project: str, before: datetime) -> tuple[str, ...]:
    return tuple(
        entry.name
        for entry in entries_of(session, project)
        if entry.kind is EntryKind.TABLE
        and entry.state is EntryState.ACCEPTED
        and entry.submitted_at < before
    )


def _presence(office: Office, receipt: Receipt) -> dict[int, _Place]:
    """The person's centres in each snapshot they are in."""
    known = list_snapshots(office.settings.warehouse_dir)
    kind = _KINDS[receipt.subject]
    of_it = [each for each in known if numbering_of(each, kind) == receipt.numbering]
    found = ((each, centres_of(each, kind, receipt.number)) for each in of_it)
    return {each.number: _Place(held, each.manifest.merged) for each, held in found if held}


def _chartered(office: Office) -> dict[str, list[tuple[str, int]]]:
    """Each project's accesses and snapshots over time, newest first, as the log has them."""
    found: dict[str, list[tuple[str, int]]] = {}
    for record in backwards(office.settings.audit_dir, office.settings.keys_dir, _CHARTERED):
        access, snapshot = record.details.get("access"), record.details.get("snapshot")
        if record.project and isinstance(access, str) and isinstance(snapshot, int):
            found.setdefault(record.project, []).append((access, snapshot))
    return found


def _seen(
    facts: ProjectFacts, chartered: Iterable[tuple[str, int]], presence: Mapping[int, _Place]
) -> tuple[tuple[int, ...], bool] | None:
    """The snapshots in which the project could see the person, and whether that is certain."""
    rows = AccessLevel.MICRODATA
    held = {
        number for number in presence if _followed(facts, number) and presence[number].is_within(facts.grant)
    }
    now = facts.grant.access is rows and bool(held)
    earlier = {snapshot for access, snapshot in chartered if access == rows.value and snapshot in presence}
    unchanged = len(list(chartered)) <= 1
    if unchanged and facts.grant.access is rows:
        earlier = set()
    snapshots = sorted(earlier | (held if now else set()))
    return (tuple(snapshots), now) if snapshots else None


def _followed(facts: ProjectFacts, number: int) -> bool:
    """Whether the project's questions were, or may have been, answered on it: since it was founded, where it
    follows the newest."""
    return number == facts.snapshot if facts.rolling is None else number >= facts.snapshot


def _asked(office: Office, *, before: datetime) -> dict[str, tuple[Holding, ...]]:
    """By project: who was given anything unprotected, how often, from when to when, before that moment."""
    limit = before.astimezone(UTC).isoformat(timespec="microseconds")
    found: dict[str, dict[str, tuple[int, str, str]]] = {}
    for record in backwards(office.settings.audit_dir, office.settings.keys_dir, _ASKED):
        if record.at > limit or record.project is None or not _may_hold_rows(record):
            continue
        of_project = found.setdefault(record.project, {})
        count, _, last = of_project.get(record.who, (0, "", record.at))
        of_project[record.who] = (count + 1, record.at, last)
    return {project: tuple(_holdings(people)) for project, people in found.items()}


def _may_hold_rows(record: Record) -> bool:
    """A draft shows no rows; what one's own practice recorded, one had before."""
    return record.details.get("protection") != "exploration" and record.details.get("scope") != "own"


def _holdings(people: Mapping[str, tuple[int, str, str]]) -> Iterator[Holding]:
    moment = datetime.fromisoformat
    for person, (count, first, last) in sorted(people.items()):
        yield Holding(person, count, moment(first), moment(last))


def _releases(requests: Iterable[RequestFacts], *, before: datetime) -> Iterator[Release]:
    for request in requests:
        at = request.released_at
        if at is not None and aware(at) < before:
            has_model = any(file.kind is FileKind.MODEL_JSON for file in request.files)
            yield Release(request.id, request.title, at, has_model)
