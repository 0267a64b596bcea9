"""Use cases of the requester: open, describe, add and remove files, submit, withdraw, resubmit; and of the
enclave: note what the checks found, withdraw what nobody touches.

Each is one transaction of the caller's session and one audit event; `audit.who` is the person. Names of files
are cleaned before they are kept; no audit event holds a word of the user's, but for them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub_config.airlock.actions.holding import Held, file_row, hold, locked, move, reopen
from hub_config.airlock.actions.standing import look_again
from hub_config.airlock.pool.assigning import assign
from hub_config.airlock.rules.looks import MOST_LOOKS, HousePolicy, looks_needed
from hub_config.airlock.rules.names import cleaned
from hub_config.airlock.rules.permission import Act, Someone, why_not_request
from hub_config.airlock.rules.recourse import (
    unanswered,
)
from hub_config.airlock.shelf import Shelved
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import (
    CheckState,
    FileFacts,
    FileKind,
    OutputClass,
    RequestFacts,
    Rework,
    State,
    Step,
)
from hub_config.governance.releases.findings import Finding
from hub_config.governance.releases.models import ReleaseFile, ReleaseRequest
from hub_config.governance.releases.reading import (
    find_request,
    gives_rows,
    holds_rows,
    membership,
)
from hub_config.governance.releases.stored import file_of, finding_as_json, request_of
from hub_config.sections import AirlockSettings

MOST_OPEN: Final = 20  # drafts of one person in one project
_ALPHABET: Final = "23456789abcdefghjkmnpqrstvwxyz"  # none that reads like another
_MOST: Final[Mapping[str, int]] = {"title": 200, "purpose": 4_000, "context": 8_000, "controls": 8_000}


@dataclass(frozen=True)
class Words:
    """What a requester says of a request. The context (whom and what the files show) and the controls (how
    disclosure was prevented) are mandatory to submit."""

    title: str
    purpose: str = ""
    context: str = ""
    controls: str = ""


@dataclass(frozen=True)
class Checked:
    """What the airlock found out about a file."""

    kind: FileKind = FileKind.UNKNOWN
    output_class: OutputClass = OutputClass.UNVERIFIED
    state: CheckState = CheckState.PENDING
    findings: tuple[Finding, ...] = ()
    proof: Mapping[str, object] | None = None
    checker: str = ""


def open_draft(
    session: Session,
    person: Someone,
    project: str,
    words: Words,
    *,
    at: datetime,
    audit: Recorder,
) -> RequestFacts:
    """Begin a request. Raises Denied unless the person works in the project, AirlockProblem where they have
    too many drafts there."""
    if (denial := why_not_request(person, project, membership(session, project), at.date())) is not None:
        raise denial.denied()
    row = _begun(session, person, project, words, at)
    audit.record(session, "release.draft", project, request=row.id)
    return request_of(row)


def describe(
    session: Session, person: Someone, request: str, words: Words, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Say what it is about, in other words; what was submitted is a draft again."""
    held = hold(session, person, Act.EDIT, request, at=at, audit=audit)
    reopen(held, at)
    for name, value in _within(words).items():
        setattr(held.row, name, value)
    audit.record(session, "release.describe", held.row.project, request=request)
    return held.facts


def add_file(
    session: Session,
    person: Someone,
    request: str,
    name: str,
    shelved: Shelved,
    checked: Checked,
    *,
    settings: AirlockSettings,
    at: datetime,
    audit: Recorder,
    replacing: bool = False,
) -> FileFacts:
    """Name bytes that are on the shelf. `replacing`: instead of the file of that name. All votes are set
    aside, and the request is a draft again."""
    held = hold(session, person, Act.EDIT, request, at=at, audit=audit)
    kept = cleaned(name)
    same = next((file for file in held.row.files if file.name.casefold() == kept.casefold()), None)
    if same is not None and not replacing:
        raise AirlockProblem(Problem.SAME_NAME)
    if same is None and len(held.row.files) >= settings.files:
        raise AirlockProblem(Problem.TOO_MANY_FILES, most=settings.files)
    reopen(held, at)
    number = 1 + max((file.number for file in held.row.files), default=0) if same is None else same.number
    row = same or ReleaseFile(number=number)
    row.name, row.sha256, row.size = kept, shelved.sha256, shelved.size
    _note(row, checked)
    if same is None:
        held.row.files.append(row)
    audit.record(
        session,
        "release.add-file",
        held.row.project,
        request=request,
        number=number,
        name=kept,
        sha256=shelved.sha256,
        size=shelved.size,
        kind=checked.kind.value,
        output_class=checked.output_class.value,
        checked=checked.state.value,
        findings=len(checked.findings),
        replaced=same is not None,
    )
    return file_of(row)


def remove_file(
    session: Session, person: Someone, request: str, number: int, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Take a file out of the request; what was submitted is a draft again."""
    held = hold(session, person, Act.EDIT, request, at=at, audit=audit)
    row = file_row(held, number)
    reopen(held, at)
    held.row.files.remove(row)
    audit.record(session, "release.remove-file", held.row.project, request=request, number=number)
    return held.facts


def note_check(
    session: Session,
    request: str,
    number: int,
    sha256: str,
    checked: Checked,
    *,
    at: datetime,
    audit: Recorder,
) -> FileFacts:
    """Note what the checks found out about these very bytes, of a draft. Raises AirlockProblem where the
    file has changed since, or was submitted."""
    held = locked(session, request, at)
    if held is None or held.facts.state is not State.DRAFT:
        raise Denied(Problem.NOT_IN_THIS_STATE)
    row = file_row(held, number)
    if row.sha256 != sha256:
        raise AirlockProblem(Problem.FILES_CHANGED)
    _note(row, checked)
    audit.record(
        session,
        "release.check",
        held.row.project,
        request=request,
        number=number,
        sha256=sha256,
        checked=checked.state.value,
        findings=len(checked.findings),
        version=checked.checker,
    )
    return file_of(row)


def submit(
    session: Session,
    person: Someone,
    request: str,
    *,
    settings: AirlockSettings,
    at: datetime,
    audit: Recorder,
) -> RequestFacts:
    """Hand it to the reviewers; where the policy asks for no look, it is approved at once. `release` follows.

    Raises AirlockProblem where a word, a file or a check is missing, or a file can't leave.
    """
    held = hold(session, person, Act.SUBMIT, request, at=at, audit=audit)
    look_again(session, held.row, audit)
    _require_complete(held.facts)
    held.row.members_then = sorted(held.members.now)
    held.row.looks_needed = looks_needed(held.facts.files, _policy(session, held, settings, at))
    held.row.submitted_at = at
    state = move(held.row, Step.SUBMIT, at)
    if held.row.looks_needed == 0:
        state, held.row.decided_at = move(held.row, Step.APPROVE, at), at
    else:
        assign(session, held.row, held.facts, (held.members, held.pool), at)
    audit.record(
        session,
        "release.submit",
        held.row.project,
        request=request,
        files=len(held.row.files),
        output_class=held.facts.output_class.value,
        looks=held.row.looks_needed,
        seal=held.facts.seal,
        after=state.value,
    )
    return held.facts


def withdraw(
    session: Session, person: Someone, request: str, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Take it back, for good."""
    held = hold(session, person, Act.WITHDRAW, request, at=at, audit=audit)
    before = held.row.state
    move(held.row, Step.WITHDRAW, at)
    held.row.assignments = []
    audit.record(session, "release.withdraw", held.row.project, request=request, before=before)
    return held.facts


def resubmit(
    session: Session, person: Someone, request: str, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Begin a new request with the words and files of one that was returned or withdrawn, to mend them."""
    held = hold(session, person, Act.RESUBMIT, request, at=at, audit=audit)
    before = held.facts
    words = Words(before.title, before.purpose, before.context, before.controls)
    row = _begun(session, person, before.project, words, at)
    row.previous = request
    row.files = [_copy(file) for file in held.row.files]
    audit.record(session, "release.resubmit", before.project, request=row.id, previous=request)
    return request_of(row)


def rework_of(session: Session, request: RequestFacts) -> Rework | None:
    """What this request took over unchanged from the one it mends, and reviewers read there; None where it
    mends none, or one that nobody read to the end."""
    before = find_request(session, request.previous) if request.previous else None
    if before is None or before.state is not State.RETURNED:
        return None
    known = {(file.name, file.sha256) for file in before.files}
    equal = frozenset(file.number for file in request.files if (file.name, file.sha256) in known)
    return Rework(before.id, equal)


def expire(session: Session, *, settings: AirlockSettings, at: datetime, audit: Recorder) -> list[str]:
    """Withdraw the drafts that nobody has touched for too long, but for those that nobody can touch, of
    suspended projects. Their ids."""
    limit = at - timedelta(days=settings.draft_days)
    old = select(ReleaseRequest).where(
        ReleaseRequest.state == State.DRAFT.value, ReleaseRequest.touched_at < limit
    )
    expired = []
    for row in session.scalars(old.with_for_update()):
        if membership(session, row.project).stopped:
            continue
        move(row, Step.EXPIRE, at)
        audit.record(session, "release.expire", row.project, request=row.id)
        expired.append(row.id)
    return expired


def _begun(session: Session, person: Someone, project: str, words: Words, at: datetime) -> ReleaseRequest:
    mine = ReleaseRequest.requester == person.username, ReleaseRequest.project == project
    drafts = select(func.count()).where(*mine, ReleaseRequest.state == State.DRAFT.value)
    if (session.scalar(drafts) or 0) >= MOST_OPEN:
        raise AirlockProblem(Problem.TOO_MANY_OPEN, most=MOST_OPEN)
    row = ReleaseRequest(
        id=f"d-{''.join(secrets.choice(_ALPHABET) for _ in range(8))}",
        project=project,
        requester=person.username,
        state=State.DRAFT.value,
        looks_needed=MOST_LOOKS,
        round=1,
        members_then=[],
        created_at=at,
        touched_at=at,
        **_within(words),
    )
    session.add(row)
    session.flush()
    return row


def _within(words: Words) -> dict[str, str]:
    """The words, trimmed. Raises AirlockProblem for one too long, or without a title."""
    trimmed = {name: getattr(words, name).strip() for name in _MOST}
    for name, most in _MOST.items():
        if len(trimmed[name]) > most:
            raise AirlockProblem(Problem.WORDS_TOO_LONG, field=name, most=most)
    if not trimmed["title"]:
        raise AirlockProblem(Problem.WORDS_MISSING, field="title")
    return trimmed


def _require_complete(facts: RequestFacts) -> None:
    for name in _MOST:
        if not getattr(facts, name).strip():
            raise AirlockProblem(Problem.WORDS_MISSING, field=name)
    if not facts.files:
        raise AirlockProblem(Problem.NO_FILES)
    if any(file.checked is CheckState.PENDING for file in facts.files):
        raise AirlockProblem(Problem.NOT_CHECKED)
    if any(map(unanswered, facts.files)):
        raise AirlockProblem(Problem.BLOCKED)


def _policy(session: Session, held: Held, settings: AirlockSettings, at: datetime) -> HousePolicy:
    people = held.members.ever | {held.row.requester}
    since = at - timedelta(days=settings.row_months * 31)
    holders = gives_rows(session, held.row.project) or holds_rows(session, people, since)
    return HousePolicy(settings.born_safe_at_once, holders)


def _note(row: ReleaseFile, checked: Checked) -> None:
    row.kind, row.output_class = checked.kind.value, checked.output_class.value
    row.checked, row.checker = checked.state.value, checked.checker[:64]
    row.findings = [finding_as_json(finding) for finding in checked.findings]
    row.proof = None if checked.proof is None else dict(checked.proof)
    row.explanations = {}  # they answered what was found in other bytes


def _copy(file: ReleaseFile) -> ReleaseFile:
    kept = (
        "number",
        "name",
        "sha256",
        "size",
        "kind",
        "output_class",
        "checked",
        "findings",
        "proof",
        "checker",
        "explanations",
    )
    return ReleaseFile(**{name: getattr(file, name) for name in kept})
