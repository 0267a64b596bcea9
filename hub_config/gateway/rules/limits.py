"""The primary rules of exploration: limits on people are met by blurred numbers only. Pure.

A limit that is met exactly is an oracle: who knows everybody but one asks for a group that the one brings to
it, and whether it is shown is the answer. So each number of people that has a limit (patients, patients
outside the largest GP, patients outside the two largest, patients left out) is blurred like a count, keyed on
the record set, and must then be over the limit by a margin; in truth it must reach it, too. The blurred
number of patients of a count of patients is the number that is shown, and the other limits of the cell are
met under the same draw, so that being shown tells no more than the number does: thresholding a noisy count is
the optimal way to choose what to release (Desfontaines, Voss, Gipson & Mandayam, "Differentially private
partition selection", PoPETs 2022(1) 339–352). A limit that is raised by a keyed 0 to 5 tells more for the
same loss of cells (ADR 0009).

"At least three GPs" is such a limit as well: somebody must be outside the two largest, and one person must
not be who decides it. And so are dominance by a patient, for which nobody is left who could (`flattening`),
and the largest GP's share of a sum: what is between it and the limit, in units of what one patient adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Backing, Cells, Column, Floats, Ints
from hub_config.gateway.rules.draws import COUNTS, Prf, uniforms
from hub_config.gateway.rules.flattening import flattened, flattest, without_excess
from hub_config.gateway.rules.plan import MeasureKind
from p4dp_sdk.disclosure.cellkey import PTable
from p4dp_sdk.disclosure.magnitude import FARTHEST, deviates
from p4dp_sdk.disclosure.policy import Method, Policy
from p4dp_sdk.disclosure.primary import failures, withheld
from p4dp_sdk.wire.errors import ErrorCode, Refusal

Mask = NDArray[np.bool_]

_PATIENTS: Final = "limit on patients"
_MANY: Final = 2**40  # people; what is beyond has no limit to fear
SOMEBODY: Final = 1  # patients outside the two largest GPs, at least


def verdicts(cells: Cells, policy: Policy, prf: Prf) -> dict[str, Mask]:
    """For each measure, the cells that fail a rule."""
    return {column.measure.name: _failing(column, policy, prf) for column in cells.columns}


def refuse_too_many(failing: Mapping[str, Mask], policy: Policy) -> None:
    """Raises Refusal (TOO_MANY_CELLS) where more cells pass than the policy takes. Only those are counted
    that may be shown, by their blurred numbers: being refused says no more than being shown would."""
    shown = ~np.logical_and.reduce(list(failing.values()))
    if np.count_nonzero(shown) > policy.max_cells:
        raise Refusal(ErrorCode.TOO_MANY_CELLS, limit=policy.max_cells)


def unanimous(column: Column, policy: Policy, prf: Prf) -> Mask:
    """The cells that hold nearly everybody they could."""
    drawn = np.nextafter(1.0, 0.0) - _drawn(column, policy, prf)  # who is in the cell is not left out
    return _below(column.backing.left_out, policy.min_patients, drawn, policy)


def uncertain(backing: Backing, policy: Policy, *, magnitude: bool) -> Mask:
    """The cells that do not pass whatever is drawn: certified data must have none."""
    failing, _ = withheld(backing, policy.certain(), magnitude=magnitude)
    if backing.outside_few is not None:
        failing = failing | (backing.outside_few < SOMEBODY + policy.margin + policy.noise_bound)
    if magnitude and backing.cut_share is not None:
        failing = failing | (_room(backing, policy) < policy.margin + FARTHEST * policy.magnitude_scale)
    return np.asarray(failing)


def _failing(column: Column, policy: Policy, prf: Prf) -> Mask:
    kind, backing = column.measure.kind, column.backing
    drawn = _drawn(column, policy, prf)
    left = without_excess(backing, flattened(column, prf))
    left = replace(left, physician_share=np.zeros(len(left.total)))
    masks = list(failures(left, policy, magnitude=kind is MeasureKind.SUM).values())
    masks.append(_below(backing.patients, policy.min_patients, drawn, policy))
    masks.append(unanimous(column, policy, prf))
    if backing.outside is not None and kind is not MeasureKind.SUM:
        masks.append(_below(backing.outside, policy.min_outside, drawn, policy))
    if backing.physicians is not None:
        masks += _of_physicians(column, policy, drawn)
    return np.asarray(np.logical_or.reduce(masks))


def _drawn(column: Column, policy: Policy, prf: Prf) -> Floats:
    """One draw for all limits of a cell, that of the number shown if it is a count: one person more adds to
    each of its numbers, and must not be seen under several noises."""
    counted = column.measure.kind in (MeasureKind.PATIENTS, MeasureKind.ROWS)
    label = COUNTS if counted and policy.method is Method.CELL_KEY else _PATIENTS
    return uniforms(prf, label, column.vectors.records)


def _of_physicians(column: Column, policy: Policy, drawn: Floats) -> list[Mask]:
    """Where two GPs have nearly everybody, or one has nearly all of a sum."""
    backing = column.backing
    if backing.outside_few is None or backing.cut_share is None:
        return [np.ones(len(drawn), dtype=bool)]
    few = [_below(backing.outside_few, SOMEBODY, drawn, policy)]
    if column.measure.kind is not MeasureKind.SUM:
        return few
    room = _room(backing, policy)
    blurred = room + deviates(drawn, policy.magnitude_scale)
    return [*few, ~((room >= 0) & (blurred >= policy.margin))]


def _room(backing: Backing, policy: Policy) -> Floats:
    """How much more the largest GP might have of a sum, in units of what one patient adds at most."""
    flat, share = flattest(backing), backing.cut_share
    left = policy.max_physician_share - (np.ones(len(flat.cap)) if share is None else share)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        units = np.where(flat.cap > 0, (backing.total - flat.excess) / flat.cap, 0.0)
    return np.asarray(left * units)


def _below(people: Ints, limit: int, drawn: Floats, policy: Policy) -> Mask:
    """Where `people` do not reach `limit`, or their blurred number does not clear it."""
    return ~clears(people, limit, drawn, policy)


def clears(people: Ints, limit: int, drawn: Floats, policy: Policy) -> Mask:
    """Where `people` reach `limit`, and their number, blurred by what was `drawn`, clears it."""
    table = PTable(limit, policy.noise_bound, policy.noise_variance)
    blurred = table.perturbed(np.clip(people, limit, _MANY), drawn)
    return np.asarray((people >= limit) & (blurred >= limit + policy.margin))
