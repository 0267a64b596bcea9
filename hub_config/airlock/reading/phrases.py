"""One expression of a definition as a phrase. What has no phrase raises `Unreadable`: nothing is left out.

A text of the requester's is said only where it can be nothing but a value: a code of the column's list, a
date, a word without blanks, or the name of a case, in quotes that it can't close. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import sqlglot.expressions as sge

from hub_config.airlock.reading.meaning import (
    Meaning,
    Unreadable,
    conjuncts,
    counts,
    only_has,
    own_parts,
    require,
)
from hub_config.airlock.reading.measures import Measures
from hub_config.airlock.reading.relations import Relation, described
from hub_config.airlock.reading.speech import ARITHMETIC, COMPARISONS, Speech
from hub_config.airlock.reading.terms import Terms, has_letter, is_letter
from p4dp_sdk.catalogue import Role

_DEEP: Final = 40
_LONG, _LONG_CONDITION, _LONGEST = 60, 100, 2_000
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_+-]{0,23}")
_NAME: Final = re.compile(r"[\w ,.<>=≤≥+%'’()/:-]{1,60}")
_CONDITIONS: Final = (sge.Predicate, sge.Connector, sge.Not, sge.StartsWith, sge.LogicalOr)


@dataclass(frozen=True)
class Phrases:
    """`columns` finds what a column means, and raises `Unreadable` for one it doesn't know; `relation` reads
    a table inside a condition. `rows`: which rows a measure goes over; `over`: the relation of these rows;
    `inner`: the measures are one patient's."""

    speech: Speech
    terms: Terms
    columns: Callable[[sge.Expr], Meaning]
    relation: Callable[[sge.Expr], Relation]
    over: Relation
    rows: Callable[[], str]
    inner: bool = False

    def meaning(self, e: sge.Expr, depth: int = 0) -> Meaning:
        """What a selected expression says."""
        require(depth < _DEEP)
        bare = e.unnest() if isinstance(e, sge.Paren) else e
        match bare:
            case sge.Column():
                return self.columns(bare)
            case sge.Alias():
                return self.meaning(bare.this, depth + 1)
            case _ if self._is_condition(bare):
                parts = tuple(self.condition(part, depth) for part in conjuncts(bare))
                joined = self.condition(bare, depth)
                return Meaning(
                    joined, {}, measure=self._is_measure(bare), parts=parts, sure=self.sure(bare),
                    compound=self._is_compound(bare),
                )  # fmt: skip
            case _:
                picked = self._measures.picked(bare)
                said, measure = self.term(bare, depth), self._is_measure(bare)
                return Meaning(said, picked.codes, picked.role, measure=measure)

    def term(self, e: sge.Expr, depth: int) -> str:
        """A column, a number, a date, a measure, a part of a date, cases, arithmetic."""
        require(depth < _DEEP)
        below = depth + 1
        if type(e) in ARITHMETIC:
            left, right = self._bracketed(e.this, below), self._bracketed(e.expression, below)
            return f"{left} {ARITHMETIC[type(e)]} {right}"
        match e:
            case sge.Column():
                return self._named(self.columns(e))
            case sge.Paren():
                return self.term(e.this, below)
            case sge.Literal() if not e.is_string:
                return e.name
            case sge.Cast() | sge.DateFromParts():
                return self._date(e, below)
            case sge.Extract():
                return self._part(e, below)
            case sge.TimestampTrunc() | sge.DateTrunc() if only_has(e, "this", "unit"):
                said = self.speech.starts_of.get(e.text("unit").upper())
                require(said)
                return str(said) % self.term(e.this, below)
            case sge.Interval() if only_has(e, "this", "unit"):
                return self._length(e)
            case sge.DateDiff() if only_has(e, "this", "expression", "unit"):
                unit = self.speech.between_days.get(e.text("unit").upper())
                require(unit)
                return str(unit) % (self._side(e.expression, below), self._side(e.this, below))
            case sge.Least() | sge.Greatest():
                return self._least(e, below)
            case sge.Coalesce() if only_has(e, "this", "expressions"):
                parts = [self._side(part, below) for part in (e.this, *e.expressions)]
                return self.speech.or_else.join(parts)
            case sge.Case():
                return self._cases(e, below)
            case sge.Filter(expression=sge.Where() as where):
                return self.speech.where % (self.term(e.this, below), self._inside(where.this, below))
            case sge.Window():
                return self._window(e, below)
            case _:
                return self._measures.term(e, below)

    def condition(self, e: sge.Expr, depth: int = 0) -> str:
        """What a row must be."""
        require(depth < _DEEP)
        below = depth + 1
        if type(e) in COMPARISONS:
            value = self._value(e.this, e.expression, below)
            return f"{self._side(e.this, below)} {COMPARISONS[type(e)]} {value}"
        match e:
            case sge.NEQ():
                value = self._value(e.this, e.expression, below)
                return self.speech.differs % (self._side(e.this, below), value)
            case sge.Paren():
                return self.condition(e.this, below)
            case sge.Cast() if e.args["to"].this is sge.DataType.Type.BOOLEAN:
                return self.condition(e.this, below)
            case sge.And():
                return self.speech.both.join(self._inside(part, below) for part in conjuncts(e))
            case sge.Or():
                return self.speech.either.join(self._inside(part, below) for part in (e.this, e.expression))
            case sge.Not():
                return self._not(e.this.unnest(), below)
            case sge.Is(expression=sge.Null()):
                return self.speech.absent % self._side(e.this, below)
            case sge.In() if e.args.get("query") is not None:
                return self._present(e, self.speech.present_in)
            case sge.In() if e.expressions and only_has(e, "this", "expressions"):
                values = ", ".join(self._value(e.this, value, below) for value in e.expressions)
                return self.speech.among % (self._side(e.this, below), values)
            case sge.Between() if only_has(e, "this", "low", "high"):
                ends = (self._value(e.this, e.args[end], below) for end in ("low", "high"))
                return self.speech.between % (self._side(e.this, below), *ends)
            case _:
                return self._other_condition(e, below)

    def sure(self, e: sge.Expr) -> bool:
        """Whether a condition is never unknown."""
        match e:
            case sge.Paren() | sge.Not():
                return self.sure(e.this)
            case sge.Connector():
                return self.sure(e.this) and self.sure(e.expression)
            case sge.In():
                return e.args.get("query") is not None
            case sge.Is(expression=sge.Null()) | sge.Case():
                return True
            case sge.Column():
                return self.columns(e).sure
            case _:
                return False

    # -- conditions -----------------------------------------------------------------------------------------

    def _other_condition(self, e: sge.Expr, depth: int) -> str:
        match e:
            case sge.Column():
                meaning = self.columns(e)
                require(meaning.is_condition)
                return self.terms.short(meaning.said, _LONG_CONDITION)
            case sge.StartsWith() if only_has(e, "this", "expression"):
                word = e.expression.name
                require(e.expression.is_string and _WORD.fullmatch(word))
                return self.speech.starts % (self._side(e.this, depth), word)
            case sge.Case():
                return self._yes_or_no(e, depth)
            case sge.LogicalOr() if self.over.of is None and only_has(e, "this"):
                return self.speech.some % (self.rows(), self._inside(e.this, depth))
            case _:
                raise Unreadable

    def _not(self, e: sge.Expr, depth: int) -> str:
        match e:
            case sge.Is(expression=sge.Null()):
                return self.speech.present % self._side(e.this, depth)
            case sge.In() if e.args.get("query") is not None:
                return self._present(e, self.speech.absent_from, never_blank=True)
            case _ if self.sure(e):
                return self.speech.lacks % self.condition(e, depth)
            case _:
                return self.speech.neither % self.condition(e, depth)

    def _present(self, e: sge.In, said: Mapping[Role, str], *, never_blank: bool = False) -> str:
        """The same person or consultation stands in other rows. `never_blank`: one that is not known there
        would leave nobody absent."""
        require(only_has(e, "this", "query") and isinstance(e.args["query"], sge.Subquery))
        one, relation = self.columns(e.this.unnest()), self.relation(e.args["query"].this)
        require(len(relation.columns) == 1 and relation.of is None)
        (found,) = (column.meaning for column in relation.columns.values())
        require(found.role is one.role and not one.optional)
        require(not (never_blank and found.optional))
        if one.role is None or one.role not in said:
            raise Unreadable
        return said[one.role] % described(relation, self.speech, self.terms)

    def _yes_or_no(self, e: sge.Case, depth: int) -> str:
        """A choice between yes and no is a condition that is never unknown."""
        require(only_has(e, "ifs", "default") and len(e.args["ifs"]) == 1)
        one, default = e.args["ifs"][0], e.args.get("default")
        outcomes = [each for each in (one.args["true"], default) if isinstance(each, sge.Boolean)]
        require(len(outcomes) == 2)
        yes, no = (bool(outcome.this) for outcome in outcomes)
        require(yes is not no)
        said = self.condition(one.this, depth)
        return (self.speech.only_if if yes else self.speech.unless) % said

    def _inside(self, e: sge.Expr, depth: int) -> str:
        bare = e.unnest()
        said = self.condition(bare, depth)
        return f"({said})" if self._is_compound(bare) and not is_letter(said) else said

    def _is_compound(self, e: sge.Expr) -> bool:
        match e:
            case sge.Column():
                return self.columns(e).compound
            case sge.Not(this=inner):
                present = isinstance(inner.unnest(), sge.In) and inner.unnest().args.get("query") is not None
                return not (present or isinstance(inner.unnest(), sge.Is))
            case _:
                return isinstance(e, sge.Connector | sge.NEQ | sge.Case | sge.LogicalOr)

    def _is_condition(self, e: sge.Expr) -> bool:
        if isinstance(e, sge.Case):
            return isinstance(e.args["ifs"][0].args["true"], sge.Boolean)
        return isinstance(e, _CONDITIONS)

    # -- values ---------------------------------------------------------------------------------------------

    def _named(self, meaning: Meaning) -> str:
        require(not meaning.is_condition and len(meaning.said) <= _LONGEST)
        whole = meaning.plain or meaning.measure
        return meaning.said if whole else self.terms.short(meaning.said, _LONG)

    def _side(self, e: sge.Expr, depth: int) -> str:
        """What is compared: in brackets, unless it is a column of the catalogue, a letter or a constant."""
        bare = e.unnest()
        said = self.term(bare, depth)
        constant = isinstance(bare, sge.Literal | sge.DateFromParts)
        plain = constant or (isinstance(bare, sge.Column) and self.columns(bare).plain)
        return said if plain or is_letter(said) else f"({said})"

    def _bracketed(self, e: sge.Expr, depth: int) -> str:
        said = self.term(e.unnest(), depth)
        return said if is_letter(said) or isinstance(e.unnest(), sge.Interval | sge.Literal) else f"({said})"

    def _value(self, of: sge.Expr, e: sge.Expr, depth: int) -> str:
        """A value beside what it is compared with: a code has a label."""
        bare, compared = e.unnest(), of.unnest()
        if not (isinstance(bare, sge.Literal) and bare.is_string):
            return self._side(bare, depth)
        meaning = self.columns(compared) if isinstance(compared, sge.Column) else Meaning("", {})
        if meaning.role is Role.DATE:
            return self.speech.date(bare.name)
        if bare.name in meaning.codes:
            return f"{bare.name} {self.speech.quoted % meaning.codes[bare.name]}"
        require(_WORD.fullmatch(bare.name))
        return bare.name

    def _date(self, e: sge.Expr, depth: int) -> str:
        """A date, written as text or made of its parts; or a number or condition made a number."""
        if isinstance(e, sge.DateFromParts):
            parts = list(e.args.values())
            require(all(isinstance(part, sge.Literal) for part in parts))
            return self.speech.date("{:0>4}-{:0>2}-{:0>2}".format(*(part.name for part in parts)))
        require(type(e) is sge.Cast)
        if isinstance(e.this, sge.Literal):
            require(e.args["to"].this is sge.DataType.Type.DATE)
            return self.speech.date(e.this.name)
        require(e.args["to"].this is sge.DataType.Type.DOUBLE)
        if isinstance(e.this, sge.Column) and self.columns(e.this).is_condition:
            return self.speech.one_if % self.condition(e.this, depth)
        return self.term(e.this, depth)

    def _part(self, e: sge.Extract, depth: int) -> str:
        said = self.speech.parts.get(e.name.upper())
        require(said)
        return str(said) % self.term(e.expression, depth)

    def _length(self, e: sge.Interval) -> str:
        said = self.speech.lengths.get(e.text("unit").upper())
        require(said and isinstance(e.this, sge.Literal) and e.name.isdigit())
        return f"{e.name} {said}"

    def _least(self, e: sge.Least | sge.Greatest, depth: int) -> str:
        require(only_has(e, "this", "expressions", "ignore_nulls") and e.args.get("ignore_nulls"))
        said = self.speech.least if isinstance(e, sge.Least) else self.speech.greatest
        return said % " ; ".join(self._side(part, depth) for part in (e.this, *e.expressions))

    def _cases(self, e: sge.Case, depth: int) -> str:
        require(only_has(e, "ifs", "default"))
        said = [
            self.speech.when % (self._outcome(one.args["true"]), self._inside(one.this, depth))
            for one in e.args["ifs"]
        ]
        default = e.args.get("default")
        if default is None or isinstance(default, sge.Null):
            said.append(self.speech.blank)
        else:
            said.append(self.speech.otherwise % self._outcome(default))
        return " ; ".join(said)

    def _outcome(self, e: sge.Expr) -> str:
        require(isinstance(e, sge.Literal))
        if not e.is_string:
            return str(e.name)
        require(_NAME.fullmatch(e.name) and not has_letter(e.name))
        return self.speech.quoted % e.name

    # -- measures -------------------------------------------------------------------------------------------

    def _is_measure(self, e: sge.Expr) -> bool:
        return counts(e) or any(
            isinstance(part, sge.Column) and self.columns(part).measure for part in own_parts(e)
        )

    def _window(self, e: sge.Window, depth: int) -> str:
        """A measure over all rows of the same patient."""
        require(only_has(e, "this", "partition_by", "spec", "over") and self.over.of is None)
        spec = e.args.get("spec")
        bounds = ("kind", "start", "start_side", "end", "end_side")
        said = tuple(spec.args.get(name) for name in bounds) if spec is not None else ()
        require(said == ("ROWS", "UNBOUNDED", "PRECEDING", "UNBOUNDED", "FOLLOWING"))
        require([self.columns(by).role for by in e.args["partition_by"]] == [Role.PATIENT])
        rows = described(self.over, self.speech, self.terms)
        return Measures(self, lambda: self.speech.same % rows).term(e.this, depth)

    @property
    def _measures(self) -> Measures:
        return Measures(self, self.rows)
