"""Rows as they are told: which table's, what stands beside each, on which conditions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import sqlglot.expressions as sge

from hub_config.airlock.reading.meaning import Meaning, Unreadable, require
from hub_config.airlock.reading.speech import Speech
from hub_config.airlock.reading.terms import Terms, owner, without_owner
from p4dp_sdk.catalogue import Role


@dataclass(frozen=True, eq=False)
class Lazy:
    """A column's meaning, worked out when something speaks of it: what nobody asks for need not be said."""

    make: Callable[[], Meaning]

    @cached_property
    def meaning(self) -> Meaning:
        return self.make()


def known(meaning: Meaning) -> Lazy:
    return Lazy(lambda: meaning)


@dataclass(frozen=True)
class Relation:
    """`rows` are those of what is called so, with one row of each of `beside`. No two have the same `key`.
    `tables`: whose columns are there as they are, by their labels. `kept`, `order`, `first`: of the lines of
    a table that is `counted`. `of`: these rows stand beside that relation's, each of which stays, if need be
    with none. `pairs`: a row may stand in several, and only what is one patient's may be made of them."""

    columns: Mapping[str, Lazy]
    rows: str
    tables: frozenset[str] = frozenset()
    key: Meaning | None = None
    beside: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    first: int | None = None
    counted: bool = False
    pairs: bool = False
    of: Relation | None = field(default=None)

    @property
    def is_patients(self) -> bool:
        """A row is a patient."""
        return self.key is not None and self.key.role is Role.PATIENT

    def meaning(self, name: str) -> Meaning:
        if name not in self.columns:
            raise Unreadable
        return self.columns[name].meaning


def described(relation: Relation, speech: Speech, terms: Terms) -> str:
    """The rows in a few words: a table's name, or a letter."""
    require(not relation.counted and relation.of is None)
    said = told_rows(relation, speech)
    if relation.only:
        said = speech.where % (said, speech.further.join(dict.fromkeys(relation.only)))
    bare = not (relation.beside or relation.only)
    return said if bare else terms.short(own_names(relation, said), 0)


def told_rows(relation: Relation, speech: Speech) -> str:
    return speech.beside % (relation.rows, ", ".join(relation.beside)) if relation.beside else relation.rows


def own_names(relation: Relation, said: str) -> str:
    """Where the rows are of one table alone, its columns need not say so."""
    alone = len(relation.tables) == 1
    return said.replace(owner(*relation.tables), "") if alone else said


def stacked(one: Relation, other: Relation, speech: Speech, terms: Terms) -> Relation:
    """Rows of the one and of the other, below each other, column by column."""
    require(not (one.counted or other.counted or one.of or other.of))
    require(len(one.columns) == len(other.columns))
    rows = speech.also % (described(one, speech, terms), described(other, speech, terms))
    pairs = zip(one.columns, one.columns.values(), other.columns.values(), strict=True)
    columns = {name: Lazy(partial(_either, a, b, speech)) for name, a, b in pairs}
    return Relation(columns, rows, one.tables | other.tables, pairs=one.pairs or other.pairs)


def _either(first: Lazy, second: Lazy, speech: Speech) -> Meaning:
    one, other = first.meaning, second.meaning
    require(one.role is other.role and one.codes == other.codes)
    require(not (one.is_condition or other.is_condition))
    names = without_owner(one.said), without_owner(other.said)
    said = names[0] if names[0] == names[1] else speech.either_of % (one.said, other.said)
    return Meaning(said, one.codes, one.role, plain=names[0] == names[1] and one.plain and other.plain)


def by_alias(sources: Mapping[str, Relation], e: sge.Expr) -> Meaning:
    """A column by its source's alias; without one, of the only source."""
    if not isinstance(e, sge.Column):
        raise Unreadable
    source = e.table or (next(iter(sources)) if len(sources) == 1 else "")
    require(source in sources)
    return sources[source].meaning(e.name)
