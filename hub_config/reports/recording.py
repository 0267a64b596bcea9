"""Puts a run that has ended on the enclave's record, from what the command knows itself: the template it
read, the parameters it checked, the bytes it wrote. Of what the box says of itself only this is taken:
whether it got to its end.
"""

from __future__ import annotations

import json

from hub_config.governance.audit import AuditFailure
from hub_config.governance.problems import StoreProblem
from hub_config.governance.report_runs.approved import approved_hashes
from hub_config.governance.report_runs.facts import KeptFile, Outcome, RunFacts
from hub_config.governance.report_runs.recording import record_run
from hub_config.governance.services import as_seen_by, service_of
from hub_config.governance.store import open_store
from hub_config.reports.keeping import Done
from hub_config.settings import Settings


def put_on_record(
    settings: Settings, done: Done, outcome: Outcome, files: tuple[KeptFile, ...], operator: str
) -> bool:
    """Whether it is: a full disk or a silent database costs the report its class, and not the report."""
    try:
        store = open_store(settings)
    except StoreProblem:
        return False
    try:
        with store.change() as session:
            record_run(session, run_of(done, outcome, files, operator), audit=store.recorder(operator))
    except (StoreProblem, AuditFailure, OSError):
        return False
    finally:
        store.close()
    return True


def run_of(done: Done, outcome: Outcome, files: tuple[KeptFile, ...], operator: str) -> RunFacts:
    slug, template = done.facts.slug, done.template
    return RunFacts(
        id=done.run,
        project=slug,
        template=template.name,
        sha256=template.sha256,
        approved=approved_hashes().get(template.name) == template.sha256,
        parameters=canonical(done.parameters),
        asked_by=operator[:64],
        access=as_seen_by(service_of(slug), done.facts).grant.access,
        snapshot=done.facts.snapshot,
        began=done.began,
        ended=done.ended,
        outcome=outcome,
        requests=done.requests,
        files=files,
    )


def canonical(parameters: object) -> str:
    """One text for equal parameters."""
    return json.dumps(parameters, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
