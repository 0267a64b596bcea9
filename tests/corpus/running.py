"""The corpus through the checkers, in this process: everything but the box, and pseudonyms as the gateway
would recognise them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from unittest import mock

import httpx
import numpy as np

from hub_config.airlock.checks import Bounds, Inspection, inspect_bytes, inspecting
from hub_config.airlock.checks.inside.found import Order
from hub_config.airlock.checks.inside.program import answer_to
from hub_config.airlock.checks.inside.protocol import Answer, read_answer, write_answer
from hub_config.airlock.pseudonyms import PseudonymSearch
from hub_config.gateway.recognising import _stands_in
from hub_config.governance.releases.findings import Finding, Rule, Severity
from tests.corpus import (
    beyond,
    hostile,
    safe,
    smuggled,
    stranger_safe,
    stranger_unsafe,
    unsafe,
    written_counts,
)
from tests.corpus.cases import Case, Group
from tests.corpus.tables import PHYSICIANS, PROJECT, PSEUDONYMS

_PATIENTS: Final = np.sort(np.array(PSEUDONYMS, np.int64))
_GPS: Final = np.sort(np.array(PHYSICIANS, np.int64))


@dataclass(frozen=True)
class Outcome:
    case: Case
    inspection: Inspection
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> frozenset[Rule]:
        return frozenset(each.rule for each in self.findings if each.severity is Severity.BLOCKING)

    @property
    def rules(self) -> frozenset[Rule]:
        return frozenset(each.rule for each in self.findings)

    @property
    def stopped(self) -> bool:
        """Whether it can't leave before somebody mends it or handles it by hand."""
        return bool(self.blocking) or self.inspection.quarantined is not None

    def found(self, rule: Rule) -> bool:
        """Where it must be, if the case says where."""
        case = self.case
        return any(
            each.rule is rule
            and (case.cell is None or (each.place is not None and each.place.cell == case.cell))
            and (case.page is None or (each.place is not None and each.place.page == case.page))
            for each in self.findings
        )

    @property
    def as_expected(self) -> bool:
        match self.case.group:
            case Group.SAFE:
                return not self.stopped
            case Group.DOUBTFUL:
                return all(map(self.found, self.case.rules))
            case Group.UNSAFE if self.case.aside:
                aside = self.inspection.quarantined
                return aside is not None and aside.reason in self.case.aside
            case _:
                return self.stopped and all(map(self.found, self.case.rules))


@cache
def cases() -> tuple[Case, ...]:
    return (
        *safe.cases(),
        *stranger_safe.cases(),
        *unsafe.cases(),
        *written_counts.cases(),
        *stranger_unsafe.cases(),
        *hostile.cases(),
        *smuggled.cases(),
        *beyond.cases(),
    )


@cache
def outcomes() -> tuple[Outcome, ...]:
    return tuple(map(outcome, cases()))


def outcome(case: Case) -> Outcome:
    with mock.patch.object(inspecting, "_ask", _in_process):
        inspection = inspect_bytes(case.make(), case.name)
    return Outcome(case, inspection, (*inspection.findings, *searched(inspection.candidates)))


def searched(candidates: Sequence[int]) -> tuple[Finding, ...]:
    transport = httpx.MockTransport(_gateway)
    return PseudonymSearch(Path("/nowhere"), transport)(PROJECT, 1, candidates).findings


def _in_process(content: bytes, order: Order, _: Bounds) -> Answer:
    return read_answer(write_answer(answer_to(content, order)))


def _gateway(request: httpx.Request) -> httpx.Response:
    asked = json.loads(request.content)["candidates"]
    found = {
        str(place): whose
        for index, whose in ((_PATIENTS, "patient"), (_GPS, "physician"))
        for place in np.flatnonzero(_stands_in(index, asked))
    }
    return httpx.Response(200, json={"found": found, "unsearched": []})
