"""What goes with a release: the manifest, for whoever receives the files, and the disclosure record, which
says what was checked, by which version, by whom and when. JSON, and no value of a file. Pure.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any, Final

from hub_config.governance.releases.facts import FileFacts, RequestFacts, Review

FORMAT: Final = "p4dp-disclosure-record/1"
MANIFEST: Final = "p4dp-release-manifest/1"
_PROVEN: Final = ("request_id", "snapshot", "policy", "method", "definition", "template", "sha256")


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
    """`policy`: the thresholds in force. `version`: this enclave's."""
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
        "files": [_file(file) for file in request.files],
        "approved_by": [_review(review) for review in request.reviews],
    }


def canonical(document: dict[str, Any]) -> str:
    """The one text of it, of which the hash is kept."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _file(file: FileFacts) -> dict[str, Any]:
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
        "proof": _proof(file),
    }


def _proof(file: FileFacts) -> dict[str, Any] | None:
    """Where a proven file comes from, without what it says."""
    if file.proof is None:
        return None
    return {name: file.proof[name] for name in _PROVEN if name in file.proof}


def _review(review: Review) -> dict[str, Any]:
    return {
        "reviewer": review.reviewer,
        "verdict": review.verdict.value,
        "at": _said(review.at),
        "seal": review.seal,
        "round": review.round,
    }


def _said(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
