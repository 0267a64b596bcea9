"""The service identity of a project, `svc-<project>`: whom a run of a report works as. Pure.

It belongs to its own project and to no other, whoever is named a member; it sees protected aggregates
whatever its project may see, unless what it runs is a registered notebook that reads rows; it is nobody: no
person logs in under such a name, and no member's answers are compared with what it was shown, unless they are
the project's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hub_config.governance.facts import ProjectFacts
from hub_config.governance.notebooks.facts import Registration, sees

PREFIX: Final = "svc-"


def service_of(project: str) -> str:
    """The hub's user for the runs of `project`."""
    return f"{PREFIX}{project}"


def is_service(user: str) -> bool:
    """Whether the name is kept for services, of whatever project, whether there is one or not."""
    return user.lower().startswith(PREFIX)


def as_seen_by(user: str, facts: ProjectFacts, registration: Registration | None = None) -> ProjectFacts:
    """The project as `user` may see it: a service no more than protected aggregates, or rows where it runs
    `registration`, which stands and was read as one that does, and the project has them."""
    if not is_service(user):
        return facts
    return replace(facts, grant=replace(facts.grant, access=sees(facts, registration)))
