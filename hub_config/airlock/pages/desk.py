"""What the pages ask: who may what, what is in a request, what lies on the shelf; and the use cases they
start, each in one transaction.

Whoever may not know of a request is told that there is none (404).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from hub_config.airlock.actions import releasing, reviewing
from hub_config.airlock.actions.holding import require_here
from hub_config.airlock.actions.releasing import ENCLAVE, Broken, Handed
from hub_config.airlock.checks import BadAnswer, ImageBlock, Preview, Reason, read_preview
from hub_config.airlock.checks.texts import Words, why_quarantined
from hub_config.airlock.intake.picking import Turns
from hub_config.airlock.intake.receiving import Search
from hub_config.airlock.pages.beside import Columns, Past
from hub_config.airlock.pages.files import Before, Material, is_drawn
from hub_config.airlock.pages.previews import Language
from hub_config.airlock.pages.queues import Case, Queue, queue_of
from hub_config.airlock.pages.reviewers import ReviewerView, reviewer_view
from hub_config.airlock.pages.rows import MineRow, mine_row
from hub_config.airlock.pages.rules import Door
from hub_config.airlock.pages.stopping import stops_by_part, stops_requester
from hub_config.airlock.pages.views import (
    Earlier,
    RecordView,
    RequestView,
    earlier,
    record_view,
    request_view,
    told_reasons,
)
from hub_config.airlock.pool.actions import pool as on_pool
from hub_config.airlock.rules.permission import PHYSICIANS, Act, Denial
from hub_config.airlock.rules.sight import seen_by
from hub_config.airlock.rules.voting import Ballot
from hub_config.airlock.rules.working_days import working_days
from hub_config.airlock.shelf import Shelf
from hub_config.airlock.states import OPEN
from hub_config.airlock.texts import TEXTS, AirlockProblem, Problem
from hub_config.governance import actions as governance
from hub_config.governance.facts import ProjectFacts
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import (
    CheckState,
    FileFacts,
    RequestFacts,
    Review,
    State,
)
from hub_config.governance.roles import Person, Role
from hub_config.governance.rules import why_not as why_not_work
from hub_config.governance.store import Store
from hub_config.settings import Settings
from hub_config.web.answers import Told

NAMERS = frozenset({Role.CSE})
POOL_READERS = NAMERS | PHYSICIANS | {Role.DPO, Role.ADMIN}
_DECIDED_SHOWN = 10
_EARLIER_SHOWN = 3
_KNOWN = 2_000  # requests whose files are remembered
_UNSEEN = frozenset({Problem.UNKNOWN_REQUEST})


T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Doing:
    """What every use case takes."""

    session: Session
    at: datetime
    audit: Recorder


@dataclass(frozen=True)
class Desk:
    store: Store
    shelf: Shelf
    settings: Settings
    now: Callable[[], datetime] = _now
    known: reading.Known = field(default_factory=dict, repr=False)
    columns: dict[tuple[str, str], Columns] = field(default_factory=dict, repr=False)
    turns: Turns = field(default_factory=Turns, repr=False)
    search: Search | None = None  # for pseudonyms: the gateway, unless given

    def _known_files(self) -> reading.Known:
        """Bounded by beginning again."""
        if len(self.known) > _KNOWN:
            self.known.clear()
        return self.known

    # --- may they? ------------------------------------------------------------------------------------------

    def judged(self, person: Person, request: str, act: Act, today: date) -> Case:
        """The request, if `person` may do `act` to it now. Raises Told: 404 where they may not know of it; a
        reviewer who was expected to read it, and has a part in the project since, is told that."""
        with self.store.session() as session:
            require_here(session, person)
            case = self._case(session, request, today)
        if case is None or self._unseen(person, case):
            part = stops_by_part(person, case) if case else None
            raise refused(part) if part else Told(404, TEXTS[Problem.UNKNOWN_REQUEST])
        denial = case.why_not(person, act)
        if denial is not None:
            raise refused(denial)
        return case

    def opens(self, person: Person, door: Door, today: date) -> bool:
        """Raises Denied for somebody who left, whichever the door."""
        with self.store.session() as session:
            require_here(session, person)
            able = reading.pool_on(session, today).able if door is Door.REVIEWERS else frozenset()
        match door:
            case Door.OWN:
                return True
            case Door.REVIEWERS:
                return person.username in able and bool(person.roles & PHYSICIANS)
            case Door.POOL:
                return bool(person.roles & POOL_READERS)
            case Door.NAMING:
                return bool(person.roles & NAMERS)

    def _unseen(self, person: Person, case: Case) -> bool:
        """Whether this person is told no more than that there is no such request: whoever could neither view
        it nor knows of it as a reviewer with a part in it."""
        denial = case.why_not(person, Act.VIEW)
        return denial is not None and case.why_not(person, Act.READ_RECORD) is not None

    def _case(self, session: Session, request: str, today: date) -> Case | None:
        facts = reading.find_request(session, request)
        if facts is None:
            return None
        members = reading.membership(session, facts.project)
        return Case(facts, members, reading.pool_on(session, today))

    def first_page(self, person: Person, today: date) -> str:
        return "/relecture" if self.opens(person, Door.REVIEWERS, today) else "/demandes"

    # --- changes --------------------------------------------------------------------------------------------

    def change(self, person: Person, act: Callable[[Doing], T]) -> T:
        """One use case in one transaction, in this person's name. Raises AirlockProblem."""
        with self.store.change() as session:
            require_here(session, person)
            return act(Doing(session, self.now(), self.store.recorder(person.username)))

    def follow(self, request: str) -> RequestFacts | None:
        """Carry out an approval, if there is one; the request then."""
        with self.store.session() as session:
            found = reading.find_request(session, request)
        if found is None or found.state is not State.APPROVED:
            return found
        with self.store.change() as session:
            gate = self.store.recorder(ENCLAVE)
            return releasing.release(
                session, self.shelf, request, settings=self.settings, at=self.now(), audit=gate
            ).request

    def taken(self, person: Person, case: Case) -> Case:
        """The request, in review from the first reviewer who opens it."""
        if case.request.state is not State.SUBMITTED or case.why_not(person, Act.TAKE) is not None:
            return case
        facts = self.change(
            person,
            lambda do: reviewing.take(do.session, person, case.request.id, at=do.at, audit=do.audit),
        )
        return replace(case, request=facts)

    def download(self, person: Person, request: str, number: int) -> Handed:
        """A released file, as it was reviewed. Raises AirlockProblem."""
        handed = self.change(
            person,
            lambda do: releasing.download(
                do.session, self.shelf, person, request, number,
                settings=self.settings, at=do.at, audit=do.audit,
            ),
        )  # fmt: skip
        if isinstance(handed, Broken):
            raise AirlockProblem(Problem.SHELF_BROKEN)
        return handed

    def record(self, request: str) -> str:
        """The disclosure record, as it was written with the release."""
        with self.store.session() as session:
            record = reading.record_of(session, request)
        if record is None:
            raise AirlockProblem(Problem.UNKNOWN_REQUEST)
        return record

    # --- lists ----------------------------------------------------------------------------------------------

    def mine(self, person: Person, today: date) -> tuple[MineRow, ...]:
        with self.store.session() as session:
            requests = reading.requests_of(session, person.username)
            titles = _titles(session, requests)
            memberships = reading.memberships(session, [r.project for r in requests])
            pool = reading.pool_on(session, today)
        cases = [Case(request, memberships[request.project], pool) for request in requests]
        return tuple(
            mine_row(
                seen_by(person, case.request, case.members),
                titles[case.request.project],
                stopped=stops_requester(person, case) is not None,
            )
            for case in cases
        )

    def title_of(self, project: str) -> str:
        with self.store.session() as session:
            return reading.titles(session, [project])[project]

    def projects(self, person: Person, today: date) -> tuple[ProjectFacts, ...]:
        """Those whose results this person may ask to take out."""
        with self.store.session() as session:
            found = governance.projects_of(session, person.username)
        return tuple(one for one in found if why_not_work(person.username, one, today) is None)

    def queue(self, person: Person, today: date) -> Queue:
        with self.store.session() as session:
            decided = reading.recently_decided(session, _DECIDED_SHOWN)
            requests = [*reading.requests_in(session, OPEN, self._known_files()), *decided]
            titles = _titles(session, requests)
            memberships = reading.memberships(session, [r.project for r in requests])
            pool = reading.pool_on(session, today)
        cases = [Case(request, memberships[request.project], pool) for request in requests]
        return queue_of(
            person, cases, titles, partial(_age, today=today), late_after=self.settings.airlock.reminder_days
        )

    def pool(self, today: date) -> tuple[ReviewerView, ...]:
        with self.store.session() as session:
            return tuple(reviewer_view(one, today) for one in on_pool(session, today))

    # --- one request ----------------------------------------------------------------------------------------

    def view(self, person: Person, case: Case, language: Language) -> RequestView:
        """The request as its requester sees it: until it is decided, beside what left at their asking."""
        request = seen_by(person, case.request, case.members)
        waits = request.state is State.DRAFT or request.state in OPEN
        with self.store.session() as session:
            titles = _titles(session, [request])
            left = _left_before(session, request) if waits else []
        materials = {file.number: self._material(file, language) for file in request.files}
        own = [each for each in left if each.requester == person.username]
        shown = request_view(
            request,
            titles[request.project],
            materials,
            case.may(person),
            language,
            reasons=told_reasons(case.request),
            left=self._past.left(materials.values(), own),
        )
        return replace(shown, earlier=tuple(self._told_earlier(person, case)))

    def _told_earlier(self, person: Person, case: Case) -> Iterator[Earlier]:
        """What was said of the requests that this one mends, the latest first."""
        previous = case.request.previous
        with self.store.session() as session:
            for _ in range(_EARLIER_SHOWN):
                before = reading.find_request(session, previous) if previous else None
                if before is None or before.requester != person.username:
                    return
                told = earlier(seen_by(person, before, case.members), told_reasons(before))
                if told.reasons or told.comments:
                    yield told
                previous = before.previous

    def reviewed(
        self, person: Person, case: Case, language: Language, cast: Ballot | None = None
    ) -> RequestView:
        """As a reviewer sees it: beside what the project released, and what it was before. `cast`: a vote
        that was not taken, to be mended."""
        request = seen_by(person, case.request, case.members)
        with self.store.session() as session:
            titles = _titles(session, [request])
            left = _left_before(session, request)
            before = _read_before(session, request)
        materials = {file.number: self._material(file, language) for file in request.files}
        return request_view(
            request,
            titles[request.project],
            materials,
            case.may(person),
            language,
            mine=_own(person, request, cast, self.now()),
            unavailable=tuple(_unavailable(person, case, request)),
            left=self._past.left(materials.values(), left),
            before=self._before(before),
        )

    def on_record(self, person: Person, case: Case) -> RecordView:
        """That it was, and how it went. A reader who is no voter sees votes once they are decided."""
        request = case.request
        seen = seen_by(person, request, case.members)
        with self.store.session() as session:
            titles = _titles(session, [request])
        return record_view(seen, titles[request.project], case.may(person))

    def image(self, case: Case, number: int, block: int) -> ImageBlock | None:
        """A picture of a file's preview, encoded anew by the checks; None where there is none."""
        file = case.request.file(number)
        blocks = self._preview(file).blocks if file else ()
        found = blocks[block] if 0 <= block < len(blocks) else None
        return found if isinstance(found, ImageBlock) else None

    def drawing(self, case: Case, number: int) -> bytes | None:
        """A drawing's own bytes, where the checks found nothing in it that acts or leads elsewhere."""
        file = case.request.file(number)
        return self.shelf.read(file.sha256) if file is not None and is_drawn(file) else None

    def _material(self, file: FileFacts, language: Language) -> Material:
        return Material(file, self._preview(file), _why_put_aside(file, language))

    def _preview(self, file: FileFacts) -> Preview:
        """What the checks show of it; nothing of a file put aside, or whose preview can't be read."""
        if file.checked is not CheckState.CHECKED or not file.checker:
            return Preview()
        try:
            document = self.shelf.get_preview(file.sha256, file.checker)
            return read_preview(document) if document is not None else Preview()
        except (BadAnswer, ValueError):
            return Preview()

    @property
    def _past(self) -> Past:
        return Past(self._preview, self.columns)

    def _before(self, request: RequestFacts | None) -> Before | None:
        if request is None:
            return None
        return Before(request, {file.sha256: self._preview(file) for file in request.files})


def _age(request: RequestFacts, today: date) -> int:
    """Days of work since it was sent."""
    return working_days(request.submitted_at.date(), today) if request.submitted_at else 0


def _own(person: Person, request: RequestFacts, cast: Ballot | None, now: datetime) -> Review | None:
    """This person's vote: that on record, or the one they are about to mend."""
    if cast is not None:
        kept = {"files": cast.files, "comment": cast.comment, "reasons": cast.reasons}
        return Review(person.username, cast.verdict, now, cast.seal, **kept)  # type: ignore[arg-type]
    return next((review for review in request.reviews if review.reviewer == person.username), None)


def _unavailable(person: Person, case: Case, seen: RequestFacts) -> Iterator[str]:
    """Voters, among those this person may know of, who can't act any more."""
    if case.why_not(person, Act.REPLACE) is None:
        for review in seen.reviews:
            if review.reviewer != person.username and review.reviewer not in case.pool.present:
                yield review.reviewer


def _why_put_aside(file: FileFacts, language: Language) -> Words | None:
    if file.checked is not CheckState.QUARANTINED or file.proof is None:
        return None
    told = file.proof.get("quarantine")
    return why_quarantined(Reason(told), language) if told in set(Reason) else None


def refused(denial: Denial) -> Told:
    status = 404 if denial.problem in _UNSEEN else 403
    return Told(status, TEXTS[denial.problem], **denial.blanks)


def _read_before(session: Session, request: RequestFacts) -> RequestFacts | None:
    """What it resubmits, if physicians sent that back: nothing is unchanged since nobody looked at it."""
    before = reading.find_request(session, request.previous) if request.previous else None
    return before if before is not None and before.state is State.RETURNED else None


def _left_before(session: Session, request: RequestFacts) -> list[RequestFacts]:
    """What the project released, but for itself."""
    return [other for other in reading.released(session, request.project) if other.id != request.id]


def _titles(session: Session, requests: list[RequestFacts]) -> Mapping[str, str]:
    return reading.titles(session, (request.project for request in requests))
