"""Puts a finished run on record, with its audit event, in the caller's transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from hub_config.governance.recorder import Recorder
from hub_config.governance.report_runs.facts import RunFacts
from hub_config.governance.report_runs.models import ReportFile, ReportRun


def record_run(session: Session, run: RunFacts, *, audit: Recorder) -> None:
    """Once a run: a second time under the same number is refused by the database."""
    session.add(
        ReportRun(
            id=run.id,
            project=run.project,
            template=run.template,
            sha256=run.sha256,
            approved=run.approved,
            parameters=run.parameters,
            asked_by=run.asked_by,
            access=run.access.value,
            snapshot=run.snapshot,
            began_at=run.began,
            ended_at=run.ended,
            outcome=run.outcome.value,
            requests=None if run.requests is None else list(run.requests),
            registration=run.registration,
            undeclared=run.undeclared,
            files=[ReportFile(name=f.name, sha256=f.sha256, size=f.size) for f in run.files],
        )
    )
    audit.record(
        session,
        "report.keep",
        run.project,
        run=run.id,
        template=run.template,
        sha256=run.sha256,
        approved=run.approved,
        parameters=run.parameters,
        access=run.access.value,
        snapshot=run.snapshot,
        outcome=run.outcome.value,
        registration=run.registration or "",
        undeclared=run.undeclared,
        files=", ".join(f"{file.name} {file.sha256}" for file in run.files),
    )
