"""A request to let files out, as the airlock's rules and pages and the other services see it: frozen values.
No I/O, no clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from hub_config.governance.releases.findings import Finding, Severity


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    RELEASED = "released"
    RETURNED = "returned"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What can happen to a request. `hub_config.airlock.states.TRANSITIONS` says from where to where."""

    CHANGE = "change"  # a file or a word of it: a draft again, its reviews set aside
    SUBMIT = "submit"
    TAKE = "take"  # the first reviewer opens it
    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"
    RELEASE = "release"
    REOPEN = "reopen"  # an approval no longer counts: its reviewer has joined the project
    RECALL = "recall"  # beside: what was released stays on record as released
    WITHDRAW = "withdraw"
    EXPIRE = "expire"  # a draft nobody touched


class OutputClass(StrEnum):
    BORN_SAFE = "born-safe"
    REPRODUCED = "reproduced"
    UNVERIFIED = "unverified"


class CheckState(StrEnum):
    PENDING = "pending"
    CHECKED = "checked"
    QUARANTINED = "quarantined"  # no check could read it: physicians handle it by hand


class FileKind(StrEnum):
    """What a file is, told from its bytes."""

    CSV = "csv"
    TSV = "tsv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    JSON = "json"
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    NOTEBOOK = "notebook"
    PNG = "png"
    JPEG = "jpeg"
    SVG = "svg"
    PDF = "pdf"
    MODEL_JSON = "model-json"
    PUBLICATION = "publication"  # a table the gateway signed
    FIGURE_SPEC = "figure-spec"
    ARCHIVE = "archive"
    PICKLE = "pickle"
    OFFICE = "office"  # docx, pptx, odt and their like
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    APPROVE = "approve"
    CHANGES = "changes"
    UNDECIDED = "undecided"
    REJECT = "reject"  # never to leave, however it is mended


@dataclass(frozen=True)
class FileFacts:
    """One file of a request. Its bytes are on the shelf under `sha256`, and nowhere else.

    `explanations`: the requester's answers to what was found in it, by the number of the finding on the page
    (`hub_config.airlock.rules.recourse.grouped`).
    """

    number: int
    name: str
    sha256: str
    size: int
    kind: FileKind
    output_class: OutputClass
    checked: CheckState
    findings: tuple[Finding, ...] = ()
    proof: Mapping[str, Any] | None = None
    checker: str = ""
    explanations: Mapping[int, str] = field(default_factory=dict)

    @property
    def blocked(self) -> bool:
        return any(finding.severity is Severity.BLOCKING for finding in self.findings)

    @property
    def generated_text(self) -> bool:
        """Whether the enclave wrote every word in it, as its proof says."""
        return self.proof is not None and self.proof.get("generated_text") is True


@dataclass(frozen=True)
class Review:
    """One physician's vote, on exactly the files that `seal` stands for."""

    reviewer: str
    verdict: Verdict
    at: datetime
    seal: str
    files: Mapping[int, Verdict] = field(default_factory=dict)
    comment: str = ""  # private: for the reviewers
    reasons: tuple[str, ...] = ()  # canned reasons, by id: told to the requester with the outcome
    round: int = 1  # 1 blind; above it, consolidation
    role: str = ""  # in which the reviewer voted


@dataclass(frozen=True)
class Comment:
    """`private`: for reviewers only. `question`: the requester is asked, at once, and may answer; `answers`
    is the id of the question this is about. An empty author is a reviewer whose name is not told."""

    author: str
    at: datetime
    text: str
    private: bool
    question: bool = False
    file: int | None = None
    id: int = 0
    answers: int | None = None


@dataclass(frozen=True)
class Recall:
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Rework:
    """What a request took over from the one it resubmits: the numbers of its files that are byte-equal to
    files reviewed there."""

    previous: str
    equal: frozenset[int]


@dataclass(frozen=True)
class RequestFacts:
    id: str
    project: str
    requester: str
    title: str
    purpose: str
    context: str
    controls: str
    state: State
    files: tuple[FileFacts, ...] = ()
    reviews: tuple[Review, ...] = ()  # those that stand
    comments: tuple[Comment, ...] = ()
    looks_needed: int = 2
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    released_at: datetime | None = None
    previous: str | None = None
    members_then: frozenset[str] = frozenset()  # of the project, when it was submitted
    assigned: tuple[str, ...] = ()
    recalled: Recall | None = None
    round: int = 1
    version: int = 1

    @property
    def seal(self) -> str:
        """Stands for all that is reviewed: a vote is on one seal, and counts for no other."""
        return seal_of(self, self.files)

    @property
    def output_class(self) -> OutputClass:
        """The least safe of its files'; a request without files is unverified."""
        found = {file.output_class for file in self.files}
        least_safe_first = (OutputClass.UNVERIFIED, OutputClass.REPRODUCED, OutputClass.BORN_SAFE)
        return next((each for each in least_safe_first if each in found), OutputClass.UNVERIFIED)

    @property
    def quarantined(self) -> bool:
        return any(file.checked is CheckState.QUARANTINED for file in self.files)

    def file(self, number: int) -> FileFacts | None:
        return next((file for file in self.files if file.number == number), None)


@dataclass(frozen=True)
class Membership:
    """Who works in a project now, and who ever did. `code_readers`: of each of its own notebooks, by SHA-256,
    the physicians who approved it, withdrawn or not. `stopped`: the project is suspended, or not approved;
    `last_day`: of its grant."""

    now: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    open_to_all: bool = False
    code_readers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stopped: bool = False
    last_day: date | None = None
    closed: bool = False

    def is_over(self, today: date) -> bool:
        return self.closed or (self.last_day is not None and today > self.last_day)

    @property
    def ever(self) -> frozenset[str]:
        return self.now | self.past


@dataclass(frozen=True)
class Absence:
    reviewer: str
    first: date
    last: date


@dataclass(frozen=True)
class Delegation:
    """From `first` to `last`, `delegate` may review in `reviewer`'s place."""

    reviewer: str
    delegate: str
    first: date
    last: date


@dataclass(frozen=True)
class Pool:
    """Who may review on one day: the physicians the CSE named, and delegates in force. `present`: those of
    them who are not away. `delegations`: all that those named ever made; `day`: that on which some are in
    force."""

    named: frozenset[str] = frozenset()
    delegations: frozenset[Delegation] = frozenset()
    absent: frozenset[str] = frozenset()
    day: date = date.min

    @property
    def able(self) -> frozenset[str]:
        return self.able_but(())

    def able_but(self, outside: Collection[str]) -> frozenset[str]:
        """Without these people, and whoever stands in for them only."""
        named = self.named.difference(outside)
        in_force = (each for each in self.delegations if each.first <= self.day <= each.last)
        return named | {each.delegate for each in in_force if each.reviewer in named}.difference(outside)

    @property
    def present(self) -> frozenset[str]:
        return self.able - self.absent


def seal_of(request: RequestFacts, files: Iterable[FileFacts]) -> str:
    """SHA-256 over the request's words and, of each file, number, name, bytes and what was explained."""
    listed = [[file.number, file.name, file.sha256, sorted(file.explanations.items())] for file in files]
    words = [request.title, request.purpose, request.context, request.controls]
    return hashlib.sha256(json.dumps([request.id, words, listed]).encode()).hexdigest()
