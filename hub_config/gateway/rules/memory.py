"""What the ledger is asked and what it settles, as frozen values. No I/O.

The gateway proposes a value for every cell; the ledger compares each with what was shown before and settles
what may be shown. Decisions are pure (`snapping`); `hub_config.governance.ledger` keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Floats, Ints, Vectors
from p4dp_sdk.disclosure.policy import Policy

PEOPLE: Final = "people"  # the family of who stands behind a number, whatever is measured of them


class Proposal(IntEnum):
    """What the primary rules say of one cell before the ledger is asked."""

    SHOW = 0
    WITHHOLD = 1  # snaps if it lies near enough to an earlier answer, so that withholding is no signal
    NEVER = 2  # withheld whatever the ledger knows: unanimity, where a known number would say it of everybody


class Settlement(IntEnum):
    """What the ledger made of one cell."""

    SHOWN = 0  # its own value
    SNAPPED = (
        1  # the value of an earlier answer, from which few patients or none tell it apart: see `snapping`
    )
    WITHHELD = 2


class Known(IntEnum):
    """What earlier publications say of a cell that is to be published."""

    WITHHELD = -1  # one withheld it, or showed a cell that few patients tell apart from it
    NEW = 0
    SHOWN = 1  # one showed it: its exact value is public


@dataclass(frozen=True)
class Batch:
    """One measure of one release of one answer: a group whose cells share no row.

    `family` names what is measured ("count", or "sum:" and the lineage of the value): only cells of one
    family are compared. `patients` are at least so many; nothing relies on more. `values` are as proposed to
    the person, noise included, NaN where withheld. `keys`: for each key of the release the code of each
    cell's label (any numbers, equal where labels are), from which margins are made; without it only the sum
    of all cells is. `additive`: values of the batch may be added (not quantiles).

    `definitions` say what each cell is (`rules.definitions`); nothing of a draft without them is given again.
    Of a publication table, `places` say where a cell stands in the table; `absent` are the definitions of
    cells that nobody is in, and that are withheld. The batch of the people behind a measure follows that
    measure's own.
    """

    release: str
    measure: str
    family: str
    patients: Ints
    values: Floats
    proposals: NDArray[np.int8]
    vectors: Vectors
    keys: tuple[Ints, ...] = ()
    additive: bool = True
    definitions: NDArray[np.uint64] | None = None
    places: Ints | None = None
    absent: NDArray[np.uint64] | None = None


@dataclass(frozen=True)
class Asker:
    """In whose name an answer is given: the project, its members now (DIM, DPO and services left out), and
    `related`, the projects that these belong to, or ever did, as well."""

    project: str
    members: frozenset[str]
    user: str
    snapshot: int
    request_id: str
    related: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settled:
    """For one batch, cell by cell: the value to show (NaN where withheld) and how it came about. `dates`:
    where it is given again to whom it was shown before, when first; NaT elsewhere."""

    values: Floats
    settlements: NDArray[np.int8]
    dates: NDArray[np.datetime64] | None = None


@dataclass(frozen=True)
class Replay:
    """An earlier publication table: its numbers by their definitions, NaN where withheld, and its date."""

    values: Mapping[int, float]
    given_at: datetime


class Memory(Protocol):
    """The ledger, as the gateway knows it. `settle` returns once everything is on disk."""

    def settle(
        self, asker: Asker, batches: tuple[Batch, ...], policy: Policy, *, exact: bool = False
    ) -> tuple[Settled, ...]:
        """Compare, settle and record one answer. Raises Refusal (LEDGER_FAILED) when it can't.

        `exact` for a publication table: nothing snaps, and a clash with an earlier publication (one given
        since `known` was asked) is settled as WITHHELD where SHOW was proposed; then *nothing* is recorded,
        and the table must be protected and settled anew.
        """
        ...

    def known(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[NDArray[Any], ...]:
        """For a publication table: `Known` of each cell (int8)."""
        ...

    def sums(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[tuple[int, Ints], ...]:
        """For a publication table: a batch, and cells of it that make up, by their definitions, a number that
        was published and is no cell of the table."""
        ...

    def again(self, definitions: frozenset[int]) -> Replay | None:
        """The earliest publication table that held all these cells; None where none did."""
        ...
