"""What is on record of a project's own notebook, and the files that its runs may leave. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub_config.governance.facts import AccessLevel, ProjectFacts
from hub_config.governance.notebooks.problems import BadNotebook, Why

MOST_OUTPUTS: Final = 20
SENTENCE: Final = (10, 300)
NAME: Final = re.compile(r"(?!n-)[a-z0-9][a-z0-9-]{2,47}")
"""`n-…` is a number, and no name is like one."""
_FILE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}\.(csv|json|md|png|txt)")


class OutputKind(StrEnum):
    """The kinds of files that can be declared: those that the airlock's checks read whole, and that do
    nothing where they are opened. A page may: the one that is kept is the enclave's own, made inert."""

    CSV = "csv"
    JSON = "json"  # numbers of a model among them
    MARKDOWN = "md"
    PNG = "png"
    TEXT = "txt"


class NotebookState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class NotebookStep(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


TRANSITIONS: Final[Mapping[NotebookState, Mapping[NotebookStep, NotebookState]]] = MappingProxyType(
    {
        NotebookState.ASKED: {
            NotebookStep.APPROVE: NotebookState.APPROVED,
            NotebookStep.REFUSE: NotebookState.REFUSED,
            NotebookStep.WITHDRAW: NotebookState.WITHDRAWN,
        },
        NotebookState.APPROVED: {NotebookStep.WITHDRAW: NotebookState.WITHDRAWN},
        NotebookState.REFUSED: {},
        NotebookState.WITHDRAWN: {},
    }
)
OPEN: Final = frozenset(state for state, steps in TRANSITIONS.items() if steps)


@dataclass(frozen=True)
class Output:
    """A file that a run may leave, and what its author says it shows."""

    name: str
    told: str

    @property
    def kind(self) -> OutputKind | None:
        """None for what could be declared once."""
        ending = self.name.rpartition(".")[2]
        return OutputKind(ending) if ending in set(OutputKind) else None


@dataclass(frozen=True)
class Registration:
    """`sha256` is of the bytes on record, which are what runs. `access`: what its runs see at most."""

    id: str
    project: str
    name: str
    sha256: str
    purpose: str
    access: AccessLevel
    outputs: tuple[Output, ...]
    state: NotebookState
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    ended_by: str | None = None
    ended_at: datetime | None = None

    @property
    def sees_rows(self) -> bool:
        return self.access is AccessLevel.MICRODATA

    def stands(self, members: Collection[str]) -> bool:
        """Whether it may run, and vouches for what its runs left. `members`: who works or ever worked in its
        project; the look of one of them does not count, whenever they joined."""
        return self.state is NotebookState.APPROVED and self.decided_by not in members


def sees(facts: ProjectFacts, registration: Registration | None) -> AccessLevel:
    """What a run may see of its project: rows where both the grant and a registration that stands say so."""
    rows = facts.grant.access is AccessLevel.MICRODATA
    said = registration is not None and registration.sees_rows
    return AccessLevel.MICRODATA if rows and said else AccessLevel.AGGREGATE


def read_outputs(text: str) -> tuple[Output, ...]:
    """From one line a file, `name.csv : what it shows`. Raises BadNotebook, with the line's number."""
    found: dict[str, Output] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            output = _output(line, number)
            if output.name in found or output.name == "manifest.json":
                raise BadNotebook(Why.OUTPUTS, number)
            found[output.name] = output
    if len(found) > MOST_OUTPUTS:
        raise BadNotebook(Why.OUTPUTS)
    return tuple(found.values())


def _output(line: str, number: int) -> Output:
    name, _, told = (part.strip() for part in line.partition(":"))
    least, most = SENTENCE
    if not _FILE.fullmatch(name) or not (least <= len(told) <= most and told.isprintable()):
        raise BadNotebook(Why.OUTPUTS, number)
    return Output(name, told)
