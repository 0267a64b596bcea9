"""What goes with a release: the manifest, for whoever receives the files, and the disclosure record, which
says what was checked, by which version, by whom and when. JSON, and no value of a file. Pure.

The record is kept with the reviewers' names, and the audit log has its hash: that copy is the DPO's. The
requester's (`for_requester`) has a role and a number in place of each name ("médecin DIM 1"), and that hash,
by which the two are matched. A number is of one record, in the order of the votes: over several records it
would tell who is who.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from hub_config.airlock.rules.recourse import Found, contested
from hub_config.governance.releases.facts import FileFacts, RequestFacts, Review, Verdict
from hub_config.governance.roles import Role

FORMAT: Final = "p4dp-disclosure-record/2"
MANIFEST: Final = "p4dp-release-manifest/1"
_ROLES: Final = {Role.MEDECIN_DIM.value: "médecin DIM", Role.MEDECIN_REFERENT.value: "médecin référent"}
_REVIEWER: Final = "médecin relecteur"
_PROVEN: Final = (
    *("request_id", "snapshot", "policy", "method", "definition"),
    *("template", "sha256", "run", "parameters", "requests"),  # of a report
)


def manifest(request: RequestFacts) -> dict[str, Any]:
    """Names, sizes and hashes of what leaves."""
    return {
        "format": MANIFEST,
        "request": request.id,
        "project": request.project,
        "title": request.title,
        "released_at": _said(request.released_at),
        "files": [
            {"number": file.number, "name": file.name, "size": file.size, "sha256": file.sha256}
            for file in request.files
        ],
    }


def disclosure_record(request: RequestFacts, *, policy: dict[str, Any], version: str) -> dict[str, Any]:
    """`policy`: the thresholds in force. `version`: this enclave's. With names: not for the requester."""
    called = _called(request.reviews)
    accepting = [called[one.reviewer] for one in request.reviews if one.verdict is Verdict.APPROVE]
    return {
        "format": FORMAT,
        "enclave_version": version,
        "request": request.id,
        "project": request.project,
        "requester": request.requester,
        "title": request.title,
        "purpose": request.purpose,
        "context": request.context,
        "controls": request.controls,
        "resubmits": request.previous,
        "submitted_at": _said(request.submitted_at),
        "decided_at": _said(request.decided_at),
        "released_at": _said(request.released_at),
        "output_class": request.output_class.value,
        "looks_needed": request.looks_needed,
        "seal": request.seal,
        "policy": policy,
        "files": [_file(file, accepting) for file in request.files],
        "approved_by": [_review(review, called[review.reviewer]) for review in request.reviews],
    }


def for_requester(kept: str) -> str:
    """The record as it is kept, without the reviewers' names."""
    document = json.loads(kept)
    document["approved_by"] = [
        {name: value for name, value in review.items() if name != "reviewer"}
        for review in document["approved_by"]
    ]
    document["kept_record_sha256"] = hashlib.sha256(kept.encode()).hexdigest()
    return canonical(document)


def canonical(document: dict[str, Any]) -> str:
    """The one text of it, of which the hash is kept."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _called(reviews: Sequence[Review]) -> dict[str, str]:
    """Each reviewer's role, with a number from 1 in that role, by when they voted."""
    called: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    for review in sorted(reviews, key=lambda one: one.at):
        role = _ROLES.get(review.role, _REVIEWER)
        numbers[role] += 1
        called[review.reviewer] = f"{role} {numbers[role]}"
    return called


def _file(file: FileFacts, accepting: Sequence[str]) -> dict[str, Any]:
    found = Counter((finding.rule.value, finding.severity.value) for finding in file.findings)
    return {
        "number": file.number,
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "kind": file.kind.value,
        "output_class": file.output_class.value,
        "checked": file.checked.value,
        "checked_by": file.checker,
        "findings": [
            {"rule": rule, "severity": severity, "times": times}
            for (rule, severity), times in sorted(found.items())
        ],
        "contested": [_contested(file, one, accepting) for one in contested(file)],
        "proof": _proof(file),
    }


def _contested(file: FileFacts, found: Found, accepting: Sequence[str]) -> dict[str, Any]:
    """A blocking finding that was answered instead of mended: by what words, and who took them."""
    return {
        "finding": found.number,
        "rule": found.rule.value,
        "times": len(found.findings),
        "explanation": file.explanations[found.number],
        "accepted_by": list(accepting),
    }


def _proof(file: FileFacts) -> dict[str, Any] | None:
    """Where a proven file comes from, without what it says."""
    if file.proof is None:
        return None
    return {name: file.proof[name] for name in _PROVEN if name in file.proof}


def _review(review: Review, called: str) -> dict[str, Any]:
    return {
        "reviewer": review.reviewer,
        "called": called,
        "verdict": review.verdict.value,
        "at": _said(review.at),
        "seal": review.seal,
        "round": review.round,
    }


def _said(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
