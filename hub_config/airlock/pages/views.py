"""What the templates show of a request: facts in, texts and lists out. Pure.

A view is made of what `rules.sight` lets its reader see, and never of more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub_config.airlock.pages import changes, minutes, names
from hub_config.airlock.pages.files import Before, FileView, Left, Material, whole
from hub_config.airlock.pages.names import Part
from hub_config.airlock.pages.previews import FoundView, Language
from hub_config.airlock.pages.rows import Head, Text, head, to_do, unanswered
from hub_config.airlock.pages.words import (
    MISSING,
    NO_FILES,
    NOT_CHECKED,
    STATES,
    TEXTS,
    VERDICTS,
)
from hub_config.airlock.rules.permission import Act
from hub_config.airlock.rules.reasons import REASONS, Reason, suggested
from hub_config.governance.releases.facts import (
    Comment,
    FileFacts,
    RequestFacts,
    Review,
    State,
    Verdict,
)
from hub_config.web.texts import N_


@dataclass(frozen=True)
class Moment:
    label: str
    at: datetime | None
    current: bool = False


@dataclass(frozen=True)
class ReviewView:
    reviewer: str
    verdict: str
    label: str
    at: datetime
    comment: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class VotesOfFile:
    """`labels`: the verdict of each reviewer, in the reviews' order."""

    number: int
    name: tuple[Part, ...]
    labels: tuple[str, ...]

    @property
    def differ(self) -> bool:
        return len(set(self.labels)) > 1


@dataclass(frozen=True)
class Earlier:
    """What reviewers told the requester of a request that this one mends."""

    id: str
    reasons: tuple[Reason, ...]
    comments: tuple[Comment, ...]


@dataclass(frozen=True)
class RequestView:
    head: Head
    may: frozenset[Act]
    texts: tuple[Text, ...]
    files: tuple[FileView, ...]
    gone: tuple[tuple[Part, ...], ...]
    comments: tuple[Comment, ...]
    reviews: tuple[ReviewView, ...]
    votes: tuple[VotesOfFile, ...]
    timeline: tuple[Moment, ...]
    to_do: str
    looks_needed: int
    submitted_at: datetime | None
    previous: str | None
    seal: str
    version: int
    quarantined: bool
    compared: bool = False  # with the request that it resubmits
    older: int = 0  # files that left before, are like one of these, and are not compared
    mine: Review | None = None
    unavailable: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    suggested: tuple[Reason, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[Earlier, ...] = ()

    @property
    def blocking(self) -> int:
        return sum(file.blocking for file in self.files)

    @property
    def stops(self) -> tuple[FoundView, ...]:
        """What keeps the request in: blocking, and neither mended nor answered."""
        return tuple(found for file in self.files for found in file.findings if found.stops)

    @property
    def contested(self) -> bool:
        return any(found.answered for file in self.files for found in file.findings)

    @property
    def open_questions(self) -> tuple[Comment, ...]:
        return unanswered(self.comments)

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps a draft from being sent, in words."""
        found = [MISSING[name] for name, text in self.written.items() if not text.strip()]
        if not self.files:
            found.append(NO_FILES)
        if any(file.pending for file in self.files):
            found.append(NOT_CHECKED)
        return tuple(found)


@dataclass(frozen=True)
class RecordView:
    """A request without its files."""

    head: Head
    may: frozenset[Act]
    timeline: tuple[Moment, ...]
    reviews: tuple[ReviewView, ...]
    names: tuple[tuple[Part, ...], ...]


def record_view(request: RequestFacts, project_title: str, may: frozenset[Act]) -> RecordView:
    return RecordView(
        head=head(request, project_title),
        may=may,
        timeline=tuple(timeline(request)),
        reviews=tuple(_review(review) for review in request.reviews),
        names=tuple(names.parts(file.name) for file in request.files),
    )


def request_view(
    request: RequestFacts,
    project_title: str,
    materials: Mapping[int, Material],
    may: frozenset[Act],
    language: Language,
    *,
    mine: Review | None = None,
    unavailable: tuple[str, ...] = (),
    reasons: tuple[Reason, ...] = (),
    left: Left | None = None,
    before: Before | None = None,
) -> RequestView:
    """`materials` by number of file; `mine`: the reader's own vote; `reasons`: why it came back; `left`: what
    the project released before that is like it."""
    left = left or Left()
    files = sorted(request.files, key=minutes.risk)
    old = before.request if before else None
    return RequestView(
        head=head(request, project_title),
        may=may,
        texts=tuple(_text(request, old, name, label) for name, label in TEXTS.items()),
        files=tuple(whole(materials[f.number], language, left.files, before, mine) for f in files),
        gone=tuple(names.parts(f.name) for f in changes.gone(files, old.files)) if old else (),
        comments=request.comments,
        reviews=tuple(_review(review) for review in request.reviews),
        votes=tuple(_votes(file, request.reviews) for file in files),
        timeline=tuple(timeline(request)),
        to_do=to_do(request),
        looks_needed=request.looks_needed,
        submitted_at=request.submitted_at,
        previous=request.previous,
        seal=request.seal,
        version=request.version,
        quarantined=request.quarantined,
        compared=before is not None,
        older=left.older,
        mine=mine,
        unavailable=unavailable,
        reasons=reasons,
        suggested=suggested(finding.rule for file in files for finding in file.findings),
        written={"title": request.title, **{name: getattr(request, name) for name in TEXTS}},
    )


def told_reasons(request: RequestFacts) -> tuple[Reason, ...]:
    """The canned reasons for which a request came back, told to its requester: whose they are is not."""
    if request.state not in (State.RETURNED, State.REJECTED):
        return ()
    given = {id for review in request.reviews for id in review.reasons}
    return tuple(reason for id, reason in REASONS.items() if id in given)


def earlier(request: RequestFacts, reasons: tuple[Reason, ...]) -> Earlier:
    """Of a request as its requester sees it, decided."""
    return Earlier(request.id, reasons, request.comments)


def timeline(request: RequestFacts) -> Iterable[Moment]:
    """What has happened, with its moment, and what it waits for."""
    yield Moment(N_("brouillon"), request.created_at, request.state is State.DRAFT)
    if request.submitted_at is not None:
        yield Moment(N_("envoyée"), request.submitted_at, request.state is State.SUBMITTED)
    if request.state is State.IN_REVIEW:
        yield Moment(N_("en relecture"), None, True)
    if request.decided_at is not None or request.state in (State.RETURNED, State.REJECTED, State.WITHDRAWN):
        decided = State.APPROVED if request.state is State.RELEASED else request.state
        yield Moment(STATES[decided], request.decided_at, request.state is not State.RELEASED)
    if request.released_at is not None:
        yield Moment(N_("sortie"), request.released_at, request.recalled is None)
    if request.recalled is not None:
        yield Moment(N_("rappelée"), request.recalled.at, True)


# --- parts -------------------------------------------------------------------------------------------------


def _text(request: RequestFacts, before: RequestFacts | None, name: str, label: str) -> Text:
    text: str = getattr(request, name)
    return Text(label, text, changes.reworded(text, getattr(before, name)) if before else ())


def _review(review: Review) -> ReviewView:
    return ReviewView(
        reviewer=review.reviewer,
        verdict=review.verdict.value,
        label=VERDICTS[review.verdict],
        at=review.at,
        comment=review.comment,
        reasons=tuple(REASONS[id] for id in review.reasons if id in REASONS),
    )


def _votes(file: FileFacts, reviews: Sequence[Review]) -> VotesOfFile:
    found = [review.files.get(file.number) for review in reviews]
    labels = tuple("" if verdict is None else VERDICTS[Verdict(verdict)] for verdict in found)
    return VotesOfFile(file.number, names.parts(file.name), labels)
