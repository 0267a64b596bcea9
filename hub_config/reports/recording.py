"""Puts a run that has ended on the enclave's record, from what the command knows itself: the template it
read, the parameters it checked, the bytes it wrote. Of what the box says of itself only this is taken:
whether it got to its end.
"""

from __future__ import annotations

import json
from dataclasses import replace

from hub_config.governance.audit import AuditFailure
from hub_config.governance.facts import AccessLevel
from hub_config.governance.problems import StoreProblem
from hub_config.governance.report_runs.facts import Approvals, KeptFile, Outcome, RunFacts
from hub_config.governance.report_runs.reading import approvals
from hub_config.governance.report_runs.recording import record_run
from hub_config.governance.store import open_store
from hub_config.reports.keeping import Done
from hub_config.settings import Settings


def put_on_record(
    settings: Settings,
    done: Done,
    outcome: Outcome,
    files: tuple[KeptFile, ...],
    operator: str,
    *,
    undeclared: int = 0,
) -> bool:
    """Whether it is: a full disk or a silent database costs the report its class, and not the report."""
    try:
        store = open_store(settings)
    except StoreProblem:
        return False
    try:
        with store.change() as session:
            run = run_of(done, outcome, files, operator, approvals(session, done.facts.slug))
            record_run(session, replace(run, undeclared=undeclared), audit=store.recorder(operator))
    except (StoreProblem, AuditFailure, OSError):
        return False
    finally:
        store.close()
    return True


def run_of(
    done: Done, outcome: Outcome, files: tuple[KeptFile, ...], operator: str, approved: Approvals
) -> RunFacts:
    slug, template, own = done.facts.slug, done.template, done.template.registration
    run = RunFacts(
        id=done.run,
        project=slug,
        template=template.name,
        sha256=template.sha256,
        approved=False,
        parameters=canonical(done.parameters),
        asked_by=operator[:64],
        access=AccessLevel.AGGREGATE if own is None else own.access,
        snapshot=done.facts.snapshot,
        began=done.began,
        ended=done.ended,
        outcome=outcome,
        requests=done.requests,
        files=files,
        registration=None if own is None else own.id,
    )
    return replace(run, approved=run.still_approved(approved))


def canonical(parameters: object) -> str:
    """One text for equal parameters."""
    return json.dumps(parameters, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
