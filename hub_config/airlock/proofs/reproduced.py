"""Whether a file is what the enclave's own run of an approved template, or of a registered notebook of the
project's, left, to the byte. Pure.

The bytes' SHA-256 decides, against the record of runs, and nothing that a file says of itself: a name, a
manifest beside it or a card within it are words. What this vouches for is in ADR 0022.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from hub_config.airlock.proofs.classifying import Classification
from hub_config.airlock.proofs.standing import Standing
from hub_config.governance.releases.facts import OutputClass
from hub_config.governance.releases.findings import Finding, Rule, Severity
from hub_config.governance.report_runs.facts import Approvals, RunFacts


class Doubt(StrEnum):
    """Why a run on record vouches for nothing here."""

    OTHER_PROJECT = "run-of-another-project"
    NOT_DONE = "run-not-done"
    NOT_APPROVED = "template-not-approved"


_RULES: Final[Mapping[Doubt, Rule]] = {
    Doubt.OTHER_PROJECT: Rule.RUN_OF_ANOTHER_PROJECT,
    Doubt.NOT_DONE: Rule.RUN_NOT_DONE,
    Doubt.NOT_APPROVED: Rule.TEMPLATE_NOT_APPROVED,
}


def digest(content: bytes) -> str:
    """By which a file is looked for in the record of runs."""
    return hashlib.sha256(content).hexdigest()


def doubt(run: RunFacts, project: str, approved: Approvals) -> Doubt | None:
    """None if a file of `run` is reproduced in `project`, where `approved` may run now."""
    if run.project != project:
        return Doubt.OTHER_PROJECT
    if not run.ended_well:
        return Doubt.NOT_DONE
    return None if run.still_approved(approved) else Doubt.NOT_APPROVED


def vouching(runs: Iterable[RunFacts], project: str, approved: Approvals) -> RunFacts | None:
    """The first of `runs` that makes its files reproduced in `project`."""
    return next((run for run in runs if doubt(run, project, approved) is None), None)


def of_runs(
    runs: Sequence[RunFacts], standing: Standing, approved: Approvals, others: Iterable[RunFacts] = ()
) -> Classification | None:
    """The class of a file that each of `runs` kept, byte for byte; None where no run kept it. `others`: runs
    of the same code with the same parameters, among them perhaps."""
    if not runs:
        return None
    run = vouching(runs, standing.project, approved)
    if run is not None:
        return Classification(OutputClass.REPRODUCED, record(run), tuple(_notes(run, standing, others)))
    doubts = dict.fromkeys(filter(None, (doubt(run, standing.project, approved) for run in runs)))
    findings = tuple(Finding(_RULES[each], Severity.WARNING) for each in doubts)
    return Classification(OutputClass.UNVERIFIED, {"reasons": [each.value for each in doubts]}, findings)


def not_any_more(run: str) -> tuple[Mapping[str, Any], Finding]:
    """Of a file whose run vouches for nothing any more: what takes the place of its proof, and is found."""
    proof = {"reasons": [Doubt.NOT_APPROVED.value], "run": run}
    return proof, Finding(Rule.TEMPLATE_NOT_APPROVED, Severity.WARNING)


def record(run: RunFacts) -> Mapping[str, Any]:
    """Where it comes from, for screens and records. `sha256` is of the template or notebook."""
    return {
        "form": "report",
        "run": run.id,
        "project": run.project,
        "template": run.template,
        "registration": run.registration,
        "sha256": run.sha256,
        "parameters": json.loads(run.parameters),
        "asked_by": run.asked_by,
        "access": run.access.value,
        "snapshot": run.snapshot,
        "date": run.ended.isoformat(timespec="seconds"),
        "requests": None if run.requests is None else list(run.requests),
        "generated_text": False,
        "reasons": [],
    }


def _notes(run: RunFacts, standing: Standing, others: Iterable[RunFacts]) -> Iterator[Finding]:
    if any(run.differs_in_rows(other) for other in others):
        yield Finding(Rule.RUNS_DIFFER, Severity.WARNING)
    if not standing.covers(run.snapshot):
        yield Finding(Rule.RUN_ON_OTHER_SNAPSHOT, Severity.WARNING)
    if standing.holders:
        yield Finding(Rule.ROWS_HELD, Severity.NOTE)
