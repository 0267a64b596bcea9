"""How many of those who were sent were found, by centre and year of birth; small numbers are masked, and no
masked one can be worked out from its margin. Pure: counts in, cells out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

THRESHOLD: Final = 11


@dataclass(frozen=True)
class Counted:
    """Of one class of one dimension. `linked` and `eligible` are None where masked."""

    dimension: str
    group: str
    linked: int | None
    eligible: int | None

    @property
    def rate(self) -> float | None:
        return self.linked / self.eligible if self.linked is not None and self.eligible else None


def protected(counts: Iterable[tuple[str, str, int, int]]) -> tuple[Counted, ...]:
    """The cells of (dimension, group, linked, eligible), each dimension for itself."""
    by_dimension: dict[str, list[tuple[str, int, int]]] = {}
    for dimension, group, linked, eligible in counts:
        by_dimension.setdefault(dimension, []).append((group, linked, eligible))
    return tuple(each for name, cells in by_dimension.items() for each in _dimension(name, cells))


def _dimension(name: str, cells: Sequence[tuple[str, int, int]]) -> Iterable[Counted]:
    masked = {group for group, linked, eligible in cells if _small(linked, eligible)}
    others = sorted((eligible, group) for group, _, eligible in cells if group not in masked)
    if masked and _hidden(masked, cells) < THRESHOLD and others:
        masked.add(others[0][1])
    if len(masked) == 1 and len(cells) > 1:
        masked.update(group for _, group in others[:1])
    for group, linked, eligible in cells:
        hidden = group in masked
        yield Counted(name, group, None if hidden else linked, None if hidden else eligible)


def _small(linked: int, eligible: int) -> bool:
    return eligible < THRESHOLD or 0 < linked < THRESHOLD or 0 < eligible - linked < THRESHOLD


def _hidden(masked: set[str], cells: Sequence[tuple[str, int, int]]) -> int:
    return sum(eligible for group, _, eligible in cells if group in masked)


def as_rows(cells: Iterable[Counted]) -> list[Mapping[str, object]]:
    return [
        {
            "dimension": each.dimension,
            "group": each.group,
            "linked": each.linked,
            "eligible": each.eligible,
            "rate": None if each.rate is None else round(each.rate, 4),
        }
        for each in cells
    ]
