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
from hub_config.gateway.rules.draws import Own, Prf
from hub_config.gateway.rules.earlier.definitions import Setting
from hub_config.gateway.rules.earlier.drafted import drafted
from hub_config.gateway.rules.explore import propose
from hub_config.gateway.rules.limits import refuse_too_many, unanimous, verdicts
from hub_config.gateway.rules.memory import Asker, Batch, Memory, Proposal, Settled, Settlement
from hub_config.gateway.rules.plan import MeasureKind, ProtectedTable, Release
from hub_config.gateway.rules.protect import Shown, table
from p4dp_sdk.disclosure.policy import Policy

EARLIER: Final = "earlier"  # the reason told when the ledger may have withheld

Mask = NDArray[np.bool_]
Masks = Mapping[str, Mask]
Verdicts = Callable[[Cells, Policy, Prf], Masks]
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

    def draws(self, project: str) -> Prf:
        """What noise and limits of this project's answers are drawn from."""
        return Own(self.keyring.prf, project)


def explored(
    session: Session,
    releases: Sequence[Release],
    policy: Policy,
    guard: Guard,
    asker: Asker,
    setting: Setting | None = None,
) -> dict[str, ProtectedTable]:
    """Each release by its name, as a draft may show it. `setting`: what its cells' definitions stand on;
    without one nothing is given again. Raises Refusal; then nothing was shown."""
    measured = [
        measure(session, release, policy, guard.keyring, project=asker.project, remember=guard.sketches)
        for release in releases
    ]
    draws = guard.draws(asker.project)
    batches = tuple(batch for cells in measured for batch in proposed(cells, policy, guard, draws, setting))
    settled = iter(guard.memory.settle(asker, batches, policy))
    return {
        cells.release.name: tabled(
            cells, {column.measure.name: shown_of(next(settled)) for column in cells.columns}
        )
        for cells in measured
    }


def tabled(cells: Cells, shown: Mapping[str, Shown]) -> ProtectedTable:
    """The reasons are those that apply to the table, whichever of them bit: the ledger's, too."""
    made = table(cells.release, cells.labels, shown)
    return replace(made, reasons=(*made.reasons, EARLIER)) if made.reasons else made


def rehearsed(
    session: Session, releases: Sequence[Release], policy: Policy, guard: Guard, project: str
) -> dict[str, ProtectedTable]:
    """What the primary rules would withhold, for the synthetic sandbox. Nothing is remembered."""
    draws = guard.draws(project)
    measured = [
        measure(session, release, policy, guard.keyring, project=project, remember=False)
        for release in releases
    ]
    return {cells.release.name: _rehearsed(cells, policy, guard, draws) for cells in measured}


def _rehearsed(cells: Cells, policy: Policy, guard: Guard, draws: Prf) -> ProtectedTable:
    masks = _verdicts(cells, policy, guard, draws)
    shown = {column.measure.name: Shown(column.exact, masks[column.measure.name]) for column in cells.columns}
    return table(cells.release, cells.labels, shown)


def proposed(
    cells: Cells, policy: Policy, guard: Guard, draws: Prf, setting: Setting | None = None
) -> list[Batch]:
    """What the memory is asked: a batch for each measure, in their order."""
    defined = drafted(cells.release, cells.labels, setting)
    masks = _verdicts(cells, policy, guard, draws)
    values = guard.propose(cells, masks, policy, draws)
    keys = _coded(cells)
    batches = []
    for column in cells.columns:
        withheld, shown = masks[column.measure.name], values[column.measure.name]
        proposals = _proposals(withheld, withheld & unanimous(column, policy, draws), shown)
        batch = _batch(cells, column, proposals, shown, keys)
        batches.append(replace(batch, definitions=defined.get(column.measure.name)))
    return batches


def _verdicts(cells: Cells, policy: Policy, guard: Guard, draws: Prf) -> Masks:
    masks = guard.verdicts(cells, policy, draws)
    refuse_too_many(masks, policy)
    return masks


def _proposals(withheld: Mask, never: Mask, values: Floats) -> NDArray[np.int8]:
    """Who are nearly all do not get the number of all, which the ledger knows: it would say it of each."""
    unknown = withheld | ~np.isfinite(values)
    proposals = np.where(unknown, Proposal.WITHHOLD, Proposal.SHOW)
    return np.where(never, Proposal.NEVER, proposals).astype(np.int8)


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


def shown_of(settled: Settled) -> Shown:
    return Shown(
        settled.values,
        settled.settlements == Settlement.WITHHELD,
        settled.settlements == Settlement.SNAPPED,
        settled.dates,
    )
