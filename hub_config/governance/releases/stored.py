"""Rows of the airlock's tables as the frozen values of `facts`. Pure but for the rows it is given.

What was stored by an older version and has a word this one does not know is an error, never skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.releases import models
from hub_config.governance.releases.facts import (
    CheckState,
    Comment,
    FileFacts,
    FileKind,
    OutputClass,
    Recall,
    RequestFacts,
    Review,
    State,
    Verdict,
)
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity


def request_of(row: models.ReleaseRequest) -> RequestFacts:
    return RequestFacts(
        id=row.id,
        project=row.project,
        requester=row.requester,
        title=row.title,
        purpose=row.purpose,
        context=row.context,
        controls=row.controls,
        state=State(row.state),
        files=tuple(file_of(file) for file in row.files),
        reviews=tuple(_review_of(review) for review in row.reviews if review.standing),
        comments=tuple(_comment_of(comment) for comment in row.comments),
        looks_needed=row.looks_needed,
        created_at=aware(row.created_at),
        submitted_at=aware_or_none(row.submitted_at),
        decided_at=aware_or_none(row.decided_at),
        released_at=aware_or_none(row.released_at),
        previous=row.previous,
        members_then=frozenset(row.members_then),
        assigned=tuple(each.reviewer for each in row.assignments),
        recalled=_recall_of(row),
        round=row.round,
        version=row.version,
    )


def file_of(row: models.ReleaseFile) -> FileFacts:
    return FileFacts(
        number=row.number,
        name=row.name,
        sha256=row.sha256,
        size=row.size,
        kind=FileKind(row.kind),
        output_class=OutputClass(row.output_class),
        checked=CheckState(row.checked),
        findings=tuple(finding_from(said) for said in row.findings),
        proof=row.proof,
        checker=row.checker,
        explanations={int(number): said for number, said in row.explanations.items()},
    )


def finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.value,
        "severity": finding.severity.value,
        "place": None if finding.place is None else _place_as_json(finding.place),
        "params": dict(finding.params),
    }


def finding_from(said: Mapping[str, Any]) -> Finding:
    """What `finding_as_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    place = said["place"]
    return Finding(
        Rule(said["rule"]),
        Severity(said["severity"]),
        None if place is None else Place(**place),
        dict(said["params"]),
    )


def _place_as_json(place: Place) -> dict[str, Any]:
    return {name: value for name, value in asdict(place).items() if value not in (None, "")}


def _review_of(row: models.ReleaseReview) -> Review:
    return Review(
        reviewer=row.reviewer,
        verdict=Verdict(row.verdict),
        at=aware(row.at),
        seal=row.seal,
        files={int(number): Verdict(verdict) for number, verdict in row.files.items()},
        comment=row.comment,
        reasons=tuple(row.reasons),
        round=row.round,
        role=row.role,
    )


def _comment_of(row: models.ReleaseComment) -> Comment:
    return Comment(
        author=row.author,
        at=aware(row.at),
        text=row.text,
        private=row.private,
        question=row.question,
        file=row.file,
        id=row.id,
        answers=row.answers,
    )


def _recall_of(row: models.ReleaseRequest) -> Recall | None:
    if row.recalled_at is None:
        return None
    return Recall(row.recalled_by or "", aware(row.recalled_at), row.recall_reason or "")
