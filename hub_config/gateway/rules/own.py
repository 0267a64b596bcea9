"""What one's own rows change in the rules. Pure.

The rules that protect a GP are for others' eyes: who treated these patients, or logged these consultations,
knows of which practice they are. So a table of one's own has no GPs behind it. All that protects patients
stays.

Each cell is settled twice. In the *common* memory, with every rule, as the same question about everybody
would be: there it stands for what others are shown later, as a number only if it passes every rule. And in
the person's *own* memory, where nobody else's questions are compared with it. What the common memory shows,
is shown; only what the rules on GPs alone would withhold comes from the own one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.memory import Batch, Proposal, Settled, Settlement
from hub_config.gateway.rules.plan import Release

Label = tuple[Hashable, ...]


def without_physicians(release: Release) -> Release:
    """The same table, with no GPs behind it: no rule on them applies."""
    return replace(release, physicians=())


def in_own_memory(batch: Batch, user: str) -> Batch:
    """The batch, compared with nothing but other answers about `user`'s own rows."""
    return replace(batch, family=f"own {user}: {batch.family}")


def places_of(own: Sequence[Label], common: Sequence[Label]) -> NDArray[np.int64]:
    """Where each cell of one's own stands among the common ones; -1 for none."""
    places = {label: place for place, label in enumerate(common)}
    return np.fromiter((places.get(label, -1) for label in own), dtype=np.int64, count=len(own))


def settled_of_own(own: Settled, common: Settled, asked: Batch, places: NDArray[np.int64]) -> Settled:
    """What is shown of each cell: what the common memory made of it, where it passed every rule or was told
    there; else what one's own made. `asked` is the batch as the common memory was asked."""
    decided = (asked.proposals == Proposal.SHOW) | (common.settlements == Settlement.SNAPPED)
    found = np.flatnonzero(places >= 0)
    found = found[decided[places[found]]]
    values, settlements = own.values.copy(), own.settlements.copy()
    values[found] = common.values[places[found]]
    settlements[found] = common.settlements[places[found]]
    return replace(own, values=values, settlements=settlements)
