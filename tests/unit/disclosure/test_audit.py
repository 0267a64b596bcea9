"""The audit believes no witness: what a solver says is checked, and a pattern without proof is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from p4dp_sdk.disclosure.audit import Witness, audit, check, is_possible
from p4dp_sdk.disclosure.constraints import system_of
from p4dp_sdk.disclosure.secondary import (
    Kind,
    Limits,
    Proof,
    Quantity,
    Status,
    TableProblem,
    Tree,
    conclude,
    solve,
)
from p4dp_sdk.wire.errors import ErrorCode, Refusal

LIMITS = Limits()


def table() -> TableProblem:
    """Total 88 = 4 + 12 + 32 + 40."""
    values = np.array([88, 4, 12, 32, 40])
    status = np.array([0, Status.PRIMARY, 0, 0, 0], np.int8)
    quantity = Quantity("patients", Kind.COUNT, values.astype(float), status, values)
    return TableProblem((Tree("band", (-1, 0, 0, 0, 0)),), np.arange(5)[:, None], (quantity,))


def flags(*slots: int) -> np.ndarray:
    return np.isin(np.arange(5), slots)


def witness(**moves: float) -> Witness:
    return Witness(np.array([int(name[1:]) for name in moves]), np.array(list(moves.values())))


POSSIBLE = witness(s1=8.0, s2=-8.0)


@pytest.mark.parametrize(
    ("move", "possible"),
    [
        (POSSIBLE, True),
        (witness(s1=-4.0, s2=4.0), True),
        (witness(s1=7.5, s2=-7.5), False),  # half a patient
        (witness(s1=-5.0, s2=5.0), False),  # fewer than nobody
        (witness(s1=8.0, s2=-7.0), False),  # another total
        (witness(s1=8.0, s3=-8.0), False),  # moves what is shown
        (witness(s1=8.0), False),
        (witness(s1=np.nan, s2=np.nan), False),
        (Witness(np.array([1, 1, 2]), np.array([4.0, 4.0, -8.0])), False),
        (Witness(np.zeros(0, np.int64), np.zeros(0)), False),
    ],
)
def test_a_witness_agrees_with_everything_shown(move: Witness, possible: bool) -> None:
    assert is_possible(system_of(table()), flags(1, 2), move) is possible


def test_what_no_witness_protects_is_named() -> None:
    system = system_of(table())

    alone = audit(system, LIMITS, flags(1))
    nothing_shown_for_it = check(system, LIMITS, flags(1, 2), [])

    assert {demand.slot for demand in alone.unmet} == {1} and not alone.is_proof
    assert alone.exposed  # what is withheld of the shown total is 4 patients
    assert {demand.slot for demand in nothing_shown_for_it.unmet} == {1, 2}
    assert audit(system, LIMITS, flags(1, 2)).is_proof


def test_the_intervals_are_those_of_the_witnesses() -> None:
    proved = audit(system_of(table()), LIMITS, flags(1, 2))

    assert (proved.lower[1], proved.upper[2]) == (0.0, 16.0)
    assert proved.upper[1] >= 11 and np.isnan(proved.lower[[0, 3, 4]]).all()


PROOF = solve(table(), LIMITS)


@pytest.mark.parametrize(
    "proof",
    [
        replace(PROOF, witnesses=()),
        replace(PROOF, withheld=flags(1)),
        replace(PROOF, withheld=flags(2, 3)),  # not what must be withheld
        replace(PROOF, withheld=flags(1, 2)[:4]),
        replace(PROOF, witnesses=(witness(s1=100.0, s2=-100.0), witness(s1=-4.0, s2=4.0))),
    ],
)
def test_a_pattern_without_its_proof_is_refused(proof: Proof) -> None:
    assert conclude(table(), LIMITS, PROOF).withheld["patients"].sum() == 2
    with pytest.raises(Refusal) as refused:
        conclude(table(), LIMITS, proof)
    assert refused.value.code is ErrorCode.SUPPRESSION_FAILED


def test_a_pattern_that_withholds_what_is_public_is_refused() -> None:
    (quantity,) = table().quantities
    status = quantity.status.copy()
    status[2] = Status.KNOWN
    known = replace(table(), quantities=(replace(quantity, status=status),))

    with pytest.raises(Refusal):
        conclude(known, LIMITS, PROOF)
    assert not conclude(known, LIMITS, solve(known, LIMITS)).withheld["patients"][2]


def test_a_proposal_is_kept_where_it_is_enough_and_widened_where_it_is_not() -> None:
    assert (
        solve(table(), LIMITS, lambda system, limits: flags(1, 4)).withheld.tolist() == flags(1, 4).tolist()
    )
    assert solve(table(), LIMITS, lambda system, limits: flags(3)).withheld.sum() >= 2
    assert solve(table(), LIMITS, lambda system, limits: None).withheld.tolist() == flags(1, 2).tolist()
