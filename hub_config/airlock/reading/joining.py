"""Two relations as one: what meets, whose rows they are then, and whether any may stand alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import sqlglot.expressions as sge

from hub_config.airlock.reading.meaning import Meaning, require
from hub_config.airlock.reading.relations import Lazy, Relation, by_alias, described
from hub_config.airlock.reading.speech import Speech
from hub_config.airlock.reading.terms import Terms
from p4dp_sdk.catalogue import Role


@dataclass(frozen=True)
class Meeting:
    """What is equal in rows that meet: of those before, and of the one that joins them."""

    before: Mapping[str, Relation]
    name: str
    other: Relation
    pairs: dict[int, list[Meaning]] = field(default_factory=lambda: {0: [], 1: []})

    def takes(self, e: sge.Expr) -> bool:
        """Whether `e` says that the same person, event or code stands on both sides."""
        sides = (e.this, e.expression) if isinstance(e, sge.EQ) else ()
        if not all(isinstance(side, sge.Column) and side.table for side in sides) or not sides:
            return False
        ours = [side for side in sides if side.table != self.name]
        theirs = [side for side in sides if side.table == self.name]
        if len(ours) != 1 or len(theirs) != 1:
            return False
        left, right = by_alias(self.before, ours[0]), self.other.meaning(theirs[0].name)
        same = left.role is right.role and left.plain and right.plain
        coded = bool(left.codes) and left.codes == right.codes
        if not same or not (coded or left.role in (Role.PATIENT, Role.EVENT)):
            return False
        self.pairs[0].append(left)
        self.pairs[1].append(right)
        return True


@dataclass(frozen=True)
class Joining:
    """Two relations, and the pairs of columns that are equal in rows that meet."""

    speech: Speech
    terms: Terms

    def inner(self, one: Relation, other: Relation, met: Mapping[int, Iterable[Meaning]]) -> Relation:
        """Each row of the one has one row of the other beside it, or the other way round. `met`: what is
        equal, of either side."""
        self._check(one, other)
        if other.key is not None and other.key in met[1]:
            rows, beside = one, other
        elif one.key is not None and one.key in met[0]:
            rows, beside = other, one
        else:
            return self._pairs(one, other, met)
        return replace(
            rows,
            columns={},
            tables=one.tables | other.tables,
            pairs=one.pairs or other.pairs,
            beside=(*rows.beside, beside.rows, *beside.beside),
            only=one.only + other.only,
        )

    def _pairs(self, one: Relation, other: Relation, met: Mapping[int, Iterable[Meaning]]) -> Relation:
        """Each row of the one with each row of the other that is the same patient's, and nothing else."""
        require([meaning.role for meaning in met[0]] == [Role.PATIENT])
        rows = self.speech.pairs % (
            described(one, self.speech, self.terms),
            described(other, self.speech, self.terms),
        )
        return Relation({}, rows, one.tables | other.tables, pairs=True)

    def outer(self, one: Relation, other: Relation, only: tuple[str, ...]) -> Relation:
        """The rows of the other beside their patient's one row, which stays without any as well."""
        self._check(one, other)
        require(one.is_patients)
        return replace(
            other,
            columns={},
            tables=one.tables | other.tables,
            key=None,
            beside=(*other.beside, described(one, self.speech, self.terms)),
            only=other.only + only,
            of=one,
        )

    def present(
        self, one: Relation, other: Relation, met: Mapping[int, Iterable[Meaning]], *, absent: bool
    ) -> Relation:
        """The rows of the one whose patient stands in the other, or doesn't."""
        require(not (one.counted or one.of))
        require([meaning.role for meaning in met[0]] == [Role.PATIENT])
        said = self.speech.absent_from if absent else self.speech.present_in
        condition = said[Role.PATIENT] % described(other, self.speech, self.terms)
        return replace(one, only=(*one.only, condition))

    def _check(self, one: Relation, other: Relation) -> None:
        """A column says of which table it is: never two tables of one name."""
        require(not (one.counted or other.counted or one.of or other.of))
        require(not one.tables & other.tables)


def optional(other: Relation) -> Relation:
    """As it stands beside those who may have none: nobody is named by a column that may be blank."""

    def made(lazy: Lazy) -> Meaning:
        meaning = lazy.meaning
        role = None if meaning.role is Role.PATIENT else meaning.role
        require(not meaning.is_condition)
        return replace(meaning, role=role, settled=False, optional=True)

    columns = {name: Lazy(partial(made, lazy)) for name, lazy in other.columns.items()}
    return replace(other, columns=columns)
