"""What may be asked about finished runs. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.facts import AccessLevel
from hub_config.governance.moments import aware
from hub_config.governance.notebooks.reading import standing_hashes
from hub_config.governance.releases.reading import gives_rows
from hub_config.governance.report_runs.approved import approved_hashes
from hub_config.governance.report_runs.facts import Approvals, KeptFile, Outcome, RunFacts
from hub_config.governance.report_runs.models import ReportFile, ReportRun


def runs_that_kept(session: Session, sha256: str) -> list[RunFacts]:
    """Every run, of whatever project and outcome, that kept a file of exactly these bytes; newest first."""
    kept = select(ReportFile.run).where(ReportFile.sha256 == sha256)
    query = select(ReportRun).where(ReportRun.id.in_(kept))
    return [_facts(row) for row in session.scalars(query.order_by(ReportRun.ended_at.desc()))]


def runs_like(session: Session, run: RunFacts) -> list[RunFacts]:
    """Every run of its project that came to its end, of the same code and parameters; itself too."""
    query = select(ReportRun).where(
        ReportRun.project == run.project,
        ReportRun.sha256 == run.sha256,
        ReportRun.parameters == run.parameters,
        ReportRun.outcome == Outcome.DONE.value,
    )
    return [_facts(row) for row in session.scalars(query)]


def find_run(session: Session, run: str) -> RunFacts | None:
    row = session.get(ReportRun, run)
    return None if row is None else _facts(row)


def approvals(session: Session, project: str) -> Approvals:
    return Approvals(approved_hashes(), standing_hashes(session, project), gives_rows(session, project))


def runs_of(session: Session, projects: Collection[str], most: int) -> list[RunFacts]:
    """The runs of these projects that came to their end, newest first."""
    query = select(ReportRun).where(ReportRun.project.in_(projects), ReportRun.outcome == Outcome.DONE.value)
    return [_facts(row) for row in session.scalars(query.order_by(ReportRun.ended_at.desc()).limit(most))]


def _facts(row: ReportRun) -> RunFacts:
    return RunFacts(
        id=row.id,
        project=row.project,
        template=row.template,
        sha256=row.sha256,
        approved=row.approved,
        parameters=row.parameters,
        asked_by=row.asked_by,
        access=AccessLevel(row.access),
        snapshot=row.snapshot,
        began=_utc(row.began_at),
        ended=_utc(row.ended_at),
        outcome=Outcome(row.outcome),
        requests=None if row.requests is None else tuple(row.requests),
        registration=row.registration,
        undeclared=row.undeclared,
        files=tuple(KeptFile(file.name, file.sha256, file.size) for file in row.files),
    )


def _utc(moment: datetime) -> datetime:
    return aware(moment).astimezone(UTC)
