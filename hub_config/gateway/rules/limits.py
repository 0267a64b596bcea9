"""The primary rules of exploration: limits on people are met by blurred numbers only. Pure.

A limit that is met exactly is an oracle: who knows everybody but one asks for a group that the one brings to
it, and whether it is shown is the answer. So each number of people that has a limit (patients, patients
outside the largest GP, patients left out) is blurred like a count, keyed on the record set, and must then be
over the limit by a margin; in truth it must reach it, too. The blurred number of patients of a count of
patients is the number that is shown, so that being shown tells no more than the number does: thresholding a
noisy count is the optimal way to choose what to release (Desfontaines, Voss, Gipson & Mandayam,
"Differentially private partition selection", PoPETs 2022(1) 339–352). A limit that is raised by a keyed
0 to 5 tells more for the same loss of cells (ADR 0009).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Cells, Column, Floats, Ints
from hub_config.gateway.rules.draws import COUNTS, Prf, uniforms
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.policy import Method, Policy
from p4dp_sdk.disclosure.primary import failures

Mask = NDArray[np.bool_]

_PATIENTS: Final = "limit on patients"
_OUTSIDE: Final = "limit on patients outside"
_LEFT_OUT: Final = "limit on patients left out"
_MANY: Final = 2**40  # people; what is beyond has no limit to fear


def verdicts(cells: Cells, policy: Policy, prf: Prf) -> dict[str, Mask]:
    """For each measure, the cells that fail a rule."""
    return {column.measure.name: _failing(column, policy, prf) for column in cells.columns}


def unanimous(column: Column, policy: Policy, prf: Prf) -> Mask:
    """The cells that hold nearly everybody they could."""
    return _below(column, column.backing.left_out, policy.min_patients, _LEFT_OUT, policy, prf)


def _failing(column: Column, policy: Policy, prf: Prf) -> Mask:
    kind, backing = column.measure.kind, column.backing
    counted = kind is MeasureKind.PATIENTS or kind is MeasureKind.ROWS
    shown = COUNTS if counted and policy.method is Method.CELL_KEY else _PATIENTS
    masks = list(failures(backing, policy, magnitude=kind is MeasureKind.SUM).values())
    masks.append(_below(column, backing.patients, policy.min_patients, shown, policy, prf))
    masks.append(unanimous(column, policy, prf))
    if backing.outside is not None and kind is not MeasureKind.SUM:
        masks.append(_below(column, backing.outside, policy.min_outside, _OUTSIDE, policy, prf))
    return np.asarray(np.logical_or.reduce(masks))


def _below(column: Column, people: Ints, limit: int, label: str, policy: Policy, prf: Prf) -> Mask:
    """Where `people` do not reach `limit`, or their blurred number does not clear it."""
    return ~clears(people, limit, uniforms(prf, label, column.vectors.records), policy)


def clears(people: Ints, limit: int, drawn: Floats, policy: Policy) -> Mask:
    """Where `people` reach `limit`, and their number, blurred by what was `drawn`, clears it."""
    table = PTable(limit, policy.noise_bound, policy.noise_variance)
    blurred = table.perturbed(np.clip(people, limit, _MANY), drawn)
    return np.asarray((people >= limit) & (blurred >= limit + policy.margin))
