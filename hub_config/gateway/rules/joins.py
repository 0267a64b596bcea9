"""Joins. Persons meet persons on the patient (or on an event, which has one patient), and everything else on
a coded column that the other side holds once. In an outer join the side of the patient is the one that is
kept whole.

So no join lets one person's row meet another's, none tells whether somebody exists by an empty row, and none
multiplies chosen rows: a user's table with ten rows for one code would weight that code's patients tenfold in
a count.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ibis.expr.operations as ops
from ibis.common.collections import FrozenOrderedDict

from hub_config.gateway.rules import level
from hub_config.gateway.rules.facts import (
    MAX_POWER,
    UNMATCHED,
    Anything,
    Closed,
    Column,
    Fact,
    Growth,
    Kind,
    Opaque,
    Relation,
    unmatched,
)
from hub_config.gateway.rules.plan import PATIENT, PHYSICIAN
from hub_config.gateway.rules.rows import conjuncts
from p4dp_sdk.catalogue.model import Role
from p4dp_sdk.wire.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from hub_config.gateway.rules.frontier import Frontier

MAX_PHYSICIANS = 32  # tables of persons in one join, each with its own
_KEEPS_LEFT = frozenset({"left", "asof"})
_SELECTS = frozenset({"semi", "anti"})
_ALLOWED = frozenset({"inner"}) | _KEEPS_LEFT | _SELECTS

References = Mapping[ops.Relation, Relation]
Place = tuple[ops.Relation, str]  # a column of one of the join's tables


def join(frontier: Frontier, node: ops.JoinChain) -> Relation:
    """The rewritten join, or a Refusal that says what it would have let through."""
    tables = [node.first, *(link.table for link in node.rest)]
    if len(set(tables)) < len(tables):
        raise Refusal(ErrorCode.JOIN_RULE, why="one occurrence of a table, twice")
    references = {table: frontier.relations[table] for table in tables}
    kinds = {relation.kind for relation in references.values()}
    if Kind.RELEASED in kinds:
        return _above(frontier, node, references)
    if kinds == {Kind.PUBLIC}:
        return _public(frontier, node, references)
    if {Kind.PERSON, Kind.PHYSICIAN} <= kinds:
        raise Refusal(ErrorCode.JOIN_RULE, why="persons with physicians")
    return _below(frontier, node, references)


def _above(frontier: Frontier, node: ops.JoinChain, references: References) -> Relation:
    if any(relation.kind.protected for relation in references.values()):
        raise Refusal(ErrorCode.FLOWS_BACK, operation="join")
    met = {}
    for table, relation in references.items():
        above = frontier.above(frontier.relations[table.parent])
        met[table] = replace(above, node=ops.JoinReference(above.node, identifier=table.identifier))
        met[table] = relation if relation.kind is Kind.RELEASED else met[table]
    new, columns = _rebuilt(frontier, node, met, {})
    return Relation(new, Kind.RELEASED, columns)


def _public(frontier: Frontier, node: ops.JoinChain, references: References) -> Relation:
    new, columns = _rebuilt(frontier, node, references, {})
    loose = {name: Column(Anything(), column.span) for name, column in columns.items()}
    return Relation(new, Kind.PUBLIC, loose, user=any(relation.user for relation in references.values()))


def _rebuilt(
    frontier: Frontier,
    node: ops.JoinChain,
    references: References,
    hidden: Mapping[str, ops.Value],
    carrier: ops.Relation | None = None,
) -> tuple[ops.JoinChain, dict[str, Column]]:
    links = []
    seen: dict[ops.Relation, Relation] = {node.first: references[node.first]}
    for link in node.rest:
        seen[link.table] = references[link.table]
        predicates = tuple(frontier.trace(predicate, seen).node for predicate in link.predicates)
        predicates += _same_patient(node, link, references, carrier)
        links.append(ops.JoinLink(link.how, references[link.table].node, predicates))
    values = {name: frontier.carry(value, references) for name, value in node.values.items()}
    fields = FrozenOrderedDict({**{name: value.node for name, value in values.items()}, **hidden})
    new = ops.JoinChain(references[node.first].node, tuple(links), fields)
    return new, {name: value.column for name, value in values.items()}


def _same_patient(
    node: ops.JoinChain, link: ops.JoinLink, references: References, carrier: ops.Relation | None
) -> tuple[ops.Value, ...]:
    """Said again on the hidden numbers, so that no event shared by error ever joins two persons."""
    first = references[node.first] if carrier in (None, link.table) else references[carrier]
    right = references[link.table]
    if carrier is None or first.kind is not Kind.PERSON or right.kind is not Kind.PERSON:
        return ()
    return (ops.Equals(ops.Field(first.node, PATIENT), ops.Field(right.node, PATIENT)),)


# -- below the frontier -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chain:
    """The join so far: its tables as they now are, the one whose patient each row is about, and what its rows
    are.

    `unique` holds sets of (table, column) that no two rows share.
    """

    tables: References
    carrier: ops.Relation
    physicians: tuple[ops.Value, ...]
    unique: frozenset[frozenset[Place]]
    duplicated: bool
    records: frozenset[str]
    growth: Growth


@dataclass(frozen=True)
class _Coded:
    """Two coded columns that an equality pairs: their facts and their names."""

    ours: Closed
    theirs: Closed
    our_name: str
    their_name: str

    @property
    def turned(self) -> _Coded:
        return _Coded(self.theirs, self.ours, self.their_name, self.our_name)


@dataclass(frozen=True)
class _Match:
    """What a link's equalities pair: identifiers of persons, or coded columns; each as (table, column)."""

    left: frozenset[Place]
    right: frozenset[Place]
    on_person: bool
    coded: tuple[_Coded, ...]
    patient_level: bool  # whether rows meet by their patients alone

    @property
    def turned(self) -> _Match:
        coded = tuple(pair.turned for pair in self.coded)
        return replace(self, left=self.right, right=self.left, coded=coded)


def _below(frontier: Frontier, node: ops.JoinChain, references: References) -> Relation:
    chain = _first_of(node.first, references[node.first])
    for link in node.rest:
        right = references[link.table]
        match = _match(link, {**chain.tables, link.table: right})
        chain = _linked(node, chain, link, right, match)
    return _finished(frontier, node, references, chain)


def _physicians(relation: Relation) -> tuple[ops.Field, ...]:
    return tuple(ops.Field(relation.node, name) for name in relation.physicians)


def _located(table: ops.Relation, relation: Relation) -> frozenset[frozenset[Place]]:
    return frozenset(frozenset((table, name) for name in key) for key in relation.unique)


def _linked(node: ops.JoinChain, chain: _Chain, link: ops.JoinLink, right: Relation, match: _Match) -> _Chain:
    carrier = chain.tables[chain.carrier]
    if not carrier.kind.protected or (link.how == "right" and len(node.rest) == 1 and right.kind.protected):
        return _turned(node, chain, link, right, match)
    if link.how not in _ALLOWED:
        raise Refusal(ErrorCode.JOIN_RULE, why=f"{link.how} join")
    _check_match(link, right, match)
    if link.how in _SELECTS:
        return chain if right.kind.protected else _selecting(chain, match, link.how)
    return _extended(chain, link, right, match)


def _check_match(link: ops.JoinLink, other: Relation, match: _Match) -> None:
    """Persons on the person; anything else on a coded column, held once unless the join only selects."""
    if other.kind.protected:
        if not match.on_person:
            raise Refusal(ErrorCode.JOIN_RULE, why="two tables of persons are joined on patient_id")
        return
    code = ErrorCode.USER_TABLE_RULE if other.user else ErrorCode.JOIN_RULE
    if not match.coded:
        raise Refusal(code, why="coded column")
    columns = {name for _, name in match.right}
    if link.how not in _SELECTS and not any(key <= columns for key in other.unique):
        raise Refusal(code, why="unique keys")


def _turned(node: ops.JoinChain, chain: _Chain, link: ops.JoinLink, right: Relation, match: _Match) -> _Chain:
    """The patient stands on the right: the row is about that side's patient."""
    left = chain.tables[chain.carrier]
    if len(node.rest) != 1 or not right.kind.protected or link.how not in ("inner", "right"):
        raise Refusal(ErrorCode.JOIN_RULE, why="start from the table of persons")
    swapped = match.turned
    _check_match(link, left, swapped)
    turned = _first_of(link.table, right)
    reversed_link = ops.JoinLink("left" if link.how == "right" else "inner", link.table, link.predicates)
    return _extended(turned, reversed_link, left, swapped, node.first)


def _first_of(table: ops.Relation, relation: Relation) -> _Chain:
    return _Chain(
        {table: relation},
        table,
        _physicians(relation),
        _located(table, relation),
        relation.duplicated,
        relation.records,
        relation.growth,
    )


def _extended(
    chain: _Chain, link: ops.JoinLink, other: Relation, match: _Match, table: ops.Relation | None = None
) -> _Chain:
    """The chain with one more table in its rows."""
    where = table if table is not None else link.table
    kept_whole = link.how in _KEEPS_LEFT
    kept = match.patient_level or (other.kind.protected and not kept_whole)
    met = level.met(_beside(other, match, kept_whole), kept)
    chain = _selecting(chain, match, link.how) if not other.kind.protected else chain
    other_once = link.how == "asof" or _held_once(_located(where, other), match.right)
    chain_once = _held_once(chain.unique, match.left)
    grain = _grain(chain, other, where, other_once, chain_once)
    if not grain.growth.is_bounded:
        raise Refusal(ErrorCode.JOIN_RULE, why=f"up to {MAX_POWER} tables that hold a patient several times")
    physicians = (*chain.physicians, *(_met(chain, other, kept_whole)))
    if len(physicians) > MAX_PHYSICIANS:
        raise Refusal(ErrorCode.JOIN_RULE, why=f"up to {MAX_PHYSICIANS} tables of persons")
    return replace(grain, tables={**chain.tables, where: met}, physicians=physicians)


def _met(chain: _Chain, other: Relation, kept_whole: bool) -> tuple[ops.Value, ...]:
    """Physicians of the other side. A row without partner has its own: it says nothing of anybody else's, and
    a filter on the partner leaves none of them."""
    theirs = _physicians(other)
    if not kept_whole or not theirs:
        return theirs
    unmatched_row = ops.IsNull(ops.Field(other.node, PATIENT))
    return tuple(ops.IfElse(unmatched_row, chain.physicians[0], physician) for physician in theirs)


def _held_once(unique: frozenset[frozenset[Place]], matched: frozenset[Place]) -> bool:
    return any(key <= matched for key in unique)


def _grain(chain: _Chain, other: Relation, where: ops.Relation, other_once: bool, chain_once: bool) -> _Chain:
    """Whose records the joined rows are: they stay the chain's if the other side has one row each, and
    conversely."""
    if other_once:
        return chain
    if chain_once:
        records, growth = chain.records | other.records, chain.growth.beside(other.growth)
        unique = _located(where, other)
        return replace(chain, unique=unique, duplicated=other.duplicated, records=records, growth=growth)
    records, growth = chain.records | other.records, chain.growth.times(other.growth)
    return replace(chain, unique=frozenset(), duplicated=True, records=records, growth=growth)


def _beside(other: Relation, match: _Match, keeps_left: bool) -> Relation:
    """The other side's facts once it stands beside the chain's rows: what it says of a code that it holds
    once is a function of that code."""
    by_itself = (pair for pair in match.coded if frozenset({pair.their_name}) in other.unique)
    pair = next(by_itself, None)
    if not other.kind.protected and pair is not None:
        ours, base = pair.ours, pair.theirs.base
        row_of = {label: value for value, label in pair.theirs.table if label is not None}
        other = other.map_facts(lambda fact: _through(fact, ours, base, row_of))
    return other.map_facts(unmatched) if keeps_left else other


def _through(fact: Fact, ours: Closed, base: Hashable, row_of: Mapping[Hashable, Hashable]) -> Fact:
    if not isinstance(fact, Closed) or fact.base != base:
        return fact
    labels = dict(fact.table)
    table = ((value, labels.get(row_of.get(code, UNMATCHED))) for value, code in ours.table)
    return replace(fact, base=ours.base, table=tuple(table), plain=False)


def _selecting(chain: _Chain, match: _Match, how: str) -> _Chain:
    """An inner or semi-join with a list of codes leaves its codes only."""
    if how not in ("inner", "semi") or not match.coded:
        return chain
    ours, theirs = match.coded[0].ours, match.coded[0].theirs
    listed = {label for label in theirs.labels if label is not None}
    allowed = frozenset(value for value, code in ours.table if code in listed)
    narrowed = {
        table: relation.map_facts(
            lambda fact: (
                fact.restricted_to(allowed) if isinstance(fact, Closed) and fact.base == ours.base else fact
            )
        )
        for table, relation in chain.tables.items()
    }
    return replace(chain, tables=narrowed)


def _match(link: ops.JoinLink, tables: References) -> _Match:
    left: set[Place] = set()
    right: set[Place] = set()
    coded: list[_Coded] = []
    on_person = False
    for predicate in conjuncts(link.predicates):
        pair = _equal_fields(predicate, link.table)
        if pair is None:
            continue
        mine, theirs = pair
        ours, other = (tables[field.rel].columns[field.name].fact for field in (mine, theirs))
        if isinstance(ours, Opaque) and isinstance(other, Opaque) and ours.role is other.role:
            on_person = True
            left |= _places(mine, ours)
            right |= _places(theirs, other)
        elif not (isinstance(ours, Closed) and isinstance(other, Closed)) or ours.daily or other.daily:
            continue
        elif _compared_exactly(mine, theirs):
            coded.append(_Coded(ours, other, mine.name, theirs.name))
            left.add((mine.rel, mine.name))
            right.add((theirs.rel, theirs.name))
    by_patient = level.of_match(link.predicates, tables)
    return _Match(frozenset(left), frozenset(right), on_person, tuple(coded), by_patient)


def _compared_exactly(one: ops.Value, other: ops.Value) -> bool:
    """Whether an engine finds two values equal only if they are the same. Compared with a float, 256 whole
    numbers about 2⁶⁰ are one, and a person who meets a row of each would weigh 256 times in a count."""
    kinds = ("integer", "string", "boolean", "date")
    return any(getattr(one.dtype, f"is_{kind}")() and getattr(other.dtype, f"is_{kind}")() for kind in kinds)


def _places(field: ops.Field, fact: Opaque) -> set[Place]:
    """An identifier, under its own name and, for the patient, under the hidden one."""
    is_patient = fact.role is Role.PATIENT and not fact.nullable
    return {(field.rel, field.name)} | ({(field.rel, PATIENT)} if is_patient else set())


def _equal_fields(predicate: ops.Value, right: ops.Relation) -> tuple[ops.Field, ops.Field] | None:
    """The two columns an equality pairs, the link's own table second."""
    if not isinstance(predicate, ops.Equals):
        return None
    one, two = predicate.left, predicate.right
    if not (isinstance(one, ops.Field) and isinstance(two, ops.Field)):
        return None
    if two.rel == right and one.rel != right:
        return one, two
    return (two, one) if one.rel == right and two.rel != right else None


def _finished(frontier: Frontier, node: ops.JoinChain, references: References, chain: _Chain) -> Relation:
    carrier = references[chain.carrier]
    hidden, physicians = _hidden(carrier, chain)
    facts = {table: chain.tables.get(table, references[table]) for table in references}
    new, columns = _rebuilt(frontier, node, facts, hidden, chain.carrier)
    names = {
        (value.rel, value.name): name for name, value in node.values.items() if isinstance(value, ops.Field)
    }
    names |= {(table, PATIENT): PATIENT for table in references}
    unique = frozenset(
        frozenset(names[part] for part in key) for key in chain.unique if all(part in names for part in key)
    )
    return Relation(
        new,
        carrier.kind,
        columns,
        physicians,
        unique,
        chain.duplicated,
        chain.records,
        growth=chain.growth,
    )


def _hidden(carrier: Relation, chain: _Chain) -> tuple[dict[str, ops.Value], tuple[str, ...]]:
    if carrier.kind is Kind.PHYSICIAN:
        return {PHYSICIAN: ops.Field(carrier.node, PHYSICIAN)}, ()
    names = tuple(PHYSICIAN if i == 0 else f"{PHYSICIAN}_{i}" for i in range(len(chain.physicians)))
    hidden: dict[str, ops.Value] = {PATIENT: ops.Field(carrier.node, PATIENT)}
    hidden |= dict(zip(names, chain.physicians, strict=True))
    return hidden, names
