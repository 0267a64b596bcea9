"""Whether what was reproduced still is: its template, or its project's registered notebook, may have been
taken back since it was classified.

Asked before a request is sent and before it leaves. A file that no longer is becomes unverified, and is read
by as many physicians as any such file.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from hub_config.airlock.proofs.reproduced import not_any_more, vouching
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.models import ReleaseFile, ReleaseRequest
from hub_config.governance.releases.stored import finding_as_json
from hub_config.governance.report_runs.reading import approvals, runs_that_kept


def look_again(session: Session, row: ReleaseRequest, audit: Recorder) -> bool:
    """Whether a file of this request lost its class, which is then on record."""
    lost = [file for file in row.files if _is_lost(session, row.project, file)]
    for file in lost:
        proof, finding = not_any_more(str((file.proof or {}).get("run", "")))
        file.output_class, file.proof = OutputClass.UNVERIFIED.value, dict(proof)
        file.findings = [finding_as_json(finding), *file.findings]
        audit.record(
            session, "release.not-reproduced", row.project, request=row.id, number=file.number,
            sha256=file.sha256,
        )  # fmt: skip
    return bool(lost)


def _is_lost(session: Session, project: str, file: ReleaseFile) -> bool:
    if file.output_class != OutputClass.REPRODUCED.value:
        return False
    return vouching(runs_that_kept(session, file.sha256), project, approvals(session, project)) is None
