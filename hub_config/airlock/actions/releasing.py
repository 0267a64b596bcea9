"""Use cases at the gate: release what is approved, hand a released file to its requester, recall a release.

The bytes are hashed again each time. A release happens once, in one transaction with its record; whatever was
approved and not released yet (the process died in between) is released by the next `release`. What no longer
fits never leaves: the request goes back, or its download is refused, and that is on record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from hub_config import __version__
from hub_config.airlock.actions.holding import Held, hold, locked, move, set_aside
from hub_config.airlock.actions.standing import look_again
from hub_config.airlock.pool.assigning import assign, namers
from hub_config.airlock.rules.looks import MOST_LOOKS
from hub_config.airlock.rules.permission import Act, Someone, barred, why_not_release
from hub_config.airlock.rules.records import canonical, disclosure_record, manifest
from hub_config.airlock.rules.voting import counted, releasable
from hub_config.airlock.shelf import Shelf, ShelfBroken
from hub_config.airlock.texts import TEXTS, AirlockProblem, Denied, Problem
from hub_config.governance.audit import AuditEvent, Decision
from hub_config.governance.notices.models import NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import FileFacts, RequestFacts, State, Step
from hub_config.governance.releases.models import ReleaseComment, ReleaseDownload, ReleaseRecord
from hub_config.settings import Settings

ENCLAVE: Final = "enclave"
_MOST_REASON: Final = 2_000


@dataclass(frozen=True)
class Released:
    """It has left, now or before."""

    request: RequestFacts


@dataclass(frozen=True)
class Reopened:
    """An approval no longer counts: it waits for another look."""

    request: RequestFacts


@dataclass(frozen=True)
class Broken:
    """Bytes on the shelf are not those that were reviewed. `files`: the numbers of theirs."""

    request: RequestFacts
    files: tuple[int, ...]


@dataclass(frozen=True)
class Handed:
    """One file, hashed as it was read: exactly what was reviewed."""

    name: str
    sha256: str
    content: bytes


def release(
    session: Session, shelf: Shelf, request: str, *, settings: Settings, at: datetime, audit: Recorder
) -> Released | Reopened | Broken:
    """Carry out an approval. No person is asked: all rests on the votes that count now, on these bytes.

    Raises Denied unless the request is approved, or released already.
    """
    held = locked(session, request, at)
    if held is None:
        raise Denied(Problem.UNKNOWN_REQUEST)
    if held.facts.state is State.RELEASED:
        return Released(held.facts)
    if held.facts.state is not State.APPROVED:
        raise Denied(Problem.NOT_IN_THIS_STATE)
    if (denial := why_not_release(held.row.project, held.members)) is not None:
        raise denial.denied()
    if look_again(session, held.row, audit):
        held.row.looks_needed = MOST_LOOKS
    if not releasable(held.facts, barred(held.facts, held.members)):
        return _reopen(session, held, at, audit)
    if broken := _broken(shelf, held.facts.files):
        return _give_back(session, held, broken, settings, at, audit)
    return _let_out(session, held, settings, at, audit)


def download(
    session: Session,
    shelf: Shelf,
    person: Someone,
    request: str,
    number: int,
    *,
    settings: Settings,
    at: datetime,
    audit: Recorder,
) -> Handed | Broken:
    """A released file, for its requester. Raises Denied for anybody else, and once it is recalled."""
    held = hold(session, person, Act.DOWNLOAD, request, at=at, audit=audit)
    file = held.facts.file(number)
    if file is None:
        raise AirlockProblem(Problem.UNKNOWN_FILE)
    try:
        content = shelf.read(file.sha256)
    except ShelfBroken:
        return _refuse_broken(session, held, (number,), settings, at, audit)
    session.add(ReleaseDownload(request=request, file=number, by=person.username, at=at))
    audit.record(
        session, "release.download", held.row.project, request=request, number=number, sha256=file.sha256
    )
    return Handed(file.name, file.sha256, content)


def manifest_of(request: RequestFacts) -> str:
    """The manifest of a release, as text."""
    return canonical(manifest(request))


def recall(
    session: Session,
    person: Someone,
    request: str,
    reason: str,
    *,
    settings: Settings,
    at: datetime,
    audit: Recorder,
) -> RequestFacts:
    """Put on record that it should not have left: nobody downloads it any more, and its requester is told."""
    held = hold(session, person, Act.RECALL, request, at=at, audit=audit)
    words = reason.strip()
    if not words:
        raise AirlockProblem(Problem.WORDS_MISSING, field="reason")
    if len(words) > _MOST_REASON:
        raise AirlockProblem(Problem.WORDS_TOO_LONG, field="reason", most=_MOST_REASON)
    move(held.row, Step.RECALL, at)
    held.row.recalled_at, held.row.recalled_by, held.row.recall_reason = at, person.username, words
    post(session, NoticeKind.RECALLED, {held.row.requester, *settings.airlock.alerts}, request, at)
    audit.record(session, "release.recall", held.row.project, request=request)
    return held.facts


def _let_out(session: Session, held: Held, settings: Settings, at: datetime, audit: Recorder) -> Released:
    move(held.row, Step.RELEASE, at)
    held.row.released_at = at
    document = canonical(_record(held, settings))
    digest = hashlib.sha256(document.encode()).hexdigest()
    session.add(ReleaseRecord(request=held.row.id, made_at=at, sha256=digest, document=document))
    post(session, NoticeKind.RELEASED, [held.row.requester], held.row.id, at)
    audit.record(
        session,
        "release.release",
        held.row.project,
        request=held.row.id,
        seal=held.facts.seal,
        files=len(held.row.files),
        looks=held.row.looks_needed,
        record=digest,
    )
    return Released(held.facts)


def _record(held: Held, settings: Settings) -> dict[str, Any]:
    """The people whose vote counts are named, nobody else."""
    facts = held.facts
    outside = barred(facts, held.members)
    counting = replace(facts, reviews=counted(facts, outside))
    policy = {
        "min_patients": settings.policy.min_patients,
        "min_physicians": settings.policy.min_physicians,
        "max_physician_share": str(settings.policy.max_physician_share),
        "born_safe_at_once": settings.airlock.born_safe_at_once,
    }
    return disclosure_record(counting, policy=policy, version=__version__)


def _reopen(session: Session, held: Held, at: datetime, audit: Recorder) -> Reopened:
    """Votes of people who may not vote on it by now are put aside; others are expected."""
    outside = barred(held.facts, held.members)
    set_aside(row for row in held.row.reviews if row.reviewer in outside)
    move(held.row, Step.REOPEN, at)
    held.row.decided_at, held.row.round = None, 1
    session.flush()
    assign(session, held.row, held.facts, (held.members, held.pool), at)
    audit.record(session, "release.reopen", held.row.project, request=held.row.id)
    return Reopened(held.facts)


def _broken(shelf: Shelf, files: Iterable[FileFacts]) -> tuple[int, ...]:
    found = []
    for file in files:
        try:
            shelf.verify(file.sha256)
        except ShelfBroken:
            found.append(file.number)
    return tuple(found)


def _give_back(
    session: Session,
    held: Held,
    broken: tuple[int, ...],
    settings: Settings,
    at: datetime,
    audit: Recorder,
) -> Broken:
    """What was reviewed is gone: the request goes back, and says why."""
    move(held.row, Step.RETURN, at)
    held.row.comments.append(
        ReleaseComment(author=ENCLAVE, at=at, text=TEXTS[Problem.SHELF_BROKEN], private=False, question=False)
    )
    post(session, NoticeKind.RETURNED, [held.row.requester], held.row.id, at)
    return _refuse_broken(session, held, broken, settings, at, audit)


def _refuse_broken(
    session: Session,
    held: Held,
    broken: Collection[int],
    settings: Settings,
    at: datetime,
    audit: Recorder,
) -> Broken:
    session.flush()
    details = {"request": held.row.id, "files": ", ".join(str(number) for number in broken)}
    audit.chain.append(
        AuditEvent(audit.who, "release.shelf-broken", held.row.project, Decision.FAILED, details)
    )
    told = {*settings.airlock.alerts, *namers(session)}
    post(session, NoticeKind.SHELF_BROKEN, told, held.row.id, at, once=True)
    return Broken(held.facts, tuple(broken))
