"""Keyed draws: what noise and limits stick to. Pure.

A draw depends on a record set, on what it is for, on the gateway's key and on the project: two projects
without a common member get noise of their own for the same people. With one draw for all, equal numbers would
tell strangers who compare them that their groups are the same, to the person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.cells import Fingerprints, Floats

COUNTS: Final = "noise of counts"  # one label for all counts


class Prf(Protocol):
    """A keyed pseudo-random function (the keyring's): record sets to 64-bit words, another one a label."""

    def __call__(self, label: str, records: Fingerprints, /) -> NDArray[np.uint64]: ...


@dataclass(frozen=True)
class Own:
    """The draws of one project."""

    prf: Prf = field(repr=False)
    project: str

    def __call__(self, label: str, records: Fingerprints, /) -> NDArray[np.uint64]:
        return self.prf(f"{self.project}/{label}", records)


def uniforms(prf: Prf, label: str, records: Fingerprints) -> Floats:
    """53 bits of each word as a number in [0, 1)."""
    drawn: Floats = (prf(label, records) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn
