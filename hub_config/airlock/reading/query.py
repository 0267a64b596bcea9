"""A definition read from its innermost table outwards: what is counted, by what, in which tables, of whom.

A reading is whole or it is none: a definition with a step that has no phrase is left to be read as it was
written. Rows keep their number or it is told: joined are a table and others of which each of its rows has
one, or a patient and their rows, which one line a patient then sums up; "present in" multiplies nothing. What
holds for rows inside has a letter and is told once. The words are the enclave's own, made of the signed
definition and the catalogue. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from hub_config.airlock.reading.joining import Joining, Meeting, optional
from hub_config.airlock.reading.meaning import Meaning, Unreadable, conjuncts, counts, only_has, require
from hub_config.airlock.reading.phrases import Phrases
from hub_config.airlock.reading.relations import Lazy, Relation, by_alias, described, known, stacked
from hub_config.airlock.reading.speech import Speech, labels, speech
from hub_config.airlock.reading.telling import Reading, told
from hub_config.airlock.reading.terms import Terms, owner
from hub_config.web.texts import Language
from p4dp_sdk.catalogue import Catalogue, Column, Role, load_catalogue

_LONGEST: Final = 40_000
_NESTED: Final = 40
_CLAUSES: Final = ("expressions", "from_", "joins", "where", "group", "order", "limit", "distinct")
_UNTHOUGHT_OF: Final = (AttributeError, KeyError, TypeError, IndexError)
"""What a shape of the query that has no phrase may end in: it is left unread, as any other."""
_PATIENT: Final = "patient_id"
_MAY_LACK_PATIENTS: Final = frozenset({"training_log"})
_NO_CODES: Final[Mapping[str, str]] = MappingProxyType({})


@lru_cache(maxsize=256)
def read(definition: str, language: Language) -> Reading | None:
    """None where the definition can't be said whole."""
    if len(definition) > _LONGEST:
        return None
    try:
        query = sqlglot.parse_one(definition, dialect="duckdb")
        require(isinstance(query, sge.Select))
        with_ = query.args.pop("with_", None)
        reader = _Reader(speech(language), load_catalogue())
        for common in _common(with_):
            reader.common[common.alias] = reader.select(common.this, 0)
        return told(reader.select(query, 0), reader.speech, reader.terms)
    except (Unreadable, SqlglotError, RecursionError, ValueError, *_UNTHOUGHT_OF):
        return None


def _common(with_: sge.With | None) -> Iterator[sge.CTE]:
    """The tables that a definition names before it begins: each is read of those before it alone."""
    if with_ is None:
        return
    require(only_has(with_, "expressions"))
    for one in with_.expressions:
        require(isinstance(one, sge.CTE) and only_has(one, "this", "alias") and not one.args["alias"].columns)
        yield one


@dataclass(frozen=True)
class _Reader:
    """`common`: tables named beforehand."""

    speech: Speech
    catalogue: Catalogue
    terms: Terms = field(default_factory=Terms)
    common: dict[str, Relation] = field(default_factory=dict)
    _read: dict[int, Relation] = field(default_factory=dict)

    def select(self, e: sge.Expr, depth: int) -> Relation:
        """A SELECT over one table or a join of several, or rows below each other; read once."""
        if id(e) not in self._read:
            self._read[id(e)] = self._selected(e, depth)
        return self._read[id(e)]

    def _selected(self, e: sge.Expr, depth: int) -> Relation:
        require(depth < _NESTED)
        if isinstance(e, sge.Union):
            require(only_has(e, "this", "expression") and e.args.get("distinct") is False)
            parts = self.select(e.this, depth + 1), self.select(e.expression, depth + 1)
            return stacked(*parts, self.speech, self.terms)
        require(isinstance(e, sge.Select) and only_has(e, *_CLAUSES) and e.args.get("from_"))
        name, first = self._source(e.args["from_"].this, depth)
        sources, start = {name: first}, first
        for join in e.args.get("joins") or ():
            start = self._joined(sources, start, join, depth)
        return _Step(self, sources, start, e, depth).relation()

    def _source(self, e: sge.Expr, depth: int) -> tuple[str, Relation]:
        alias = e.args.get("alias")
        require(alias is None or not alias.columns)
        match e:
            case sge.Table() if only_has(e, "this", "alias"):
                return e.alias_or_name, self.common.get(e.name) or self._table(e.name)
            case sge.Subquery() if only_has(e, "this", "alias"):
                return e.alias, self.select(e.this, depth + 1)
            case _:
                raise Unreadable

    def _joined(self, sources: dict[str, Relation], start: Relation, join: sge.Join, depth: int) -> Relation:
        """`start` with one more source, which is then among `sources`."""
        require(only_has(join, "this", "on", "kind", "side") and join.args.get("on"))
        name, other = self._source(join.this, depth)
        require(name not in sources)
        before, joining = dict(sources), Joining(self.speech, self.terms)
        sources[name] = other
        met, rest = Meeting(before, name, other), []
        for part in conjuncts(join.args["on"]):
            if not met.takes(part):
                rest.append(part)
        match join.side, join.kind:
            case "", "" | "INNER":
                require(not rest)
                return joining.inner(start, other, met.pairs)
            case "", "SEMI" | "ANTI":
                del sources[name]
                require(not rest)
                return joining.present(start, other, met.pairs, absent=join.kind == "ANTI")
            case "LEFT", "" | "OUTER":
                require(start.key in met.pairs[0])
                phrases = _Step(self, dict(sources), start, sge.Select(), depth).phrases()
                only = tuple(phrases.condition(part) for part in rest)
                sources[name] = optional(other)
                return joining.outer(start, other, only)
            case _:
                raise Unreadable

    def _table(self, name: str) -> Relation:
        table = self.catalogue.tables.get(name)
        if table is None:
            raise Unreadable
        label = table.label_fr if self.speech.language == "fr" else table.label_en
        columns = {column.name: self._meaning(column, label) for column in table.columns}
        if name in _MAY_LACK_PATIENTS:
            columns[_PATIENT] = replace(columns[_PATIENT], optional=True)
        key = columns[table.key] if table.key else None
        if key is not None and key.role is Role.PATIENT:
            columns = {name: replace(meaning, settled=True) for name, meaning in columns.items()}
            key = replace(key, settled=True)
        lazy = {name: known(meaning) for name, meaning in columns.items()}
        return Relation(lazy, label, frozenset({label}), key)

    def _meaning(self, column: Column, table: str) -> Meaning:
        system = self.catalogue.code_systems.get(column.codes or "")
        label = labels(self.speech.language)
        codes = {code.code: label(code) for code in system.codes} if system else _NO_CODES
        said = column.label_fr if self.speech.language == "fr" else column.label_en
        return Meaning(said + owner(table), codes, column.role, plain=True)


@dataclass(frozen=True)
class _Step:
    """One SELECT whose sources are read, and joined to `start`."""

    reader: _Reader
    sources: Mapping[str, Relation]
    start: Relation
    e: sge.Expr
    depth: int

    def relation(self) -> Relation:
        start, grouped = self._filtered(), self.e.args.get("group")
        measured = any(map(counts, self.e.expressions))
        if not (measured or grouped):
            return self._cut(self._sorted(self._distinct(self._selected(start))))
        require(not start.counted and not self.e.args.get("distinct") and self._names_differ())
        keys = self._keys(grouped)
        if any(key.role is Role.PATIENT for key in keys.values()):
            require(not self.e.args.get("order") and not self.e.args.get("limit"))
            return self._by_patient(start, keys)
        require(start.of is None and not start.pairs)
        counted = replace(start, order=(), key=None, counted=True, columns=dict(self._columns(start)))
        return self._cut(self._sorted(counted))

    def _filtered(self) -> Relation:
        start, where = self.start, self.e.args.get("where")
        if where is None:
            return start
        require(start.first is None and start.of is None)
        said = tuple(self._conditions(where.this))
        if start.counted:
            return replace(start, kept=start.kept + said)
        return replace(start, only=start.only + said)

    def _conditions(self, e: sge.Expr) -> Iterator[str]:
        """One by one what must hold together."""
        phrases = self.phrases()
        for part in conjuncts(e):
            bare = part.unnest()
            if isinstance(bare, sge.Column):
                meaning = self._column(bare)
                require(meaning.is_condition)
                yield from meaning.parts
            else:
                yield phrases.condition(bare)

    # -- columns --------------------------------------------------------------------------------------------

    def _names_differ(self) -> bool:
        names = [item.alias_or_name for item in self.e.expressions]
        return len(names) == len(set(names))

    def _selected(self, start: Relation) -> Relation:
        require(self._names_differ())
        return replace(start, columns=dict(self._columns(start)))

    def _columns(self, over: Relation) -> Iterator[tuple[str, Lazy]]:
        phrases = self.phrases(over)
        for item in self.e.expressions:
            if item.is_star:
                yield from self._all_columns(item)
            else:
                yield item.alias_or_name, self._lazy(phrases, item, over)

    def _all_columns(self, e: sge.Expr) -> Iterator[tuple[str, Lazy]]:
        """Those of one source, but for some by their names."""
        star = e.this if isinstance(e, sge.Column) else e
        require(isinstance(star, sge.Star) and only_has(star, "except_"))
        name = e.text("table") or (next(iter(self.sources)) if len(self.sources) == 1 else "")
        require(name in self.sources)
        left_out = {each.name for each in star.args.get("except_") or ()}
        yield from ((c, lazy) for c, lazy in self.sources[name].columns.items() if c not in left_out)

    def _lazy(self, phrases: Phrases, item: sge.Expr, over: Relation) -> Lazy:
        def make() -> Meaning:
            meaning = phrases.meaning(item)
            return replace(meaning, settled=True) if over.is_patients else meaning

        return Lazy(make)

    def _distinct(self, relation: Relation) -> Relation:
        """Rows that differ in no column are one."""
        distinct = self.e.args.get("distinct")
        if distinct is None:
            return relation
        require(only_has(distinct) and not relation.counted and relation.of is None)
        said = ", ".join(lazy.meaning.said for lazy in relation.columns.values())
        rows = self.reader.speech.distinct_rows % (said, self._described(relation))
        key = self._only_patient(relation)
        return Relation(relation.columns, rows, relation.tables, key, pairs=relation.pairs)

    def _only_patient(self, relation: Relation) -> Meaning | None:
        meanings = [lazy.meaning for lazy in relation.columns.values()]
        return meanings[0] if len(meanings) == 1 and meanings[0].role is Role.PATIENT else None

    # -- groups ---------------------------------------------------------------------------------------------

    def _keys(self, grouped: sge.Expr | None) -> dict[str, Meaning]:
        """Keys are the selected columns that are no measures, by their places."""
        items = list(enumerate(self.e.expressions, 1))
        keys = {place: item for place, item in items if not counts(item)}
        if grouped is None:
            require(not keys)
            return {}
        require(only_has(grouped, "expressions"))
        places = {int(e.name) for e in grouped.expressions if isinstance(e, sge.Literal) and e.is_int}
        require(len(places) == len(grouped.expressions) and places == set(keys))
        phrases = self.phrases()
        return {item.alias_or_name: phrases.meaning(item) for item in keys.values()}

    def _by_patient(self, start: Relation, keys: Mapping[str, Meaning]) -> Relation:
        """One line a patient, or a patient and something else: rows of whom more can be asked."""
        require([key.role for key in keys.values()].count(Role.PATIENT) == 1)
        own, speech = self._described(replace(start, of=None)), self.reader.speech
        others = [key.said for key in keys.values() if key.role is not Role.PATIENT]
        names = [speech.patient, *others]
        rows = speech.same_of % (own, ", ".join(names)) if others else speech.same % own
        columns = {}
        for item in self.e.expressions:
            name = item.alias_or_name
            phrases = replace(self.phrases(start), rows=lambda: rows, inner=True)
            own_key = known(replace(keys[name], settled=not others)) if name in keys else None
            columns[name] = own_key or self._sum_up(phrases, item, alone=not others)
        if start.of is not None:
            settled = [replace(each, settled=True) for each in keys.values()]
            require(not others and start.of.key in settled)
            return replace(start.of, columns=columns)
        key = None if others else replace(next(iter(keys.values())), settled=True)
        told = speech.groups % (", ".join(names), own) if others else speech.people % own
        return Relation(columns, told, start.tables if others else frozenset(), key)

    def _sum_up(self, phrases: Phrases, item: sge.Expr, *, alone: bool) -> Lazy:
        def make() -> Meaning:
            meaning = phrases.meaning(item)
            return replace(meaning, measure=False, plain=False, settled=alone)

        return Lazy(make)

    # -- lines of the table ---------------------------------------------------------------------------------

    def _sorted(self, relation: Relation) -> Relation:
        order = self.e.args.get("order")
        if order is None:
            return relation
        require(relation.first is None)
        return replace(relation, order=tuple(map(self._by, order.expressions)))

    def _by(self, e: sge.Expr) -> str:
        require(isinstance(e, sge.Ordered) and bool(e.this.args.get("table")))
        speech = self.reader.speech
        return (speech.descending if e.args.get("desc") else speech.ascending) % self._column(e.this).said

    def _cut(self, relation: Relation) -> Relation:
        limit = self.e.args.get("limit")
        if limit is None:
            return relation
        require(relation.counted and relation.first is None and isinstance(limit.expression, sge.Literal))
        return replace(relation, first=int(limit.expression.name))

    # -- parts ----------------------------------------------------------------------------------------------

    def phrases(self, over: Relation | None = None) -> Phrases:
        over = over or self.start
        reader = self.reader
        return Phrases(
            reader.speech,
            reader.terms,
            self._column,
            lambda e: reader.select(e, self.depth + 1),
            over,
            lambda: over.rows,
        )

    def _column(self, e: sge.Expr) -> Meaning:
        return by_alias(self.sources, e)

    def _described(self, relation: Relation) -> str:
        return described(relation, self.reader.speech, self.reader.terms)
