"""Whether anything may run in a project today: its service is asked about as anybody who works in it."""

from __future__ import annotations

from datetime import date

from hub_config.governance.facts import ProjectFacts
from hub_config.governance.report_runs.texts import ReportProblem, Text
from hub_config.governance.rules import why_not
from hub_config.governance.services import service_of


class NotOpen(ReportProblem):
    """The project can't be worked in now."""


def require_open(facts: ProjectFacts, today: date) -> None:
    """Raises NotOpen."""
    denial = why_not(service_of(facts.slug), facts, today)
    if denial is not None:
        raise NotOpen(
            Text(
                "Le projet « {slug} » n'est pas ouvert ({why}) : aucun rapport ne s'y exécute. Le comité "
                "l'approuve, "
                "ou prolonge son droit d'accès.",
                "Project {slug!r} is not open ({why}): no report runs in it. The committee approves it, "
                "or extends "
                "its grant.",
            ).fill(slug=facts.slug, why=denial.code.value)
        )
