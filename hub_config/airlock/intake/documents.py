"""What the airlock tells a workspace of its requests: shapes only. Never a vote, a reviewer or a cell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.texts import Language, say, where, why_quarantined
from hub_config.airlock.rules.recourse import Found, grouped, unanswered
from hub_config.governance.releases.facts import (
    CheckState,
    FileFacts,
    FileKind,
    OutputClass,
    RequestFacts,
    State,
)
from hub_config.governance.releases.findings import Finding, Rule, Severity

_MOST_FINDINGS = 200  # of one file, told to a notebook; the page has all


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WordsDocument(_Document):
    """What the request is about. `context` and `controls` may be empty in a draft, not when it is sent."""

    title: str = Field(min_length=1, max_length=200)
    purpose: str = Field(default="", max_length=4_000)
    context: str = Field(default="", max_length=8_000)
    controls: str = Field(default="", max_length=8_000)

    def words(self) -> Words:
        return Words(self.title, self.purpose, self.context, self.controls)


class ExplanationDocument(_Document):
    """Why a finding is no risk, in the requester's words; empty takes it back."""

    text: str = Field(default="", max_length=2_000)


class FindingDocument(_Document):
    """`number`: by which it is answered, where it is `contestable`; all places of one kind share it."""

    number: int
    contestable: bool
    explanation: str
    rule: Rule
    severity: Severity
    where: str
    what: str
    why: str
    remedy: str


class FileDocument(_Document):
    """`reasons`: why it is of no safer class. `title`: that of a signed table, the person's own words."""

    number: int
    name: str
    sha256: str
    size: int
    kind: FileKind
    output_class: OutputClass
    checked: CheckState
    quarantine: str
    reasons: tuple[str, ...]
    title: str
    definition: str
    findings: tuple[FindingDocument, ...]
    more_findings: int


class RequestSummary(_Document):
    id: str
    title: str
    state: State
    files: int
    created_at: datetime | None
    submitted_at: datetime | None
    released_at: datetime | None
    recalled: bool
    page: str


class CommentDocument(_Document):
    """What reviewers tell the requester; they have no name."""

    at: datetime
    text: str
    question: bool
    mine: bool


class RequestDocument(RequestSummary):
    """`missing`: what keeps it from being sent. `looks`: how many physicians read it, once it is sent."""

    purpose: str
    context: str
    controls: str
    output_class: OutputClass
    looks: int | None
    missing: tuple[str, ...]
    listed: tuple[FileDocument, ...]
    comments: tuple[CommentDocument, ...]


class RequestsDocument(_Document):
    requests: tuple[RequestSummary, ...]


def summary(request: RequestFacts, pages: str) -> RequestSummary:
    return RequestSummary(**_summed(request, pages))  # type: ignore[arg-type]  # pydantic checks them


def request_document(request: RequestFacts, pages: str, language: Language) -> RequestDocument:
    """`request` as its requester may see it (`rules.sight`)."""
    return RequestDocument(
        **_summed(request, pages),  # type: ignore[arg-type]
        purpose=request.purpose,
        context=request.context,
        controls=request.controls,
        output_class=request.output_class,
        looks=None if request.submitted_at is None else request.looks_needed,
        missing=tuple(_missing(request)),
        listed=tuple(file_document(file, language) for file in request.files),
        comments=tuple(
            CommentDocument(
                at=said.at, text=said.text, question=said.question, mine=said.author == request.requester
            )
            for said in request.comments
            if not said.private
        ),
    )


def file_document(file: FileFacts, language: Language) -> FileDocument:
    proof = file.proof or {}
    return FileDocument(
        number=file.number,
        name=file.name,
        sha256=file.sha256,
        size=file.size,
        kind=file.kind,
        output_class=file.output_class,
        checked=file.checked,
        quarantine=_quarantine(proof.get("quarantine"), language),
        reasons=tuple(str(reason) for reason in proof.get("reasons", ())),
        title=str(proof.get("title", "")),
        definition=str(proof.get("definition", "")),
        findings=tuple(_findings(file, language))[:_MOST_FINDINGS],
        more_findings=max(0, len(file.findings) - _MOST_FINDINGS),
    )


def _summed(request: RequestFacts, pages: str) -> dict[str, object]:
    return {
        "id": request.id,
        "title": request.title,
        "state": request.state,
        "files": len(request.files),
        "created_at": request.created_at,
        "submitted_at": request.submitted_at,
        "released_at": request.released_at,
        "recalled": request.recalled is not None,
        "page": f"{pages}/demandes/{request.id}",
    }


def _missing(request: RequestFacts) -> Iterator[str]:
    yield from (name for name in ("purpose", "context", "controls") if not getattr(request, name).strip())
    if not request.files:
        yield "files"
    yield from (f"file-{file.number}" for file in request.files if unanswered(file))


def _findings(file: FileFacts, language: Language) -> Iterator[FindingDocument]:
    for found in grouped(file.findings):
        said = file.explanations.get(found.number, "")
        yield from (_finding(found, finding, said, language) for finding in found.findings)


def _finding(found: Found, finding: Finding, explanation: str, language: Language) -> FindingDocument:
    words = say(finding, language)
    return FindingDocument(
        number=found.number,
        contestable=found.contestable,
        explanation=explanation,
        rule=finding.rule,
        severity=finding.severity,
        where=where(finding.place, language),
        what=words.what,
        why=words.why,
        remedy=words.remedy,
    )


def _quarantine(reason: object, language: Language) -> str:
    """Why the file was put aside, and what to do; empty where it was not."""
    if not isinstance(reason, str):
        return ""
    words = why_quarantined(Reason(reason), language)
    return f"{words.what} {words.remedy}"
