"""Secondary suppression of a publication table: which further cells are withheld, so that no withheld cell
can be computed, or estimated too closely, from what is shown.

A pattern is worth nothing without its proof (see `audit`). `solve` finds both, from whatever pattern a
solver proposes; `conclude` believes neither and checks the proof, quickly: whoever runs `solve` in another
process needs to trust nothing that comes back. Under-protected tables don't exist here: it is proof or
Refusal. Nothing reads a clock, a file or randomness; who calls `solve` bounds its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from p4dp_sdk.disclosure.audit import Witness, check
from p4dp_sdk.disclosure.complement import CannotProtect, covered, protect
from p4dp_sdk.disclosure.constraints import Contradiction, System, system_of
from p4dp_sdk.disclosure.exchange import expanded, reduced
from p4dp_sdk.disclosure.hypercube import (
    Flags,
    Kind,
    Limits,
    Link,
    Quantity,
    Relation,
    Status,
    Suppression,
    TableProblem,
    Tree,
)
from p4dp_sdk.wire.errors import ErrorCode, Refusal

__all__ = [
    "Kind",
    "Limits",
    "Link",
    "Proof",
    "Propose",
    "Quantity",
    "Relation",
    "Status",
    "Suppression",
    "TableProblem",
    "Tree",
    "conclude",
    "solve",
    "suppress",
]

_SMALL: Final = 400  # slots: up to so many, programs take no time and withhold less than boxes do

Propose = Callable[[System, Limits], Flags | None]


@dataclass(frozen=True)
class Proof:
    """A pattern over all slots, measure after measure, and what is to prove it."""

    withheld: Flags
    witnesses: tuple[Witness, ...]


def suppress(problem: TableProblem, limits: Limits, propose: Propose | None = None) -> Suppression:
    """What to withhold of `problem`. Raises Refusal where it is too large, contradicts itself or can't be
    protected, ValueError where it is not a table."""
    return conclude(problem, limits, solve(problem, limits, propose))


def solve(problem: TableProblem, limits: Limits, propose: Propose | None = None) -> Proof:
    """A pattern and its proof. `propose` is asked first; what its pattern lacks is added. Where it has none,
    boxes find one."""
    system = _system(problem, limits)
    if (smaller := reduced(problem)) is not None:
        part = _solved(smaller.problem, limits, propose)
        proof = Proof(*expanded(smaller, part.withheld, part.witnesses))
        if check(system, limits, proof.withheld, proof.witnesses).is_proof:
            return proof
    return _solved(problem, limits, propose)


def _solved(problem: TableProblem, limits: Limits, propose: Propose | None) -> Proof:
    system = _system(problem, limits)
    proposed = propose(system, limits) if propose is not None else None
    try:
        if proposed is not None or len(system.values) <= _SMALL:
            proved = protect(system, limits, system.must if proposed is None else proposed)
        else:
            proved = covered(problem, system, limits, system.must)
    except CannotProtect:
        raise Refusal(ErrorCode.SUPPRESSION_FAILED) from None
    return Proof(proved.withheld, proved.witnesses)


def conclude(problem: TableProblem, limits: Limits, proof: Proof) -> Suppression:
    """What `proof` says to withhold, once it is checked. Raises Refusal where it proves too little."""
    system = _system(problem, limits)
    withheld = proof.withheld
    fits = withheld.shape == system.values.shape and withheld.dtype == np.bool_
    if not fits or np.any(withheld & ~system.free) or not np.array_equal(withheld, system.closed(withheld)):
        raise Refusal(ErrorCode.SUPPRESSION_FAILED)
    proved = check(system, limits, withheld, proof.witnesses)
    if np.any(system.must & ~withheld) or not proved.is_proof:
        raise Refusal(ErrorCode.SUPPRESSION_FAILED)
    return Suppression(
        withheld=_by_name(problem, withheld),
        lower=_by_name(problem, proved.lower),
        upper=_by_name(problem, proved.upper),
    )


def _system(problem: TableProblem, limits: Limits) -> System:
    if (cells := len(problem.coordinates)) > limits.max_cells:
        raise Refusal(ErrorCode.TOO_MANY_CELLS, cells=cells, limit=limits.max_cells)
    try:
        return system_of(problem)
    except Contradiction:
        raise Refusal(ErrorCode.SUPPRESSION_FAILED) from None


def _by_name(problem: TableProblem, slots: NDArray[Any]) -> dict[str, NDArray[Any]]:
    parts = np.split(slots, len(problem.quantities))
    return {quantity.name: part for quantity, part in zip(problem.quantities, parts, strict=True)}
