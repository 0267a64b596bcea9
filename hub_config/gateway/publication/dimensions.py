"""The dimensions of a publication table: for each, its groups and what they roll up to. Pure.

A key is a dimension with one tree of codes. Keys that another fixes (a code and its label, a code and its
chapter, a month and its year) are levels of that key's tree. What the catalogue knows of the labels is added,
asked or not: CISP-2 codes roll up to chapters, ATC substances to groups, centres to regions, months to years.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from hub_config.gateway.rules.plan import Domain
from p4dp_sdk.catalogue.model import CodeSystem
from p4dp_sdk.disclosure.hypercube import Tree

Label = tuple[Hashable, ...]
Codes = tuple[int, ...]  # one a dimension: 0 is the total, then the classes from coarse to fine
Parents = Mapping[str, str | None]  # every code of one system with its parent, None where it has none

_NOT_RECORDED: Final = ("non renseigné", "not recorded")  # p4dp.age_bands, value_bands
_DATED: Final = re.compile(r"\d{4}-")


@dataclass(frozen=True)
class Dimension:
    """`keys` are the release's keys that name its groups, the finest first. `levels` go from fine to coarse:
    level l gives each group the number of its class there. The total of all is not among them. `asked` are
    the levels that a key names; the catalogue knows the others."""

    keys: tuple[str, ...]
    levels: tuple[Codes, ...]
    asked: frozenset[int]

    @property
    def sizes(self) -> Codes:
        """How many classes each level has."""
        return tuple(max(level) + 1 for level in self.levels)

    def codes(self, level: int) -> Codes:
        """The code of each group's class at `level` in the tree; at the level above the last, the total."""
        if level == len(self.levels):
            return (0,) * len(self.levels[0])
        first = 1 + sum(self.sizes[level + 1 :])
        return tuple(first + number for number in self.levels[level])

    @property
    def asked_codes(self) -> frozenset[int]:
        """The total, and the codes of the levels that a key names."""
        return frozenset({0, *(code for level in self.asked for code in self.codes(level))})

    def tree(self, *, partitions: bool) -> Tree:
        parents = {0: -1}
        for level in range(len(self.levels)):
            parents |= dict(zip(self.codes(level), self.codes(level + 1), strict=True))
        return Tree(self.keys[0], tuple(parents[code] for code in sorted(parents)), partitions)


@dataclass(frozen=True)
class Variable:
    """Keys that depend on one thing, as one or more dimensions. `labels` are the combinations of `keys` that
    there can be; each dimension's levels have an entry for each of them."""

    keys: tuple[str, ...]
    labels: tuple[Label, ...]
    dimensions: tuple[Dimension, ...]

    def cells(self) -> Iterator[Codes]:
        """Every combination of codes that some label falls into, totals included."""
        seen: dict[Codes, None] = {}
        for levels in product(*(range(len(dimension.levels) + 1) for dimension in self.dimensions)):
            columns = [
                dimension.codes(level) for dimension, level in zip(self.dimensions, levels, strict=True)
            ]
            seen |= dict.fromkeys(zip(*columns, strict=True))
        return iter(seen)


def variable_of(
    domain: Domain, parents: Iterable[Parents], left_out: frozenset[Label] = frozenset()
) -> Variable:
    """The dimensions of the keys of `domain`, without the labels `left_out`."""
    labels = tuple(label for label in domain.labels if label not in left_out)
    columns = {key: tuple(label[i] for label in labels) for i, key in enumerate(domain.keys)}
    return Variable(domain.keys, labels, tuple(_dimensions(columns, tuple(parents))))


def unknown_labels(domain: Domain) -> frozenset[Label]:
    """Those of whom it is not known: a missing code, a class "not recorded"."""
    return frozenset(
        label for label in domain.labels if any(value is None or value in _NOT_RECORDED for value in label)
    )


def parents_of(systems: Iterable[CodeSystem], sites: Mapping[str, Mapping[str, str]]) -> tuple[Parents, ...]:
    """The code lists whose codes have parents; `sites` gives those of the place's own lists (centres)."""
    known: list[Parents] = [{code.code: code.parent for code in system.codes} for system in systems]
    return tuple(table for table in [*known, *sites.values()] if any(table.values()))


# --- one tree a key ----------------------------------------------------------------------------------------


def _dimensions(
    columns: Mapping[str, Sequence[Hashable]], parents: tuple[Parents, ...]
) -> Iterator[Dimension]:
    """The finest key with its parents in the catalogue; with it those keys that fit into its tree; then the
    same for the others. So no parent that was asked for, or that the catalogue knows, is lost."""
    left = sorted(columns, key=lambda key: -len(set(columns[key])))
    while left:
        finest, *others = left
        levels = _chain([_numbered(columns[finest])], _above(columns[finest], parents))
        keys = [finest]
        for key in others:
            extended = _chain(levels, [columns[key]])
            if _numbered(columns[key]) in extended:
                levels, keys = extended, [*keys, key]
        left = [key for key in others if key not in keys]
        asked = frozenset(levels.index(_numbered(columns[key])) for key in keys)
        yield Dimension(tuple(keys), tuple(levels), asked)


def _chain(levels: list[Codes], classes: Iterable[Sequence[Hashable]]) -> list[Codes]:
    """`levels` with those of `classes` that nest into them: each level fixes the next."""
    for values in classes:
        candidate = _numbered(values)
        if max(candidate, default=0) == 0:
            continue  # one class is the total again
        ordered = sorted({*levels, candidate}, key=lambda level: -max(level, default=0))
        if ordered[0] == levels[0] and all(map(_fixes, ordered, ordered[1:])):
            levels = ordered
    return levels


def _above(labels: Sequence[Hashable], parents: tuple[Parents, ...]) -> Iterator[list[Hashable]]:
    """What the catalogue puts above these labels. One that has nothing above it stands for itself."""
    known = {label for label in labels if label is not None and label not in _NOT_RECORDED}
    if known and all(isinstance(label, datetime.date) for label in known):
        yield [label.year if isinstance(label, datetime.date) else (label,) for label in labels]
    elif known and all(isinstance(label, str) and _DATED.match(label) for label in known):
        yield [label[:4] if label in known and isinstance(label, str) else (label,) for label in labels]
    for table in parents:
        if known <= table.keys() and any(table[str(label)] for label in known):
            yield [(isinstance(label, str) and table.get(label)) or (label,) for label in labels]


def _fixes(fine: Sequence[Hashable], coarse: Sequence[Hashable]) -> bool:
    seen: dict[Hashable, Hashable] = {}
    return all(seen.setdefault(one, other) == other for one, other in zip(fine, coarse, strict=True))


def _numbered(values: Iterable[Hashable]) -> Codes:
    """Classes as numbers from 0, in order of appearance."""
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(value, len(numbers)) for value in values)
