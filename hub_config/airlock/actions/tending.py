"""What the airlock does by itself, every few minutes: release what was approved when a process died, expect
others where somebody can't look, remind, withdraw forgotten drafts, clear the shelf.

Each is one transaction with its audit events, in the enclave's name; doing it twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from hub_config.airlock.actions.drafting import expire
from hub_config.airlock.actions.holding import Held, locked
from hub_config.airlock.actions.releasing import ENCLAVE, release
from hub_config.airlock.pool import notebooks
from hub_config.airlock.pool.assigning import assign, choose, lacks_reviewers, loads
from hub_config.airlock.rules.permission import barred
from hub_config.airlock.rules.voting import Conflict, counted, outcome
from hub_config.airlock.rules.working_days import working_days
from hub_config.airlock.shelf import Shelf
from hub_config.airlock.states import OPEN
from hub_config.airlock.texts import Denied
from hub_config.governance.notices.models import NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import Membership, RequestFacts, State
from hub_config.governance.releases.models import ReleaseAssignment, ReleaseFile, ReleaseRequest
from hub_config.governance.store import Store
from hub_config.settings import Settings

_UNNAMED_SECONDS: Final = 24 * 3600  # a file that no request names yet may be about to be named


@dataclass(frozen=True)
class Tended:
    """What was done, by the ids of the requests; `notebooks`: of whose readers some were reminded."""

    released: tuple[str, ...]
    reassigned: tuple[str, ...]
    reminded: tuple[str, ...]
    expired: tuple[str, ...]
    notebooks: tuple[str, ...] = ()


def tend(store: Store, shelf: Shelf, settings: Settings, at: datetime) -> Tended:
    """All of it, at this moment."""
    audit = store.recorder(ENCLAVE)
    released = _release_approved(store, shelf, settings, at)
    with store.change() as session:
        reassigned = [id for id in _ids(session, OPEN) if _reassign(session, id, at, audit)]
    with store.change() as session:
        reminded = [id for id in _ids(session, OPEN) if _remind(session, id, settings, at, audit)]
    with store.change() as session:
        expired = expire(session, settings=settings.airlock, at=at, audit=audit)
    with store.change() as session:
        days = settings.airlock.reminder_days
        unread = notebooks.waiting(session)
        late = [id for id in unread if notebooks.remind_readers(session, id, days, at, audit)]
    clear(store, shelf)
    return Tended(tuple(released), tuple(reassigned), tuple(reminded), tuple(expired), tuple(late))


def clear(store: Store, shelf: Shelf, *, now: float | None = None) -> int:
    """Take off the shelf what no request names, and what only drafts named that were never submitted and are
    withdrawn. How many files."""
    moment = time.time() if now is None else now
    with store.session() as session:
        kept = frozenset(session.scalars(_named()))
    gone = [sha for sha in shelf.held() if sha not in kept and shelf.age(sha, moment) > _UNNAMED_SECONDS]
    for sha256 in gone:
        shelf.discard(sha256)
    shelf.clear_drafts(moment, _UNNAMED_SECONDS)
    return len(gone)


def _release_approved(store: Store, shelf: Shelf, settings: Settings, at: datetime) -> list[str]:
    with store.session() as session:
        approved = _ids(session, [State.APPROVED])
    released = []
    for request in approved:
        with suppress(Denied), store.change() as session:  # a suspended project's waits
            release(session, shelf, request, settings=settings, at=at, audit=store.recorder(ENCLAVE))
            released.append(request)
    return released


def _reassign(session: Session, request: str, at: datetime, audit: Recorder) -> bool:
    """Expect others, where one of those expected can't look, or more are needed."""
    held = _open(session, request, at)
    if held is None:
        return False
    facts = held.facts
    if not lacks_reviewers(facts, held.members, held.pool):
        return False
    wanted = choose(facts, held.members, held.pool, loads(session, excluding=request))
    if set(wanted) == set(facts.assigned):
        return False  # nobody else can
    assign(session, held.row, facts, (held.members, held.pool), at)
    audit.record(session, "release.assign", held.row.project, request=request, reviewers=len(wanted))
    return True


def _remind(session: Session, request: str, settings: Settings, at: datetime, audit: Recorder) -> bool:
    held = _open(session, request, at)
    if held is None:
        return False
    facts = held.facts
    waited_for = _waited_for(facts, held.members)
    late = [row for row in held.row.assignments if row.reviewer in waited_for and _is_late(row, settings, at)]
    for row in late:
        row.reminded_at = at
    if late:
        post(session, NoticeKind.REMINDER, [row.reviewer for row in late], request, at)
        audit.record(session, "release.remind", held.row.project, request=request, reviewers=len(late))
    return bool(late)


def _waited_for(facts: RequestFacts, members: Membership) -> frozenset[str]:
    """Those expected who have not voted; once all have, and disagree, the voters."""
    reviews = counted(facts, barred(facts, members))
    voted = frozenset(review.reviewer for review in reviews)
    consolidating = isinstance(outcome(reviews, facts.looks_needed), Conflict)
    return voted if consolidating else frozenset(facts.assigned) - voted


def _is_late(row: ReleaseAssignment, settings: Settings, at: datetime) -> bool:
    since = row.reminded_at or row.assigned_at
    return working_days(since.date(), at.date()) >= settings.airlock.reminder_days


def _open(session: Session, request: str, at: datetime) -> Held | None:
    """None where it waits for nobody, as in a suspended project."""
    held = locked(session, request, at)
    waits = held is not None and State(held.row.state) in OPEN and not held.members.stopped
    return held if waits else None


def _ids(session: Session, states: Collection[State]) -> list[str]:
    query = select(ReleaseRequest.id).where(ReleaseRequest.state.in_([state.value for state in states]))
    return list(session.scalars(query.order_by(ReleaseRequest.submitted_at, ReleaseRequest.id)))


def _named() -> Select[str]:
    """Hashes that a request still stands for: all but those of drafts that were withdrawn as such."""
    return (
        select(ReleaseFile.sha256)
        .join(ReleaseRequest, ReleaseRequest.id == ReleaseFile.request)
        .where((ReleaseRequest.state != State.WITHDRAWN.value) | ReleaseRequest.submitted_at.is_not(None))
    )
