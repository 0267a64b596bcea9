"""Asks the gateway which numbers of a file are pseudonyms, and says so as findings that block.

Fails closed: where the gateway does not answer, or answers nonsense, the file has not been searched, and that
blocks it until it has. The gateway learns numbers of a file and never which file; neither side logs any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from hub_config.governance.releases.findings import Finding, Rule, Severity

_SECONDS: Final = 60.0  # the first question about a snapshot makes its index
_MOST: Final = 100_000
_WHOSE: Final = ("patient", "physician", "consultation")


@dataclass(frozen=True)
class Searched:
    """What a search said. Not `done`: nothing was searched, and the search must be asked for again."""

    findings: tuple[Finding, ...]
    done: bool


@dataclass(frozen=True)
class PseudonymSearch:
    """Over the gateway's control socket. Blocks until it has answered: call it from a thread."""

    control_socket: Path
    transport: httpx.BaseTransport | None = None

    def __call__(self, project: str, snapshot: int, candidates: Sequence[int]) -> Searched:
        if not candidates:
            return Searched((), done=True)
        if len(candidates) > _MOST:
            return _unsearched()
        try:
            found, unsearched = _read(self._ask(project, snapshot, candidates), len(candidates))
        except (httpx.HTTPError, OSError, ValueError, TypeError, KeyError, AttributeError):
            return _unsearched()
        return Searched((*_recognised(found), *_partly(unsearched)), done=True)

    def _ask(self, project: str, snapshot: int, candidates: Sequence[int]) -> Any:
        asked = {"project": project, "snapshot": snapshot, "candidates": list(candidates)}
        transport = self.transport or self._over_the_socket()
        with httpx.Client(transport=transport, base_url="http://gateway", timeout=_SECONDS) as client:
            response = client.post("/v1/pseudonyms", json=asked)
        response.raise_for_status()
        return response.json()

    def _over_the_socket(self) -> httpx.BaseTransport:
        if not self.control_socket.is_socket():
            raise FileNotFoundError(self.control_socket)
        return httpx.HTTPTransport(uds=str(self.control_socket))


def _read(answer: Any, asked: int) -> tuple[list[str], list[str]]:
    """Whose each recognised number is, and whose were not searched. Raises ValueError on nonsense."""
    found, unsearched = answer["found"], answer["unsearched"]
    places = {int(place) for place in found}
    whose = [*found.values(), *unsearched]
    if any(not 0 <= place < asked for place in places) or any(each not in _WHOSE for each in whose):
        raise ValueError("not an answer of the gateway")
    return list(found.values()), list(unsearched)


def _recognised(found: list[str]) -> list[Finding]:
    """One finding a kind of person: how many numbers, never which."""
    return [
        Finding(Rule.PSEUDONYM, Severity.BLOCKING, None, {"whose": whose, "count": found.count(whose)})
        for whose in _WHOSE
        if whose in found
    ]


def _partly(unsearched: list[str]) -> list[Finding]:
    """A kind that the gateway keeps no index of: people's names block, consultations' warn."""
    return [
        Finding(
            Rule.PSEUDONYMS_NOT_SEARCHED,
            Severity.WARNING if whose == "consultation" else Severity.BLOCKING,
            None,
            {"whose": whose},
        )
        for whose in unsearched
    ]


def _unsearched() -> Searched:
    finding = Finding(Rule.PSEUDONYMS_NOT_SEARCHED, Severity.BLOCKING, None, {"whose": "everybody"})
    return Searched((finding,), done=False)
