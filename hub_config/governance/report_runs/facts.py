"""A finished run of a report as services see it: frozen values. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub_config.governance.facts import AccessLevel


class Outcome(StrEnum):
    DONE = "done"
    CELL_FAILED = "cell-failed"
    TIMED_OUT = "timed-out"
    GIVEN_UP = "given-up"  # the command hung up
    BROKE = "broke"  # memory, a killed kernel
    NOT_STARTED = "not-started"
    INCOMPLETE = "incomplete"  # to its end, but without all the files it had declared
    WITHDRAWN = "withdrawn"  # its notebook's registration fell meanwhile
    CLOSED = "closed"  # its project was suspended or closed, or its grant ended, meanwhile


@dataclass(frozen=True)
class KeptFile:
    """One file as the enclave wrote it."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Approvals:
    """What may run in a project now: hashes of the approved templates by name, and of its own registered
    notebooks by number; and whether its grant gives rows."""

    templates: Mapping[str, str]
    notebooks: Mapping[str, str] = field(default_factory=dict)
    rows: bool = False


@dataclass(frozen=True)
class RunFacts:
    """`template` and `sha256` are what ran; `approved`: it was among the approved templates when the run had
    ended. `parameters` is canonical JSON, typed and checked before the run. `access`: what the run could see.
    `requests`: the gateway's numbers of its answers; None where the audit log could not be read.
    `registration`: what ran was that registered notebook of the project's, and no template. `undeclared`: how
    many files it left that nobody had declared, and that were not taken along."""

    id: str
    project: str
    template: str
    sha256: str
    approved: bool
    parameters: str
    asked_by: str
    access: AccessLevel
    snapshot: int
    began: datetime
    ended: datetime
    outcome: Outcome
    requests: tuple[str, ...] | None
    files: tuple[KeptFile, ...]
    registration: str | None = None
    undeclared: int = 0

    @property
    def ended_well(self) -> bool:
        """It came to its end, as approved, and saw protected aggregates alone; or rows, as a registered
        notebook: then what was kept is what it had declared."""
        return self.outcome is Outcome.DONE and self.approved and self.access in self._may_see

    @property
    def _may_see(self) -> tuple[AccessLevel, ...]:
        rows = () if self.registration is None else (AccessLevel.MICRODATA,)
        return (AccessLevel.AGGREGATE, *rows)

    def differs_in_rows(self, other: RunFacts) -> bool:
        """Whether both read rows of one project, by the same code and parameters, and left a file in two
        ways: who objected in between may be all that differs."""
        code = (self.project, self.sha256, self.parameters, AccessLevel.MICRODATA)
        same = (other.project, other.sha256, other.parameters, other.access) == code
        left = {file.name: file.sha256 for file in other.files}
        return same and any(left.get(file.name, file.sha256) != file.sha256 for file in self.files)

    @property
    def folder(self) -> str:
        """Where it is kept in the project's folder of reports, unless the operator chose another place."""
        return folder_name(self.began, self.template, self.id)

    def still_approved(self, approved: Approvals) -> bool:
        """Whether what ran is, to the byte, the approved template of that name, or the registered notebook of
        that number; and the project may still see as much."""
        if self.access is AccessLevel.MICRODATA and not approved.rows:
            return False
        if self.registration is None:
            return approved.templates.get(self.template) == self.sha256
        return approved.notebooks.get(self.registration) == self.sha256


def folder_name(began: datetime, template: str, run: str) -> str:
    return f"{began:%Y-%m-%d}-{template}-{run}"
