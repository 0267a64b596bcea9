"""What the analysis knows of a relation and of a value, beyond its type. Frozen values; the vocabulary of
every rule here.

A fact is a promise about every row, never about the data: `Closed` says which labels can occur and on which
underlying variable they depend, `Opaque` that the column is the row's own patient (or event) or NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

import ibis.expr.operations as ops

from p4dp_sdk.catalogue.model import Role

MAX_LABELS = 20_000
MAX_COPIES = 64
MAX_POWER = 4
INTEGER_LIMIT = 2**62  # integers stay within ±this, so that no engine can overflow, and tell by it


class Kind(StrEnum):
    """Whom the rows of a relation are about."""

    PUBLIC = "public"
    PERSON = "person"
    PHYSICIAN = "physician"
    RELEASED = "released"

    @property
    def protected(self) -> bool:
        return self in (Kind.PERSON, Kind.PHYSICIAN)


class _Unmatched(Enum):
    """The base value of a row that an outer join found no partner for."""

    UNMATCHED = "unmatched"


UNMATCHED = _Unmatched.UNMATCHED


@dataclass(frozen=True)
class Opaque:
    """The row's own patient or event identifier, or NULL where `nullable`."""

    role: Role
    nullable: bool = False
    plain: bool = False


@dataclass(frozen=True)
class Closed:
    """A function of one closed variable: `table` gives the label for each value `base` can take.

    Two columns with one base are two functions of the same variable, so that impossible combinations are
    known. `daily`: labels are single days, too fine to be a released key. `plain`: a catalogue column as it
    is. `evident`: that column is one that whoever knows the person knows.
    """

    base: Hashable
    table: tuple[tuple[Hashable, Hashable], ...]
    daily: bool = False
    plain: bool = False
    evident: bool = False

    @property
    def is_evident(self) -> bool:
        """Only as it is: what was made of it may carry something else."""
        return self.plain and self.evident

    @property
    def labels(self) -> tuple[Hashable, ...]:
        return tuple(dict.fromkeys(label for _, label in self.table))

    def restricted_to(self, allowed: frozenset[Hashable]) -> Closed:
        return replace(self, table=tuple(row for row in self.table if row[0] in allowed))


class Quantity(StrEnum):
    """What a numeric value may be, to be summed or averaged at the release point."""

    CATALOGUE = "catalogue numeric"
    COUNT = "count per patient"
    DURATION = "duration"


@dataclass(frozen=True)
class Number:
    """`lineage` names what is measured: the catalogue's column, whatever is picked or averaged of it.
    `bounds` are public: what lies outside counts as the nearest bound. `centre` is what sums are counted
    from."""

    quantity: Quantity
    lineage: str
    bounds: tuple[float, float]
    centre: float = 0.0
    plain: bool = False

    @property
    def is_bounded(self) -> bool:
        """Whether the bounds say how much one row may plausibly add; else they only end a range."""
        return self.quantity is Quantity.CATALOGUE


MOST_COUNTED = 65_535.0  # of one patient's rows: a sum counts no more of them
LONGEST = 65_535.0  # days between two dates of one patient, 179 years: no life is longer
COUNT = Number(Quantity.COUNT, "count", (0.0, MOST_COUNTED))
DURATION = Number(Quantity.DURATION, "duration", (-LONGEST, LONGEST))


@dataclass(frozen=True)
class Anything:
    plain: bool = False


@dataclass(frozen=True)
class Forbidden:
    """A column that no aggregate may touch; the role says why. It may be carried along, and that is all."""

    role: Role
    column: str


Fact = Opaque | Closed | Number | Anything | Forbidden
Span = tuple[int, int] | None  # inclusive bounds of an integer value


@dataclass(frozen=True)
class Column:
    """`patient_level`: known to be the same in all rows of one patient. `recorded`: a date of the catalogue,
    or one picked from the patient's own; nothing was added to it, and no condition chose it."""

    fact: Fact
    span: Span = None
    patient_level: bool = False
    recorded: bool = False

    def at(self, node: ops.Value) -> Traced:
        """The column as a value of the engine's."""
        return Traced(node, self.fact, self.span, False, self.patient_level, self.recorded)


@dataclass(frozen=True)
class Traced:
    """A value of the query, rewritten for the engine, with what is known of it. `reduces`: it spans
    several rows."""

    node: ops.Value
    fact: Fact = Anything()
    span: Span = None
    reduces: bool = False
    patient_level: bool = False
    recorded: bool = False

    @property
    def column(self) -> Column:
        return Column(self.fact, self.span, self.patient_level, self.recorded)


@dataclass(frozen=True)
class Growth:
    """How many rows one patient may have come to: `copies` of what is at most the `power`-th power of their
    records. A query that takes the engine hours if the target is there, and no time otherwise, tells by its
    failure."""

    copies: int = 1
    power: int = 1

    @property
    def is_bounded(self) -> bool:
        return self.copies <= MAX_COPIES and self.power <= MAX_POWER

    def beside(self, other: Growth) -> Growth:
        """Rows of both."""
        return Growth(self.copies + other.copies, max(self.power, other.power))

    def times(self, other: Growth) -> Growth:
        """Every row with every row."""
        return Growth(self.copies * other.copies, self.power + other.power)


@dataclass(frozen=True)
class Relation:
    """A relation of the query, rewritten for the engine.

    `physicians` name its hidden physician columns. `unique` holds sets of columns (`__patient` included) that
    no two rows share. `duplicated`: one record may stand in several rows. `records`: the tables whose records
    the rows are. `user`: the person brought it along. `growth`: how many rows a patient may have.
    """

    node: ops.Relation
    kind: Kind
    columns: Mapping[str, Column] = field(hash=False)
    physicians: tuple[str, ...] = ()
    unique: frozenset[frozenset[str]] = frozenset()
    duplicated: bool = False
    records: frozenset[str] = frozenset()
    user: bool = False
    growth: Growth = Growth()

    def map_facts(self, change: Callable[[Fact], Fact]) -> Relation:
        columns = {name: replace(column, fact=change(column.fact)) for name, column in self.columns.items()}
        return replace(self, columns=columns)


def labelled(base: Hashable, labels: tuple[Hashable, ...]) -> Fact:
    """A variable of its own with these labels; too many labels are no closed domain."""
    distinct = tuple(dict.fromkeys(labels))
    if len(distinct) > MAX_LABELS:
        return Anything()
    return Closed(base, tuple((label, label) for label in distinct))


def rebased(fact: Fact, base: Hashable, extra: tuple[Hashable, ...] = ()) -> Fact:
    """The same labels, plus `extra`, on another variable: a value of another row, of the same kind."""
    match fact:
        case Closed():
            other = labelled(base, (*fact.labels, *extra))
            return replace(other, daily=fact.daily) if isinstance(other, Closed) else other
        case Number() | Anything():
            return replace(fact, plain=False)
        case Opaque() | Forbidden():
            return fact


def tagged(fact: Fact, tag: Hashable) -> Fact:
    """The same fact about another occurrence of the same table in a query."""
    return replace(fact, base=(tag, fact.base)) if isinstance(fact, Closed) else fact


def unmatched(fact: Fact) -> Fact:
    """The fact once an outer join may have put NULL in its place."""
    match fact:
        case Closed():
            return replace(fact, table=(*fact.table, (UNMATCHED, None)), plain=False)
        case Opaque():
            return replace(fact, nullable=True, plain=False)
        case Number() | Anything():
            return replace(fact, plain=False)
        case Forbidden():
            return fact
