"""Requests as rows of lists. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub_config.airlock.pages import minutes
from hub_config.airlock.pages.changes import Piece
from hub_config.airlock.pages.files import count
from hub_config.airlock.pages.words import (
    CLASSES,
    LISTED,
    LISTED_NO_FILES,
    LISTED_QUESTION,
    LISTED_RECALLED,
    LISTED_STOPPED,
    NEXT,
    NEXT_NO_FILES,
    RECALLED_NEXT,
    STATES,
    TEXTS,
)
from hub_config.airlock.states import OPEN
from hub_config.governance.releases.facts import Comment, Recall, RequestFacts, State
from hub_config.governance.releases.findings import Severity


@dataclass(frozen=True)
class Text:
    """`pieces`: what changed in it, where something did."""

    label: str
    text: str
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Head:
    """What lists and pages show of any request."""

    id: str
    title: str
    project: str
    project_title: str
    requester: str
    state: str
    state_label: str
    output_class: str
    class_label: str
    recalled: Recall | None
    minutes: int
    since: datetime | None
    files: int


@dataclass(frozen=True)
class MineRow:
    head: Head
    to_do: str
    questions: int


@dataclass(frozen=True)
class QueueRow:
    """`age` in working days. `texts`: the requester's words."""

    head: Head
    texts: tuple[Text, ...]
    seal: str
    age: int
    late: bool
    blocking: int
    warnings: int
    quarantined: bool
    resubmitted: bool
    risk: tuple[tuple[int, ...], ...]


def head(request: RequestFacts, project_title: str) -> Head:
    return Head(
        id=request.id,
        title=request.title,
        project=request.project,
        project_title=project_title,
        requester=request.requester,
        state=request.state.value,
        state_label=STATES[request.state],
        output_class=request.output_class.value,
        class_label=CLASSES[request.output_class],
        recalled=request.recalled,
        minutes=minutes.minutes(request),
        since=request.submitted_at or request.created_at,
        files=len(request.files),
    )


def mine_row(request: RequestFacts, project_title: str, *, stopped: bool) -> MineRow:
    """`stopped`: the requester can't go on with it today."""
    questions = len(unanswered(request.comments))
    to_do = LISTED_STOPPED if stopped and request.recalled is None else _in_short(request, questions)
    return MineRow(head(request, project_title), to_do, questions)


def queue_row(request: RequestFacts, project_title: str, age: int, *, late_after: int) -> QueueRow:
    return QueueRow(
        head=head(request, project_title),
        texts=tuple(Text(label, getattr(request, name)) for name, label in TEXTS.items()),
        seal=request.seal,
        age=age,
        late=age >= late_after,
        blocking=_sum(request, Severity.BLOCKING),
        warnings=_sum(request, Severity.WARNING),
        quarantined=request.quarantined,
        resubmitted=request.previous is not None,
        risk=tuple(sorted(minutes.risk(file) for file in request.files)),
    )


def unanswered(comments: Sequence[Comment]) -> tuple[Comment, ...]:
    answered = {comment.answers for comment in comments}
    return tuple(one for one in comments if one.question and one.id not in answered)


def to_do(request: RequestFacts) -> str:
    """On the request's own page."""
    if request.recalled:
        return RECALLED_NEXT
    empty = request.state is State.DRAFT and not request.files
    return NEXT_NO_FILES if empty else NEXT[request.state]


def _in_short(request: RequestFacts, questions: int) -> str:
    """In a list, where nothing is below."""
    if request.recalled:
        return LISTED_RECALLED
    if request.state is State.DRAFT and not request.files:
        return LISTED_NO_FILES
    asked = questions and request.state in OPEN
    return LISTED_QUESTION if asked else LISTED[request.state]


def _sum(request: RequestFacts, severity: Severity) -> int:
    return sum(count(file, severity) for file in request.files)
