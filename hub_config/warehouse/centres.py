"""No centre of a snapshot of real practices has fewer than five active GPs: smaller ones are merged.

The small centres of a region become one centre of that region; where even that has too few, they join the
small centres of everywhere; where even those are too few, they have no centre at all: their rows stay and
count, under none. The code that a region's small centres bear is always the same, whoever they are.

A GP is active who exported something dated within the snapshot. Where each row is counts once: by the centre
it has, so a patient of a small centre goes along with it, whoever the GP. What was merged stands in the
manifest, by codes alone; which of them a grant reaches is for `governance.centres` to say. Pure;
`warehouse.merging` moves the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

LEAST_PHYSICIANS: Final = 5
NOWHERE: Final = ""  # in a manifest: those that have no centre
_SMALL: Final = "petits"


@dataclass(frozen=True)
class Size:
    """How many active GPs a centre has."""

    centre: str
    region: str | None
    physicians: int


@dataclass(frozen=True)
class Merge:
    """`members` become `centre` of `region`; without a `centre` they have none."""

    centre: str | None
    region: str | None
    members: tuple[str, ...]


def merged(sizes: Iterable[Size], least: int = LEAST_PHYSICIANS) -> tuple[Merge, ...]:
    """Which of the centres are merged, and into what."""
    small = sorted((each for each in sizes if each.physicians < least), key=lambda each: each.region or "")
    regions, rest = [], list[Size]()
    for region, group in groupby(small, key=lambda each: each.region):
        members = list(group)
        if region and _physicians(members) >= least:
            regions.append(Merge(f"{region}:{_SMALL}", region, _codes(members)))
        else:
            rest += members
    if not rest:
        return tuple(regions)
    everywhere = _SMALL if _physicians(rest) >= least else None
    return (*regions, Merge(everywhere, None, _codes(rest)))


def _physicians(sizes: Iterable[Size]) -> int:
    return sum(each.physicians for each in sizes)


def _codes(sizes: Iterable[Size]) -> tuple[str, ...]:
    return tuple(sorted(each.centre for each in sizes))
