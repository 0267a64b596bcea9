"""Primary suppression: the evidence of cells and a policy in, which cells to withhold out. Pure.

A withheld cell has one mark, whatever the reason: zero, 1 to 10, too few physicians, a dominant contributor
and unanimity look alike. The reasons are told for a whole table only, as the rules that apply to it: which of
them bit would be an answer in a table of one cell.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from p4dp_sdk.disclosure.policy import Policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]


class Reason(StrEnum):
    FREQUENCY = "frequency"  # fewer distinct contributing patients than the policy asks, zero included
    PHYSICIANS = "physicians"  # fewer distinct physicians, or nearly everybody is with one of them
    DOMINANCE = "dominance"  # one or two patients, or one physician, make up most of it
    UNANIMITY = "unanimity"  # the cell holds everybody it could: it says something of each of them


class Evidence(Protocol):
    """Arrays with an entry a cell: at least so many patients, physicians, patients outside the largest
    physician, patients left out; at most so large contributions of the two largest patients and share of the
    largest physician; the sum of absolute contributions. Negative values count by their absolute value, and
    a patient's rows are added up first: a join that repeats them makes nobody weigh more than they do."""

    @property
    def patients(self) -> Ints: ...
    @property
    def physicians(self) -> Ints | None: ...
    @property
    def outside(self) -> Ints | None: ...
    @property
    def left_out(self) -> Ints: ...
    @property
    def largest(self) -> Floats: ...
    @property
    def second(self) -> Floats: ...
    @property
    def total(self) -> Floats: ...
    @property
    def physician_share(self) -> Floats: ...


def withheld(evidence: Evidence, policy: Policy, *, magnitude: bool) -> tuple[Mask, frozenset[Reason]]:
    """Which cells fail a rule, and which rules fail any. `magnitude`: it is a sum, not a count.

    The second must stay inside the enclave; a person is told `applicable`. What can't be compared (NaN)
    fails.
    """
    failing = failures(evidence, policy, magnitude=magnitude)
    masks = list(failing.values())
    found = frozenset(reason for reason, mask in failing.items() if mask.any())
    return np.logical_or.reduce(masks), found


def failures(evidence: Evidence, policy: Policy, *, magnitude: bool) -> dict[Reason, Mask]:
    """For each rule, the cells that fail it."""
    return {
        Reason.FREQUENCY: evidence.patients < policy.min_patients,
        Reason.PHYSICIANS: _few_physicians(evidence, policy, magnitude=magnitude),
        Reason.DOMINANCE: _dominated(evidence, policy, magnitude=magnitude),
        Reason.UNANIMITY: evidence.left_out < policy.min_patients,
    }


def applicable(*, physicians: bool, elsewhere: bool) -> tuple[Reason, ...]:
    """The rules of a table, whatever its cells: it has hidden `physicians`; keys or conditions could have put
    patients `elsewhere`."""
    rules = {Reason.PHYSICIANS: physicians, Reason.UNANIMITY: elsewhere}
    return tuple(reason for reason in Reason if rules.get(reason, True))


def _few_physicians(evidence: Evidence, policy: Policy, *, magnitude: bool) -> Mask:
    """Too few, or (counts) too few patients outside the largest: their number less the shown total would be
    known to that physician within so many."""
    failing = np.zeros(len(evidence.patients), dtype=bool)
    if evidence.physicians is not None:
        failing |= evidence.physicians < policy.min_physicians
    if evidence.outside is not None and not magnitude:
        failing |= evidence.outside < policy.min_outside
    return failing


def _dominated(evidence: Evidence, policy: Policy, *, magnitude: bool) -> Mask:
    """The (n,k) and p% rules on absolute contributions (Hundepool et al., Statistical Disclosure Control,
    Wiley 2012, § 4.2), and the largest physician's share of a magnitude.

    An empty or overflowing total fails: nothing can be said of its shares.
    """
    total, largest, second = evidence.total, evidence.largest, evidence.second
    with np.errstate(invalid="ignore", over="ignore"):
        top = largest if policy.dominance_n == 1 else largest + second
        spread = (top <= policy.dominance_k * total) & (
            total - largest - second >= policy.p_percent * largest
        )
        if magnitude and evidence.physicians is not None:
            spread &= evidence.physician_share <= policy.max_physician_share
    return ~(spread & np.isfinite(total) & (total > 0))
