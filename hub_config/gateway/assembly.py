"""What protects answers, put together once a process: secrets, ledger, publication. One place, so that every
gateway of an enclave is made alike.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.evidence import cross
from hub_config.gateway.keyring import Keyring
from hub_config.gateway.ledger import Ledger
from hub_config.gateway.protection import Guard
from hub_config.gateway.publication.press import Press
from hub_config.gateway.publication.signing import Signer
from hub_config.gateway.rules.cells import Fingerprints
from hub_config.gateway.suppression import Suppressor
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import Store
from hub_config.settings import Settings


@dataclass(frozen=True)
class Protection:
    """What a gateway answers and publishes with. Both share keys and memory."""

    guard: Guard
    press: Press


def protection(settings: Settings, store: Store, master_key: bytes, stack: ExitStack) -> Protection:
    """On this enclave's store and keys; workers end with `stack`. Raises UnsafeKey."""
    keyring = Keyring(master_key)
    memory = Ledger(LedgerStore(store), _Jitter(keyring))
    suppressor = Suppressor()
    stack.callback(suppressor.close)
    signer = Signer.ensure(settings.keys_dir)
    signer.announce(settings.publication_keys_dir)
    press = Press(
        evidence=cross,
        keyring=keyring,
        memory=memory,
        suppress=suppressor.protect,
        signer=signer,
        now=lambda: datetime.now(UTC),
    )
    return Protection(Guard(keyring, memory), press)


@dataclass(frozen=True, repr=False)
class _Jitter:
    """The secret draw of the ledger: one word a pair of record sets, the same in whichever order."""

    keyring: Keyring

    def __call__(self, one: Fingerprints, other: Fingerprints) -> NDArray[np.uint64]:
        return self.keyring.prf("nearness", np.minimum(one, other), np.maximum(one, other))
