"""Primary suppression: one cell's evidence and a policy in, the reasons to withhold it out. Pure.

A withheld cell has one mark, whatever the reason: zero, 1 to 10, too few physicians and unanimity look alike.
The reasons are told for a whole table only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from p4dp_sdk.disclosure.policy import Policy


class Reason(StrEnum):
    FREQUENCY = "frequency"  # fewer distinct contributing patients than the policy asks, zero included
    PHYSICIANS = "physicians"  # fewer distinct physicians
    UNANIMITY = "unanimity"  # the cell holds everybody it could: it says something of each of them


@dataclass(frozen=True)
class Evidence:
    """Who stands behind one measure of one cell. Never leaves the enclave.

    `patients` are the protected units (physicians in a table about physicians, where `physicians` is None);
    `others` is how many patients of the same row a conditional measure leaves out, None if it has no
    condition; `margins` are the patients of the cell's margin along each key that could have put them
    elsewhere.
    """

    patients: int
    physicians: int | None
    others: int | None = None
    margins: tuple[int, ...] = ()


def reasons_to_withhold(evidence: Evidence, policy: Policy) -> frozenset[Reason]:
    """Empty when the cell may be shown."""
    reasons = set()
    if evidence.patients < policy.min_patients:
        reasons.add(Reason.FREQUENCY)
    if evidence.physicians is not None and evidence.physicians < policy.min_physicians:
        reasons.add(Reason.PHYSICIANS)
    if _is_unanimous(evidence, policy):
        reasons.add(Reason.UNANIMITY)
    return frozenset(reasons)


def _is_unanimous(evidence: Evidence, policy: Policy) -> bool:
    """Everybody is in the cell, or all but so few that they count as nobody.

    Zero and one to ten must look alike here too: were the bound equality, a cell shown would say that
    somebody is elsewhere, and a cell withheld that nobody is.
    """
    left_out = [margin - evidence.patients for margin in evidence.margins]
    if evidence.others is not None:
        left_out.append(evidence.others)
    return any(patients < policy.min_patients for patients in left_out)
