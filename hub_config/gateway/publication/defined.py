"""The definitions of all cells of a hypercube, before anything is measured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from hub_config.gateway.publication.cube import Shape
from hub_config.gateway.publication.dimensions import Dimension, Variable
from hub_config.gateway.rules.earlier.definitions import Definitions, Setting, Words, words
from hub_config.gateway.rules.earlier.regions import Condition


@dataclass(frozen=True)
class Defined:
    """Of each measure of a release, by its name, one definition a cell: of the number, and of the people
    behind it."""

    numbers: Mapping[str, Words]
    people: Mapping[str, Words]


def defined(shape: Shape, setting: Setting) -> Defined:
    release, definitions = shape.release, Definitions(shape.release, setting)
    cells = list(_cells(shape, definitions))
    return Defined(
        numbers={m.name: words([definitions.numbers(m, cell) for cell in cells]) for m in release.measures},
        people={m.name: words([definitions.people(m, cell) for cell in cells]) for m in release.measures},
    )


def _cells(shape: Shape, definitions: Definitions) -> Iterator[tuple[Condition, ...]]:
    dimensions = [
        _Classes(variable, dimension, shape, definitions)
        for variable in shape.variables
        for dimension in variable.dimensions
    ]
    for codes in shape.coordinates.tolist():
        chosen = (one.condition(code) for one, code in zip(dimensions, codes, strict=True))
        yield tuple(each for each in chosen if each is not None)


@dataclass(frozen=True)
class _Classes:
    """The classes of one dimension, each as the labels of its finest key."""

    variable: Variable
    dimension: Dimension
    shape: Shape
    definitions: Definitions

    def condition(self, code: int) -> Condition | None:
        """None for all, where no label was left out."""
        return self._conditions.get(code)

    @cached_property
    def _conditions(self) -> dict[int, Condition]:
        key = self.dimension.keys[0]
        value, place = self.definitions.key(key), self.variable.keys.index(key)
        labels = [label[place] for label in self.variable.labels]
        every = {label[place] for label in self._domain_labels}
        left_out = every - set(labels)
        found: dict[int, Condition] = {}
        for level in range(len(self.dimension.levels)):
            by_code: dict[int, set[object]] = {}
            for code, label in zip(self.dimension.codes(level), labels, strict=True):
                by_code.setdefault(code, set()).add(label)
            found |= {code: Condition(value, frozenset(those)) for code, those in by_code.items()}
        if left_out:
            found[0] = Condition(value, frozenset(labels))
        return found

    @property
    def _domain_labels(self) -> tuple[tuple[object, ...], ...]:
        keys = self.variable.keys
        return next(domain.labels for domain in self.shape.release.domains if domain.keys == keys)
