"""What the ledger is asked and what it settles, as frozen values. No I/O.

The gateway proposes a value for every cell; the ledger compares each with what was shown before and settles
what may be shown. Decisions are pure (`snapping`); `hub_config.governance.ledger` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Floats, Ints, Vectors
from p4dp_sdk.disclosure.policy import Policy


class Proposal(IntEnum):
    """What the primary rules say of one cell before the ledger is asked."""

    SHOW = 0
    WITHHOLD = 1


class Settlement(IntEnum):
    """What the ledger made of one cell."""

    SHOWN = 0  # its own value, new or the same as before
    SNAPPED = 1  # the value of an earlier answer, from which few patients tell it apart
    WITHHELD = 2


@dataclass(frozen=True)
class Batch:
    """One measure of one release of one answer: a group whose cells share no row.

    `family` names what is measured ("count", or "sum:" and the lineage of the value): only cells of one
    family are compared. `values` are as proposed to the person, noise included; `exact` says that they carry
    none (publication).
    """

    release: str
    measure: str
    family: str
    patients: Ints
    values: Floats
    proposals: NDArray[np.int8]
    vectors: Vectors


@dataclass(frozen=True)
class Asker:
    """In whose name an answer is given: the project, its members now (DIM, DPO and services left out)."""

    project: str
    members: frozenset[str]
    user: str
    snapshot: int
    request_id: str


@dataclass(frozen=True)
class Settled:
    """For one batch, cell by cell: the value to show and how it came about."""

    values: Floats
    settlements: NDArray[np.int8]


class Memory(Protocol):
    """The ledger, as the gateway knows it. `settle` returns once everything is on disk."""

    def settle(
        self, asker: Asker, batches: tuple[Batch, ...], policy: Policy, *, exact: bool = False
    ) -> tuple[Settled, ...]:
        """Compare, settle and record one answer; `exact` for a publication table, whose clashes are withheld
        instead of snapped. Raises Refusal (LEDGER_FAILED) when it can't."""
        ...

    def known(self, asker: Asker, batches: tuple[Batch, ...]) -> tuple[NDArray[Any], ...]:
        """For a publication table: of each cell, whether an earlier publication showed it (1), withheld it
        (-1) or has not seen it (0)."""
        ...
