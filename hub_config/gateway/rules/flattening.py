"""Who stands out in a count of rows or a sum is cut down to what others have, before anything is shown. Pure.

Noise must cover what one person adds. If it followed the person who adds most, its size would tell whether
they are there; and if a cell were withheld because they dominate it, the mark would. So everybody counts at
most what a keyed 3rd to 6th largest does, noise comes in units of that, and no rule looks at more. With two
or more above the cut, none dominates: the (n,k) and p% rules hold of what is left by themselves.
(Flattening: Francis, Probst Eide & Munz, "Diffix: high-utility database anonymization", APF 2017, § 4.
Noise that follows the data tells of it: Nissim, Raskhodnikova & Smith, "Smooth sensitivity and sampling in
private data analysis", STOC 2007.)

Exact tables are not flattened: there the rules withhold what is dominated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hub_config.gateway.rules.cells import TOPS, Backing, Column, Floats, Ints
from hub_config.gateway.rules.draws import Prf, uniforms

_FIRST: Final = 2  # the 3rd largest, counted from zero: two above it are too few to dominate
_RANK: Final = "rank of the most rows"


@dataclass(frozen=True)
class Flattened:
    """By cell: the most that anybody counts, and by how much those who have more exceed it together, in
    absolute terms and with their signs."""

    cap: Floats
    excess: Floats
    net: Floats


def flattened(column: Column, prf: Prf) -> Flattened:
    """At a rank that is drawn for the record set."""
    return cut(column.backing, uniforms(prf, _RANK, column.vectors.records))


def cut(backing: Backing, drawn: Floats) -> Flattened:
    """At the rank that each cell has `drawn`."""
    return _cut(backing, _FIRST + (drawn * (TOPS - _FIRST)).astype(np.int64))


def flattest(backing: Backing) -> Flattened:
    """At the lowest rank: nobody counts less than with any other."""
    return _cut(backing, np.full(len(backing.largest), TOPS - 1, dtype=np.int64))


def without_excess(backing: Backing, flat: Flattened) -> Backing:
    """Who stands behind what is left."""
    return replace(
        backing,
        largest=np.minimum(backing.largest, flat.cap),
        second=np.minimum(backing.second, flat.cap),
        total=backing.total - flat.excess,
    )


def _cut(backing: Backing, rank: Ints) -> Flattened:
    if backing.tops is None or backing.nets is None:
        nothing = np.zeros(len(backing.largest))
        return Flattened(backing.largest, nothing, nothing)
    tops = backing.tops
    cap = np.take_along_axis(tops, rank[:, None], axis=1)
    beyond = np.maximum(tops - cap, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        signed = np.where(tops > 0, backing.nets * (beyond / tops), 0.0)
    return Flattened(cap[:, 0], beyond.sum(axis=1), signed.sum(axis=1))
