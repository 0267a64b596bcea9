"""A test double: the ledger taken out. Whatever is proposed is shown, and nothing is remembered."""

from __future__ import annotations

import numpy as np

from hub_config.gateway.rules.memory import Asker, Batch, Known, Proposal, Settled, Settlement
from p4dp_sdk.disclosure.policy import Policy


class Forgetful:
    def again(self, definitions: frozenset[int]) -> None:
        return None

    def sums(self, *_: object) -> tuple[()]:
        return ()

    def settle(
        self, asker: Asker, batches: tuple[Batch, ...], policy: Policy, *, exact: bool = False
    ) -> tuple[Settled, ...]:
        return tuple(
            Settled(
                batch.values,
                np.where(batch.proposals == Proposal.SHOW, Settlement.SHOWN, Settlement.WITHHELD).astype(
                    np.int8
                ),
            )
            for batch in batches
        )

    def known(self, asker: Asker, batches: tuple[Batch, ...], policy: Policy) -> tuple[np.ndarray, ...]:
        return tuple(np.full(len(batch.values), Known.NEW, dtype=np.int8) for batch in batches)
