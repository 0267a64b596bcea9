"""Measures as phrases: what is counted, averaged, or picked among the rows of a group. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlglot.expressions as sge

from hub_config.airlock.reading.meaning import Meaning, Unreadable, only_has, require
from hub_config.airlock.reading.speech import Speech
from p4dp_sdk.catalogue import Role

if TYPE_CHECKING:
    from hub_config.airlock.reading.phrases import Phrases

_PICKS: Final = (sge.Min, sge.Max, sge.First, sge.Last)
_NOTHING: Final = Meaning("", {})


@dataclass(frozen=True)
class Measures:
    """`rows`: which rows they go over."""

    phrases: Phrases
    rows: Callable[[], str]

    def term(self, e: sge.Expr, depth: int) -> str:
        match e:
            case sge.Count():
                return self._count(e, depth)
            case sge.First() | sge.Last() if isinstance(e.this, sge.Order):
                return self._in_order(e, depth)
            case sge.PercentileCont() if isinstance(e.expression, sge.Literal):
                self._check_known(e.this)
                return self._over(
                    self._speech.quantile % (e.expression.name, self.phrases.term(e.this, depth))
                )
            case sge.Min() | sge.Max() if only_has(e, "this") and self._settled(e.this):
                return self.phrases.term(e.this, depth)
            case _:
                function = self._function(e)
                require(function and only_has(e, "this"))
                self._check_known(e.this)
                return self._over(str(function) % self.phrases.term(e.this, depth))

    def picked(self, e: sge.Expr) -> Meaning:
        """What a picked value is one of: it has its codes, and is a date if that is."""
        bare = e.this if isinstance(e, sge.Filter | sge.Window) else e
        if not isinstance(bare, _PICKS):
            return _NOTHING
        of = bare.this.this if isinstance(bare.this, sge.Order) else bare.this
        found = self.phrases.columns(of) if isinstance(of, sge.Column) else _NOTHING
        return _NOTHING if found.role is Role.PATIENT else found

    def _function(self, e: sge.Expr) -> str | None:
        dated = isinstance(e.this, sge.Column) and self.phrases.columns(e.this).role is Role.DATE
        return (self._speech.days if dated else self._speech.functions).get(type(e))

    def _in_order(self, e: sge.First | sge.Last, depth: int) -> str:
        ordered = e.this
        require(only_has(e, "this") and only_has(ordered, "this", "expressions"))
        self._check_known(ordered.this)
        said = self._speech.first if isinstance(e, sge.First) else self._speech.last
        order = ", ".join(self._by(by, depth) for by in ordered.expressions)
        return self._over(said % (self.phrases.term(ordered.this, depth), order))

    def _by(self, e: sge.Ordered, depth: int) -> str:
        require(only_has(e, "this", "desc"))
        said = self._speech.descending if e.args.get("desc") else self._speech.ascending
        return said % self.phrases.term(e.this, depth)

    def _count(self, e: sge.Count, depth: int) -> str:
        require(only_has(e, "this", "big_int"))
        match e.this:
            case sge.Star():
                require(self.phrases.over.of is None)
                return self._speech.rows % self.rows()
            case sge.Distinct(expressions=[sge.Column() as column]) if only_has(e.this, "expressions"):
                return self._distinct(column)
            case sge.Column():
                self._check_known(e.this)
                return self._over(self._speech.functions[sge.Count] % self.phrases.term(e.this, depth))
            case _:
                raise Unreadable

    def _distinct(self, column: sge.Column) -> str:
        self._check_known(column)
        counted = self.phrases.columns(column)
        if counted.role is Role.PATIENT:
            return self._speech.patients
        said = self._speech.distinct % self.phrases.term(column, 0)
        return said if not self.phrases.inner else self._over(said)

    def _check_known(self, e: sge.Expr) -> None:
        """Where a patient may stand without any row beside them, that row is blank: only what is blank in it
        goes uncounted."""
        if self.phrases.over.of is not None:
            require(isinstance(e, sge.Column) and self.phrases.columns(e).optional)

    def _settled(self, e: sge.Expr) -> bool:
        return self.phrases.inner and isinstance(e, sge.Column) and self.phrases.columns(e).settled

    def _over(self, said: str) -> str:
        return self._speech.over % (said, self.rows())

    @property
    def _speech(self) -> Speech:
        return self.phrases.speech
