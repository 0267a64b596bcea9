"""From the releases of a query to what may be shown of them: evidence, primary rules, noise, the ledger.

What leaves this module has been written to the ledger; whatever goes wrong on the way is a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.engine import Session
from hub_config.gateway.evidence import measure
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.rules.cells import Cells, Column, Floats, Ints
from hub_config.gateway.rules.explore import Prf, propose
from hub_config.gateway.rules.memory import Asker, Batch, Memory, Proposal, Settled, Settlement
from hub_config.gateway.rules.plan import MeasureKind, ProtectedTable, Release
from hub_config.gateway.rules.protect import Shown, table, unanimous, verdicts
from p4dp_sdk.disclosure.policy import Policy

EARLIER: Final = "earlier"  # the reason told when the ledger may have withheld

Masks = Mapping[str, NDArray[np.bool_]]
Verdicts = Callable[[Cells, Policy], Masks]
Propose = Callable[[Cells, Masks, Policy, Prf], Mapping[str, Floats]]


@dataclass(frozen=True)
class Guard:
    """What stands between an exact number and a person. A test takes one part out to show what it is for.

    `sketches`: whether cells are sketched for the memory; without, it can compare none.
    """

    keyring: Keyring = field(repr=False)
    memory: Memory
    verdicts: Verdicts = verdicts
    propose: Propose = propose
    sketches: bool = True


def explored(
    session: Session, releases: Sequence[Release], policy: Policy, guard: Guard, asker: Asker
) -> dict[str, ProtectedTable]:
    """Each release by its name, as a draft may show it. Raises Refusal; then nothing was shown."""
    measured = [
        measure(session, release, policy, guard.keyring, remember=guard.sketches) for release in releases
    ]
    batches = tuple(batch for cells in measured for batch in _proposed(cells, policy, guard))
    settled = iter(guard.memory.settle(asker, batches, policy))
    return {
        cells.release.name: _explored(
            cells, {column.measure.name: _shown(next(settled)) for column in cells.columns}
        )
        for cells in measured
    }


def _explored(cells: Cells, shown: Mapping[str, Shown]) -> ProtectedTable:
    """The reasons are those that apply to the table, whichever of them bit: the ledger's, too."""
    made = table(cells.release, cells.labels, shown)
    return replace(made, reasons=(*made.reasons, EARLIER)) if made.reasons else made


def rehearsed(
    session: Session, releases: Sequence[Release], policy: Policy, guard: Guard
) -> dict[str, ProtectedTable]:
    """What the primary rules would withhold, for the synthetic sandbox. Nothing is remembered."""
    return {release.name: _rehearsed(session, release, policy, guard) for release in releases}


def _rehearsed(session: Session, release: Release, policy: Policy, guard: Guard) -> ProtectedTable:
    cells = measure(session, release, policy, guard.keyring, remember=False)
    masks = guard.verdicts(cells, policy)
    shown = {column.measure.name: Shown(column.exact, masks[column.measure.name]) for column in cells.columns}
    return table(release, cells.labels, shown)


def _proposed(cells: Cells, policy: Policy, guard: Guard) -> list[Batch]:
    masks = guard.verdicts(cells, policy)
    values = guard.propose(cells, masks, policy, guard.keyring.prf)
    keys = _coded(cells)
    return [
        _batch(cells, column, _proposals(column, masks, values, policy), values[column.measure.name], keys)
        for column in cells.columns
    ]


def _proposals(
    column: Column, masks: Masks, values: Mapping[str, Floats], policy: Policy
) -> NDArray[np.int8]:
    """Who are nearly all do not get the number of all, which the ledger knows: it would say it of each."""
    withheld = masks[column.measure.name]
    unknown = withheld | ~np.isfinite(values[column.measure.name])
    proposals = np.where(unknown, Proposal.WITHHOLD, Proposal.SHOW)
    return np.where(withheld & unanimous(column, policy), Proposal.NEVER, proposals).astype(np.int8)


def _batch(
    cells: Cells, column: Column, proposals: NDArray[np.int8], values: Floats, keys: tuple[Ints, ...]
) -> Batch:
    return Batch(
        release=cells.release.name,
        measure=column.measure.name,
        family=column.measure.family,
        patients=column.backing.patients,
        values=values,
        proposals=proposals,
        vectors=column.vectors,
        keys=keys,
        additive=column.measure.kind is not MeasureKind.QUANTILE,
    )


def _coded(cells: Cells) -> tuple[Ints, ...]:
    """For each key a number for each label, equal where the labels are."""
    coded = []
    for position in range(len(cells.release.keys)):
        numbers: dict[object, int] = {}
        codes = [numbers.setdefault(label[position], len(numbers)) for label in cells.labels]
        coded.append(np.array(codes, dtype=np.int64))
    return tuple(coded)


def _shown(settled: Settled) -> Shown:
    return Shown(
        settled.values,
        settled.settlements == Settlement.WITHHELD,
        settled.settlements == Settlement.SNAPPED,
    )
