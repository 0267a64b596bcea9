"""What the command and the desk say to each other, over the hub's loopback. Values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from hub_config.governance.report_runs.facts import Outcome
from hub_config.governance.report_runs.texts import Language

PATH: Final = "/hub/p4dp/reports/runs"
SCOPE: Final = "custom:p4dp:reports"
KEY: Final = "reports"
"""The token's file in `keys/`, of mode 600: whoever can read it is an operator."""
PROJECT: Final = re.compile(
    r"(?=.{3,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*"
)  # part of a path, and of a user's name
RUN_ID: Final = re.compile(r"[0-9a-f]{12}")


class TemplateChanged(Exception):
    """The template was edited between the check and the start."""


@dataclass(frozen=True)
class Request:
    project: str
    template: str
    sha256: str
    parameters: Mapping[str, Any]
    language: Language
    seconds: int
    operator: str
    registration: str = ""  # the number of a registered notebook: then `template` is its name

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Any) -> Self:
        """Raises ValueError or TypeError unless it is one."""
        request = cls(**said)
        texts = (request.project, request.template, request.sha256, request.operator)
        if not all(isinstance(each, str) and each for each in texts) or request.language not in ("fr", "en"):
            raise ValueError("a run is asked for by names")
        if PROJECT.fullmatch(request.project) is None:
            raise ValueError("no project has such a name")
        if not isinstance(request.registration, str):
            raise ValueError("a notebook is asked for by its number")
        if not isinstance(request.parameters, dict) or type(request.seconds) is not int:
            raise ValueError("a run has parameters and a time limit")
        if request.seconds <= 0:
            raise ValueError("a run takes time")
        return request


@dataclass(frozen=True)
class Started:
    run: str

    def to_json(self) -> dict[str, str]:
        return {"event": "started", "run": self.run}


@dataclass(frozen=True)
class Ended:
    outcome: Outcome
    reason: str = ""

    def to_json(self) -> dict[str, str]:
        return {"event": "ended", "outcome": self.outcome.value, "reason": self.reason}


Event = Started | Ended


def event_of(said: Mapping[str, Any]) -> Event | None:
    """None: a beat. Raises ValueError or KeyError for what is no event."""
    match said["event"]:
        case "beat":
            return None
        case "started" if RUN_ID.fullmatch(said["run"]):
            return Started(said["run"])
        case "ended":
            return Ended(Outcome(said["outcome"]), str(said["reason"]))
        case _:
            raise ValueError("no event")
