"""What a checker is given and what it gives back. Pure values; a checker does no input or output of its own.

    def check(content: bytes, order: Order) -> Found

Where a checker can write the file anew from what it read of it, and from nothing else, `Found.anew` is that
file: what stood beside the pixels or the cells is not in it. A checker that meets what it can't read for
certain raises `CannotRead`: the file is put aside for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub_config.airlock.checks.inside.preview import Block
from hub_config.airlock.checks.inside.reasons import CannotRead, Reason
from hub_config.governance.releases.facts import FileKind
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity

__all__ = ["CannotRead", "Checker", "Context", "Found", "Notes", "Order", "Reason", "Sizes"]

MOST_CANDIDATES: Final = 10_000
MOST_FINDINGS_OF_A_RULE: Final = 200
MOST_FINDINGS: Final = 2_000


@dataclass(frozen=True)
class Context:
    """What the project's policy and the request say. `rounding`: the base that counts are declared to be
    rounded to, where the requester declares one."""

    min_patients: int = 11
    rounding: int | None = None


@dataclass(frozen=True)
class Sizes:
    """Most of everything. Above the first two is a finding; above the others nobody reads on."""

    file_bytes: int = 16 * 10**6
    rows: int = 5_000
    columns: int = 500
    cell_characters: int = 10_000
    rows_read: int = 50_000
    cells_read: int = 2_000_000
    unpacked_bytes: int = 128 * 2**20
    sheets: int = 100


@dataclass(frozen=True)
class Order:
    name: str
    kind: FileKind
    context: Context = field(default_factory=Context)
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True)
class Found:
    findings: tuple[Finding, ...] = ()
    blocks: tuple[Block, ...] = ()
    candidates: tuple[int, ...] = ()
    anew: bytes = b""

    def __add__(self, other: Found) -> Found:
        return Found(
            self.findings + other.findings,
            self.blocks + other.blocks,
            self.candidates + other.candidates,
            self.anew or other.anew,
        )


Checker = Callable[[bytes, Order], Found]


class Notes:
    """Findings as they are made: no more than `MOST_FINDINGS_OF_A_RULE` of a rule, so that a table with ten
    thousand small cells is told, not recited. The first of a rule says by `more` how many are not listed."""

    def __init__(self) -> None:
        self._made: list[Finding] = []
        self._counts: dict[Rule, int] = {}

    def add(
        self,
        rule: Rule,
        severity: Severity,
        place: Place | None = None,
        **params: str | int,
    ) -> None:
        count = self._counts.get(rule, 0)
        self._counts[rule] = count + 1
        if count < MOST_FINDINGS_OF_A_RULE and len(self._made) < MOST_FINDINGS:
            self._made.append(Finding(rule, severity, place, params))

    def has(self, rule: Rule) -> bool:
        return rule in self._counts

    def findings(self) -> tuple[Finding, ...]:
        return tuple(_with_rest(self._made, self._counts))


def _with_rest(made: list[Finding], counts: Mapping[Rule, int]) -> list[Finding]:
    """Each rule's first finding says how many there are in all, where that is more than are listed."""
    listed: dict[Rule, int] = {}
    for finding in made:
        listed[finding.rule] = listed.get(finding.rule, 0) + 1
    told: set[Rule] = set()
    complete = []
    for finding in made:
        rest = counts[finding.rule] - listed[finding.rule]
        if rest and finding.rule not in told:
            told.add(finding.rule)
            finding = Finding(finding.rule, finding.severity, finding.place, {**finding.params, "more": rest})
        complete.append(finding)
    return complete
