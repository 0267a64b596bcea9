"""How much a choice among known labels can say of people: which codes, which days, which classes. Pure.

A list is measured by its gaps: neighbours in the order of the codes, of the days or of the classes are one
run. R74 to R78 is what one would say in a sentence; thirty codes from here and there are thirty things said.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, assert_never

import ibis.expr.operations as ops

from hub_config.gateway.rules.facts import Closed, Fact, Traced
from p4dp_sdk.catalogue.model import Role, Table

APART: Final = 3  # one more piece of people that has nothing to do with the others
PAIR: Final = 2
BOUND: Final = 1  # one more cut through them

Charge = Mapping[Hashable, int]  # what was said, and how much it says; said twice, it says no more


class Grade(Enum):
    """What the labels are of."""

    CODES = "codes of the catalogue"
    DAYS = "days"
    CLASSES = "classes that the question made"
    ROWS = "rows of a table that the person brought"


@dataclass(frozen=True)
class Grades:
    """Says what a closed variable is; `tables` are those that were granted, `parts` all values met so far."""

    tables: Mapping[str, Table]
    parts: Mapping[ops.Node, Traced]

    def of(self, fact: Closed) -> Grade:
        return Grade.DAYS if fact.daily else self._of_base(fact.base)

    def column(self, fact: Closed) -> tuple[str, str] | None:
        """The catalogue's column that `fact` is a function of."""
        match _untagged(fact.base):
            case (str(table), str(column)) if table in self.tables:
                return table, column
        return None

    def _of_base(self, base: Hashable) -> Grade:
        base = _untagged(base)
        match base:
            case (str(table), str(column)) if table in self.tables:
                of_days = self.tables[table].column(column).role is Role.DATE
                return Grade.DAYS if of_days else Grade.CODES
            case (str(), "row"):
                return Grade.ROWS
            case ops.Alias() | ops.Reduction() | ops.Lag() | ops.Lead():
                return self._of_picked(base.__args__[0])
            case ops.WindowFunction():
                return self._of_picked(base.func)
        return Grade.CLASSES

    def _of_picked(self, node: Any) -> Grade:
        fact = self.parts[node].fact if node in self.parts else None
        return self.of(fact) if isinstance(fact, Closed) else Grade.CLASSES


def _untagged(base: Hashable) -> Hashable:
    """Without the occurrence of the table in the query."""
    while isinstance(base, tuple) and len(base) == 2 and isinstance(base[0], ops.Relation):
        base = base[1]
    return base


@dataclass(frozen=True)
class Listed:
    """The key of a charge: these codes of this variable, in `runs` runs. Charged at the end, all together."""

    column: tuple[str, str] | None
    codes: frozenset[Hashable]


NOTHING: Final[Charge] = MappingProxyType({})


def chosen(fact: Closed, grade: Grade, grades: Grades, wanted: Callable[[Hashable], bool]) -> Charge:
    """What it says to take the labels that are `wanted`."""
    marks = [(value, wanted(label)) for value, label in _ordered(fact, grade)]
    taken = frozenset(value for value, mark in marks if mark)
    match grade:
        case Grade.CODES:
            return {
                Listed(grades.column(fact), taken): max(0, min(_runs(marks, True), _runs(marks, False)) - 1)
            }
        case Grade.DAYS:
            return _days(marks, taken)
        case Grade.CLASSES:
            return {("classes", fact.base, taken): max(0, APART * _runs(marks, True) - 1)}
        case Grade.ROWS:
            return {("rows", fact.base, taken): max(0, APART * min(len(taken), len(marks) - len(taken)) - 1)}
        case _:
            assert_never(grade)


def _days(marks: list[tuple[Hashable, bool]], taken: frozenset[Hashable]) -> Charge:
    """The ends of a period; each further period stands apart."""
    runs = _runs(marks, True)
    if runs > 1:
        return {("days", taken): APART * runs - 1}
    cuts = [one for (one, a), (_, b) in pairwise(marks) if a != b]
    return {("day", cut): BOUND for cut in cuts}


def told_apart(fact: Closed, grade: Grade, grades: Grades) -> Charge:
    """What a class of labels says: of one label at a time, as each is a group of its own."""
    ordered = [label for _, label in _ordered(fact, grade)]
    apart = grade is Grade.ROWS
    pieces = Counter(label for i, label in enumerate(ordered) if apart or i == 0 or ordered[i - 1] != label)
    del pieces[None]  # what has no label is the rest: no more can be said by it
    (label, most), *_ = pieces.most_common(1) or [(None, 0)]
    return chosen(fact, grade, grades, lambda other: other == label) if most > 1 else NOTHING


def weighed(fact: Fact | None, grade: Grade) -> int:
    """What the labels of a table say once they are computed with, or compared with what is no literal: two
    only tell one from the other."""
    if not isinstance(fact, Closed) or grade is Grade.DAYS:
        return 0
    if grade is Grade.CODES and all(value == label for value, label in fact.table if value is not None):
        return 0  # the codes as they are
    return PAIR * max(0, len(set(fact.labels) - {None}) - PAIR)


def _ordered(fact: Closed, grade: Grade) -> list[tuple[Hashable, Hashable]]:
    """The table in the order of its codes or days, and of appearance where the question made the classes."""
    known = [row for row in fact.table if row[0] is not None and not isinstance(row[0], Enum)]
    if grade in (Grade.CLASSES, Grade.ROWS):
        return known
    return sorted(known, key=lambda row: row[0] if isinstance(row[0], datetime.date) else str(row[0]))


def _runs(marks: Iterable[tuple[Hashable, bool]], of: bool) -> int:
    before, runs = False, 0
    for _, mark in marks:
        runs += (mark is of) and not before
        before = mark is of
    return runs


def consecutive(values: Iterable[object]) -> int:
    """How many runs these values make: whole numbers or days that follow each other are one."""
    numbers: set[int] = set()
    others: set[object] = set()
    for value in values:
        match value:
            case bool() | None:
                others.add(value)
            case int():
                numbers.add(value)
            case datetime.datetime():
                others.add(value)
            case datetime.date():
                numbers.add(value.toordinal())
            case float() if value.is_integer():
                numbers.add(int(value))
            case _:
                others.add(value)
    return len(others) + sum(number - 1 not in numbers for number in numbers)


def joined(fact: Closed, grade: Grade, grades: Grades, other: Fact) -> Charge:
    """What it says to keep the rows whose code stands in a column of a public table."""
    if not isinstance(other, Closed):
        return {("table", other): 10**6}
    listed = {label for label in other.labels if label is not None}
    return chosen(fact, grade, grades, lambda label: label in listed)
