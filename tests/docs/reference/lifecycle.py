"""`project-status.md`: the life of a project, drawn from the dict that the actions obey."""

from __future__ import annotations

from hub_config.governance.facts import ProjectStatus
from hub_config.governance.rules import TRANSITIONS, Step

from .page import code, page, table

HOW = """
What an operator can do to a project, and what becomes of it. Only an approved project whose grant has not
expired opens workspaces and answers questions; every step counts from the next request on, and each is an
event of the audit log.
"""
MEANINGS = {
    ProjectStatus.DRAFT: "on record; nobody works in it",
    ProjectStatus.APPROVED: "open to its members",
    ProjectStatus.SUSPENDED: "closed for now; members' files are kept",
    ProjectStatus.CLOSED: "closed for good; its name is not given again",
}
STEPS = {
    Step.APPROVE: "opens it to its members",
    Step.SUSPEND: "closes it at once",
    Step.AMEND: "gives it another grant or snapshot: the committee looks again",
    Step.CLOSE: "ends it",
}


def build() -> str:
    statuses = table(["Status", "Means"], [(code(s.value), text) for s, text in MEANINGS.items()])
    steps = table(
        ["Command", "Does"], [(code(f"p4dp-enclave project {s}"), text) for s, text in STEPS.items()]
    )
    return page("Status of a project", HOW, diagram(), statuses, steps)


def diagram() -> str:
    first, *_ = TRANSITIONS
    lines = [f"[*] --> {first}: create"]
    lines += [
        f"{status} --> {after}: {step}"
        for status, ways in TRANSITIONS.items()
        for step, after in ways.items()
    ]
    lines += [f"{status} --> [*]" for status, ways in TRANSITIONS.items() if not ways]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])
