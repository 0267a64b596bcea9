"""Which rule withheld what: a guard and a ledger watched while a session is asked.

Every cell with at least 11 patients that was not shown, once, under the first rule that takes it. Watching
changes no answer. Nobody is ever told this: it would say what the mark hides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from unittest import mock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hub_config.gateway.protection import Guard
from hub_config.gateway.rules.cells import Cells, Column
from hub_config.gateway.rules.earlier import snapping
from hub_config.gateway.rules.memory import Memory, Proposal, Settlement
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.disclosure.primary import Reason, failures
from tests.attacks.arena import Arena

Flags = NDArray[np.bool_]
Step = int | str
LEAST: Final = 11
RULES: Final = (
    "near the threshold",
    "few GPs",
    "few outside a GP",
    "dominance",
    "unanimity",
    "near a withheld cell",
    "within few GPs",
    "a known sum",
    "another",
)
_PART: Final = re.compile(r" \[\d+\]$")  # how the gateway names the parts of a mean


@dataclass
class Watched:
    """`rows`: of each cell of each answer the patients, whether it was shown, and the rule if it was not."""

    rows: list[pd.DataFrame] = field(default_factory=list)
    _seen: pd.DataFrame = field(default_factory=pd.DataFrame)
    _columns: list[tuple[Cells, Column, Mapping[str, Flags]]] = field(default_factory=list)
    _ledger: list[dict[str, Flags]] = field(default_factory=list)

    def asked(self, step: Step, table: str, among: Sequence[str] | None = None) -> None:
        """What was seen since the last question belongs to this one, or those `among` it. The parts of a mean
        are one cell."""
        once = self._seen.groupby(["measure", "label"], sort=False).first().reset_index()
        once = once if among is None else once[once["label"].isin(among)]
        self.rows.append(once.assign(step=step, table=table))

    def counts(self, by: str) -> pd.DataFrame:
        """By step or table: cells of 11 patients or more, how many snapped, how many each rule withheld."""
        cells = pd.concat(self.rows, ignore_index=True)
        cells = cells[cells["patients"] >= LEAST]
        ones = pd.DataFrame({"cells": 1, "snapped": cells["snapped"].astype(int)})
        for rule in RULES:
            ones[rule] = (cells["rule"] == rule).astype(int)
        return ones.groupby(cells[by], sort=False).sum()


@contextmanager
def watched(arena: Arena) -> Iterator[Watched]:
    """Asked meanwhile, the arena's gateway answers as ever, and is watched."""
    seen, enclave = Watched(), arena.enclave
    guard: Guard = enclave.gateway.guard
    spied = replace(guard, verdicts=_verdicts(guard.verdicts, seen), memory=_Memory(guard.memory, seen))
    arena.enclave = enclave.with_gateway(guard=spied)
    with mock.patch.multiple(snapping, **_spies(seen)):
        yield seen
    arena.enclave = enclave


def _verdicts(real: Callable[..., Any], seen: Watched) -> Callable[..., Any]:
    def verdicts(cells: Cells, policy: Policy, *more: Any) -> Any:
        masks = real(cells, policy, *more)
        for column in cells.columns:
            seen._columns.append((cells, column, _primary(column, policy, masks[column.measure.name])))
        return masks

    return verdicts


def _primary(column: Column, policy: Policy, withheld: Flags) -> dict[str, Flags]:
    """The rules that the cell fails; it is near the threshold where it fails and none of them says why."""
    evidence = column.backing
    failed = failures(evidence, policy, magnitude=column.measure.kind is MeasureKind.SUM)
    few = np.zeros(len(withheld), dtype=bool)
    if evidence.physicians is not None:
        few = evidence.physicians < policy.min_physicians
    told = {
        "few GPs": few,
        "few outside a GP": failed[Reason.PHYSICIANS] & ~few,
        "dominance": failed[Reason.DOMINANCE],
        "unanimity": failed[Reason.UNANIMITY],
    }
    return {"near the threshold": withheld & ~np.logical_or.reduce(list(told.values())), **told}


def _spies(seen: Watched) -> dict[str, Any]:
    """The ledger's rules 3 and 5, and its sums, each noting what it takes."""
    decide, narrow, agree = snapping._decide, snapping.within_few_physicians, snapping.agree_with_history

    def within_few_physicians(*given: Any) -> Flags:
        taken = narrow(*given)
        none = np.zeros(len(taken), dtype=bool)
        seen._ledger.append(
            {"near a withheld cell": none, "within few GPs": taken.copy(), "a known sum": none.copy()}
        )
        return taken

    def _decide(cell: int, rivals: Any, outcome: Any, anchors: Any, proposal: int, first: int) -> None:
        decide(cell, rivals, outcome, anchors, proposal, first)
        taken = proposal == Proposal.SHOW and outcome.kinds[cell] == snapping.UNDECIDED
        seen._ledger[-1]["near a withheld cell"][cell] = taken

    def agree_with_history(answer: Any) -> None:
        before = answer.outcome.settlements != Settlement.WITHHELD
        agree(answer)
        seen._ledger[-1]["a known sum"] = before & (answer.outcome.settlements == Settlement.WITHHELD)

    return {
        "within_few_physicians": within_few_physicians,
        "_decide": _decide,
        "agree_with_history": agree_with_history,
    }


@dataclass(frozen=True)
class _Memory:
    """The ledger itself; what it settles is noted."""

    real: Memory
    seen: Watched

    def settle(self, asker: Any, batches: Any, policy: Policy, *, exact: bool = False) -> Any:
        settled = self.real.settle(asker, batches, policy, exact=exact)
        if not exact:
            made = zip(self.seen._columns, self.seen._ledger[-len(batches) :], settled, strict=True)
            self.seen._seen = pd.concat([_frame(*each) for each in made], ignore_index=True)
        self.seen._columns.clear()
        self.seen._ledger.clear()
        return settled

    def known(self, *given: Any) -> Any:
        return self.real.known(*given)

    def sums(self, *given: Any) -> Any:
        return self.real.sums(*given)

    def again(self, *given: Any) -> Any:
        return self.real.again(*given)


def _frame(
    column: tuple[Cells, Column, Mapping[str, Flags]], ledger: Mapping[str, Flags], settled: Any
) -> pd.DataFrame:
    cells, measured, primary = column
    rules = primary | ledger
    first = np.select(list(rules.values()), list(rules), default=RULES[-1])
    return pd.DataFrame(
        {
            "measure": _PART.sub("", measured.measure.name),
            "label": [str(label) for label in cells.labels],
            "patients": measured.backing.patients,
            "snapped": settled.settlements == Settlement.SNAPPED,
            "rule": np.where(settled.settlements == Settlement.WITHHELD, first, ""),
        }
    )
