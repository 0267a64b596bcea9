"""What the templates show of a request: facts in, texts and lists out. Pure.

A view is made of what `rules.sight` lets its reader see, and never of more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hub_config.airlock.checks import Preview, TableBlock
from hub_config.airlock.checks.texts import Words
from hub_config.airlock.pages import changes, minutes, names, previews
from hub_config.airlock.pages.changes import Change, Piece
from hub_config.airlock.pages.names import Part
from hub_config.airlock.pages.previews import BlockView, FoundView, Language
from hub_config.airlock.pages.provenance import Provenance, provenance
from hub_config.airlock.pages.tables import Comparison, Table, compare
from hub_config.airlock.pages.words import (
    CLASSES,
    KINDS,
    MISSING,
    NEXT,
    NO_FILES,
    NOT_CHECKED,
    RECALLED_NEXT,
    STATES,
    VERDICTS,
)
from hub_config.airlock.rules.permission import Act
from hub_config.airlock.rules.reasons import REASONS, Reason, suggested
from hub_config.governance.releases.facts import (
    CheckState,
    Comment,
    FileFacts,
    RequestFacts,
    Review,
    State,
    Verdict,
)
from hub_config.governance.releases.findings import Severity
from hub_config.web.texts import N_

TEXTS = (
    ("purpose", N_("À quoi servira la sortie ?")),
    ("context", N_("Que montrent les fichiers ?")),
    ("controls", N_("Protection des patients et des médecins")),
)
_NEIGHBOURS = 6


@dataclass(frozen=True)
class Material:
    """A file, and what of it lies on the shelf. `quarantine`: why it was put aside, in words."""

    facts: FileFacts
    preview: Preview
    quarantine: Words | None = None


@dataclass(frozen=True)
class Released:
    """A file that the project has released before."""

    request: str
    facts: FileFacts
    released_at: datetime
    preview: Preview


@dataclass(frozen=True)
class Before:
    """The request that this one resubmits."""

    request: RequestFacts
    previews: Mapping[str, Preview]  # by SHA-256


@dataclass(frozen=True)
class NeighbourView:
    name: tuple[Part, ...]
    released_on: datetime
    same_bytes: bool
    same_definition: bool
    compared: Comparison | None


@dataclass(frozen=True)
class FileView:
    number: int
    name: tuple[Part, ...]
    odd_name: bool
    kind: str
    bytes: int
    sha256: str
    checker: str
    output_class: str
    class_label: str
    pending: bool
    quarantined: bool
    quarantine: Words | None
    findings: tuple[FoundView, ...]
    blocks: tuple[BlockView, ...]
    blocking: int
    warnings: int
    provenance: Provenance
    neighbours: tuple[NeighbourView, ...] = ()
    change: Change | None = None
    compared: Comparison | None = None
    my_verdict: str = ""


@dataclass(frozen=True)
class Text:
    label: str
    text: str
    pieces: tuple[Piece, ...] = ()


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
    recalled: Any
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
    """`age` in working days."""

    head: Head
    seal: str
    age: int
    late: bool
    blocking: int
    warnings: int
    quarantined: bool
    resubmitted: bool
    risk: tuple[tuple[int, ...], ...]


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
    mine: Review | None = None
    suggested: tuple[Reason, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def blocking(self) -> int:
        return sum(file.blocking for file in self.files)

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


def mine_row(request: RequestFacts, project_title: str) -> MineRow:
    return MineRow(head(request, project_title), to_do(request), len(unanswered(request.comments)))


def queue_row(request: RequestFacts, project_title: str, age: int, *, late_after: int) -> QueueRow:
    return QueueRow(
        head=head(request, project_title),
        seal=request.seal,
        age=age,
        late=age >= late_after,
        blocking=_count(request.files, Severity.BLOCKING),
        warnings=_count(request.files, Severity.WARNING),
        quarantined=request.quarantined,
        resubmitted=request.previous is not None,
        risk=tuple(sorted(minutes.risk(file) for file in request.files)),
    )


def unanswered(comments: Sequence[Comment]) -> tuple[Comment, ...]:
    answered = {comment.answers for comment in comments}
    return tuple(one for one in comments if one.question and one.id not in answered)


def to_do(request: RequestFacts) -> str:
    return RECALLED_NEXT if request.recalled else NEXT[request.state]


def request_view(
    request: RequestFacts,
    project_title: str,
    materials: Mapping[int, Material],
    may: frozenset[Act],
    language: Language,
    *,
    me: str = "",
    released: Sequence[Released] = (),
    before: Before | None = None,
) -> RequestView:
    """As `me` sees it. `materials` by number of file; `released`: what the project released before."""
    mine = next((review for review in request.reviews if review.reviewer == me), None)
    files = sorted(request.files, key=minutes.risk)
    old = before.request if before else None
    return RequestView(
        head=head(request, project_title),
        may=may,
        texts=tuple(_text(request, old, name, label) for name, label in TEXTS),
        files=tuple(_whole(materials[f.number], language, released, before, mine) for f in files),
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
        mine=mine,
        suggested=suggested(finding.rule for file in files for finding in file.findings),
        written={"title": request.title, **{name: getattr(request, name) for name, _ in TEXTS}},
    )


def file_view(material: Material, language: Language) -> FileView:
    file = material.facts
    found, blocks = previews.shown(file.number, file.findings, material.preview, language)
    return FileView(
        number=file.number,
        name=names.parts(file.name),
        odd_name=names.is_odd(file.name),
        kind=KINDS[file.kind],
        bytes=file.size,
        sha256=file.sha256,
        checker=file.checker,
        output_class=file.output_class.value,
        class_label=CLASSES[file.output_class],
        pending=file.checked is CheckState.PENDING,
        quarantined=file.checked is CheckState.QUARANTINED,
        quarantine=material.quarantine,
        findings=found,
        blocks=blocks,
        blocking=_count((file,), Severity.BLOCKING),
        warnings=_count((file,), Severity.WARNING),
        provenance=provenance(file),
    )


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


def _whole(
    material: Material,
    language: Language,
    released: Sequence[Released],
    before: Before | None,
    mine: Review | None,
) -> FileView:
    file = material.facts
    view = replace(
        file_view(material, language),
        neighbours=_neighbours(material, released),
        my_verdict=mine.files[file.number].value if mine and file.number in mine.files else "",
    )
    if before is None:
        return view
    change = changes.change_of(file, before.request.files)
    old = changes.earlier(file, before.request.files) if change is Change.CHANGED else None
    compared = _compared(material.preview, before.previews[old.sha256]) if old else None
    return replace(view, change=change, compared=compared)


# --- neighbours --------------------------------------------------------------------------------------------


def _neighbours(material: Material, released: Sequence[Released]) -> tuple[NeighbourView, ...]:
    """Those that could be subtracted from this file: of the same bytes, definition or columns; the newest
    first, and no more than a person compares."""
    near = [_neighbour(material, other) for other in released]
    kept = [one for one in near if one.same_bytes or one.same_definition or one.compared is not None]
    return tuple(sorted(kept, key=_nearness)[:_NEIGHBOURS])


def _neighbour(material: Material, other: Released) -> NeighbourView:
    ours, theirs = provenance(material.facts).definition, provenance(other.facts).definition
    return NeighbourView(
        name=names.parts(other.facts.name),
        released_on=other.released_at,
        same_bytes=material.facts.sha256 == other.facts.sha256,
        same_definition=bool(ours) and ours == theirs,
        compared=_compared(material.preview, other.preview),
    )


def _nearness(one: NeighbourView) -> tuple[bool, int, float]:
    few = one.compared.small if one.compared else 0
    return not one.same_bytes, -few, -one.released_on.timestamp()


def _compared(now: Preview, before: Preview) -> Comparison | None:
    """Of the first tables in both that have the same columns."""
    for ours in _tables(now):
        for theirs in _tables(before):
            if (compared := compare(ours, theirs)) is not None:
                return compared
    return None


def _tables(preview: Preview) -> list[Table]:
    return [Table(b.title, b.header, b.rows) for b in preview.blocks if isinstance(b, TableBlock)]


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


def _count(files: Iterable[FileFacts], severity: Severity) -> int:
    return sum(finding.severity is severity for file in files for finding in file.findings)
