"""A finished run of a report as services see it: frozen values. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class KeptFile:
    """One file as the enclave wrote it."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class RunFacts:
    """`template` and `sha256` are what ran; `approved`: it was among the approved templates when the run had
    ended. `parameters` is canonical JSON, typed and checked before the run. `access`: what the run could see.
    `requests`: the gateway's numbers of its answers; None where the audit log could not be read."""

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

    @property
    def ended_well(self) -> bool:
        """It came to its end, as an approved template, and saw protected aggregates alone."""
        done = self.outcome is Outcome.DONE and self.approved
        return done and self.access is AccessLevel.AGGREGATE

    @property
    def folder(self) -> str:
        """Where it is kept in the project's folder of reports, unless the operator chose another place."""
        return folder_name(self.began, self.template, self.id)

    def still_approved(self, templates: Mapping[str, str]) -> bool:
        """Whether what ran is, to the byte, the approved template of that name in `templates`."""
        return templates.get(self.template) == self.sha256


def folder_name(began: datetime, template: str, run: str) -> str:
    return f"{began:%Y-%m-%d}-{template}-{run}"
