"""What can become a publication table, and where each of its columns comes from. Pure; a closed list.

After the release only these may follow: choosing, renaming, ordering and limiting; filters; arithmetic on the
numbers of one row; words for the labels of groups; a join with a reference table or one that the person
brought. Nothing that looks at other rows (a window, another aggregate), and nothing that turns a withheld
number into one that looks shown (`fill_null`, a condition on a number).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from hub_config.gateway.publication.request import is_readable
from hub_config.gateway.rules.plan import (
    Domain,
    MeasureKind,
    Plan,
    PublicTable,
    Release,
    ReleasePlan,
)
from p4dp_sdk.catalogue.model import Catalogue
from p4dp_sdk.disclosure.policy import Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from p4dp_sdk.wire.publication import Column, Lineage, Shape

MAX_KEYS: Final = 5

_ARITHMETIC: Final = (
    ops.Cast, ops.TryCast, ops.Add, ops.Subtract, ops.Multiply, ops.Divide, ops.FloorDivide, ops.Negate,
    ops.Abs, ops.Ceil, ops.Floor, ops.Round, ops.Sqrt, ops.Exp, ops.Ln, ops.Log, ops.Log2, ops.Log10,
    ops.Power, ops.NullIf,
)  # fmt: skip
_CONDITIONS: Final = (
    ops.Equals, ops.NotEquals, ops.Greater, ops.GreaterEqual, ops.Less, ops.LessEqual, ops.Between,
    ops.InValues, ops.IsNull, ops.NotNull, ops.And, ops.Or, ops.Not, ops.StartsWith, ops.EndsWith,
    ops.StringContains,
)  # fmt: skip
_WORDING: Final = (
    ops.IfElse, ops.SimpleCase, ops.SearchedCase, ops.Coalesce, ops.StringConcat, ops.Substring, ops.StrRight,
    ops.Lowercase, ops.Uppercase, ops.Capitalize, ops.Strip, ops.ExtractYear, ops.ExtractMonth, ops.Strftime,
    ops.Modulus,
)  # fmt: skip
_JOINS: Final = frozenset({"inner", "left"})
_CLASS: Final = re.compile(r"[\d\s<>≤≥=+.,–-]*|non renseigné|not recorded")  # p4dp.age_bands, value_bands
_USUAL = """
actes and annee année avec average band bands by class classe code codes consultations count counts de
denominator des diagnostic diagnostics du dénominateur effectif effectifs et femmes for hommes jour la label
le les libelle libellé lignes mean men mois month moyenne n nb nombre number numerator numérateur of par part
parts patientes patients pct per percent personnes pour pourcent pourcentage proportion rate rates ratio rows
sd semaine sex sexe share shares somme sum taux the total totaux variance visites visits week with women year
âge
"""
_WORDS: Final = frozenset(_USUAL.split())


@dataclass(frozen=True)
class Publishable:
    """A plan that may be published, with the origin of every column of its answer."""

    plan: ReleasePlan
    columns: tuple[Column, ...]

    @property
    def release(self) -> Release:
        (only,) = self.plan.releases
        return only


@dataclass(frozen=True)
class Vocabulary:
    """Words that the enclave itself uses: names of the catalogue, and every code of its code lists."""

    names: frozenset[str]
    codes: frozenset[str]

    def knows_name(self, name: str) -> bool:
        words = re.findall(r"[^\W_]+", name.casefold())
        return bool(words) and all(word.isdigit() or word in _WORDS or word in self.names for word in words)

    def knows_labels(self, labels: Iterable[object]) -> bool:
        """Whether no label is the person's own words."""
        texts = (label for label in labels if isinstance(label, str))
        return all(text in self.codes or _CLASS.fullmatch(text) for text in texts)


def vocabulary_of(catalogue: Catalogue, domains: Mapping[str, tuple[str, ...]]) -> Vocabulary:
    """`domains`: the codes of every code system, the place's own included."""
    tables = catalogue.tables.values()
    names = {*catalogue.tables, *catalogue.code_systems, *(c.name for table in tables for c in table.columns)}
    words = {word for name in names for word in re.findall(r"[^\W_]+", name.casefold())}
    return Vocabulary(frozenset(words), frozenset(code for codes in domains.values() for code in codes))


def publishable(plan: Plan, policy: Policy, vocabulary: Vocabulary) -> Publishable:
    """`plan`, if it can be published. Raises Refusal (NOT_PUBLISHABLE) with the reason, or TOO_MANY_CELLS."""
    if not isinstance(plan, ReleasePlan):
        raise _refused("no protected numbers in it")
    if len(plan.releases) != 1:
        raise _refused("several grouped tables: publish them one by one")
    (release,) = plan.releases
    _check(release, policy)
    origins = _Origins(release, plan.publics, vocabulary).of(plan.post.op())
    columns = tuple(
        origin.column(name, dtype, vocabulary)
        for (name, dtype), origin in zip(plan.post.schema().items(), origins.values(), strict=True)
    )
    if not any(column.protected for column in columns):
        raise _refused("no protected numbers in it")
    if not all(map(is_readable, _words(plan, release))):
        raise Refusal(ErrorCode.NOT_PUBLISHABLE, why="a name or label with characters that are not seen")
    return Publishable(plan, columns)


def _words(plan: ReleasePlan, release: Release) -> Iterator[str]:
    """Every text that may stand in the table, the warehouse's own apart."""
    yield from plan.post.columns
    for domain in release.domains:
        yield from (value for label in domain.labels for value in label if isinstance(value, str))
    for expression in (plan.post, *(public.expression for public in plan.publics)):
        for node in expression.op().find((ops.Literal, ops.InMemoryTable)):
            cells = (
                node.data.to_frame().to_numpy().ravel()
                if isinstance(node, ops.InMemoryTable)
                else [node.value]
            )
            yield from (cell for cell in cells if isinstance(cell, str))


def _check(release: Release, policy: Policy) -> None:
    if len(release.keys) > MAX_KEYS:
        raise _refused("more than five groups")
    if not release.closed:
        raise _refused("groups whose list is not known beforehand")
    if any(measure.kind is MeasureKind.QUANTILE for measure in release.measures):
        raise _refused("quantiles are shown in drafts only")
    if release.cells > policy.max_published_cells:
        raise Refusal(ErrorCode.TOO_MANY_CELLS, cells=release.cells, limit=policy.max_published_cells)


def _refused(why: str) -> Refusal:
    return Refusal(ErrorCode.NOT_PUBLISHABLE, why=why)


# --- where columns come from -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Origin:
    lineage: Lineage
    source: tuple[str, ...] = ()
    protected: bool = False

    def column(self, name: str, dtype: dt.DataType, vocabulary: Vocabulary) -> Column:
        alias = not vocabulary.knows_name(name)
        return Column(name, shape_of(dtype), self.lineage, self.source, self.protected, alias)


@dataclass(frozen=True)
class _Origins:
    """Walks what follows the release. Every relation's columns, each with its origin, in their order."""

    release: Release
    publics: tuple[PublicTable, ...]
    vocabulary: Vocabulary

    def of(self, relation: ops.Relation) -> dict[str, _Origin]:
        match relation:
            case ops.UnboundTable():
                return self._leaf(relation)
            case ops.JoinReference():
                return self.of(relation.parent)
            case ops.Project():
                return self._named(relation.values, self.of(relation.parent))
            case ops.DropColumns():
                below = self.of(relation.parent)
                return {name: below[name] for name in relation.schema.names}
            case ops.Filter():
                return self._checked(relation.predicates, self.of(relation.parent))
            case ops.Sort():
                keys = tuple(key.arg for key in relation.keys)
                return self._checked(keys, self.of(relation.parent))
            case ops.Limit():
                return self.of(relation.parent)
            case ops.JoinChain():
                return self._joined(relation)
            case _:
                raise _refused("only choosing, ordering and arithmetic after agg")

    def _leaf(self, table: ops.UnboundTable) -> dict[str, _Origin]:
        if table.name != self.release.name:
            return self._public(table)
        measures = {measure.name for measure in self.release.measures}
        return {name: self._released(name, name in measures) for name in table.schema.names}

    def _released(self, name: str, measured: bool) -> _Origin:
        if measured:
            return _Origin(Lineage.MEASURE, (name,), protected=True)
        labels = _labels(self.release.domains, name)
        return _Origin(Lineage.KEY if self.vocabulary.knows_labels(labels) else Lineage.LITERAL, (name,))

    def _public(self, table: ops.UnboundTable) -> dict[str, _Origin]:
        expression = next(public.expression for public in self.publics if public.name == table.name)
        brought = expression.op().find((ops.InMemoryTable, ops.DummyTable))
        lineage = Lineage.USER if brought else Lineage.REFERENCE
        return dict.fromkeys(table.schema.names, _Origin(lineage))

    def _named(self, values: Mapping[str, ops.Value], below: Mapping[str, _Origin]) -> dict[str, _Origin]:
        return {name: _traced(value, lambda field: below[field.name]) for name, value in values.items()}

    def _checked(self, values: Iterable[ops.Value], below: dict[str, _Origin]) -> dict[str, _Origin]:
        for value in values:
            _traced(value, lambda field: below[field.name], deciding=True)
        return below

    def _joined(self, chain: ops.JoinChain) -> dict[str, _Origin]:
        sides = (chain.first, *(link.table for link in chain.rest))
        known = {side: self.of(side) for side in sides}
        links_are_plain = all(
            link.how in _JOINS and all(isinstance(p, ops.Equals) for p in link.predicates)
            for link in chain.rest
        )
        if not links_are_plain or sum(_holds_release(side, self.release) for side in sides) != 1:
            raise _refused("only choosing, ordering and arithmetic after agg")
        return {
            name: _traced(value, lambda field: known[field.rel][field.name])
            for name, value in chain.values.items()
        }


def _holds_release(relation: ops.Relation, release: Release) -> bool:
    return any(table.name == release.name for table in relation.find(ops.UnboundTable))


def _labels(domains: tuple[Domain, ...], key: str) -> set[object]:
    return {
        label[domain.keys.index(key)] for domain in domains if key in domain.keys for label in domain.labels
    }


def _traced(
    value: ops.Value, origin_of: Callable[[ops.Field], _Origin], *, deciding: bool = False
) -> _Origin:
    """The origin of `value`; `deciding`: it only chooses or orders rows, so it may ask about numbers too."""
    if isinstance(value, ops.Field):
        return origin_of(value)
    if isinstance(value, ops.Literal):
        return _Origin(Lineage.LITERAL)
    if isinstance(value, ops.Alias):
        return _traced(value.arg, origin_of, deciding=deciding)
    if _is_at_least_zero(value):
        return _traced(value.false_null_expr, origin_of, deciding=deciding)
    if not isinstance(value, (*_ARITHMETIC, *_WORDING, *_CONDITIONS)):
        raise _refused("only choosing, ordering and arithmetic after agg")
    parts = [_traced(child, origin_of, deciding=deciding) for child in _children(value)]
    return _combined(value, parts, deciding)


def _is_at_least_zero(value: ops.Value) -> bool:
    """`ifelse(x < 0, 0, x)`, as a variance is kept from rounding below zero: empty where x is."""
    match value:
        case ops.IfElse(ops.Less(x, ops.Literal(0)), ops.Literal(0), otherwise):
            return bool(otherwise == x)
        case _:
            return False


def _combined(value: ops.Value, parts: list[_Origin], deciding: bool) -> _Origin:
    kinds = {part.lineage for part in parts}
    source = tuple(dict.fromkeys(name for part in parts for name in part.source))
    if any(part.protected for part in parts):
        if not deciding and not isinstance(value, _ARITHMETIC):
            raise _refused("a condition on a number that may be withheld")
        lineage = Lineage.USER if Lineage.USER in kinds else Lineage.DERIVED
        return _Origin(lineage, source, protected=True)
    worst = (Lineage.USER, Lineage.LITERAL, Lineage.REFERENCE, Lineage.KEY)
    return _Origin(next((kind for kind in worst if kind in kinds), Lineage.LITERAL), source)


def _children(value: ops.Value) -> list[Any]:
    return [child for child in value.__children__ if isinstance(child, ops.Value)]


def shape_of(dtype: dt.DataType) -> Shape:
    """How values of `dtype` stand in a statement. Raises Refusal for a type that has no place there."""
    for is_kind, shape in (
        (dtype.is_boolean(), Shape.BOOLEAN),
        (dtype.is_integer(), Shape.INTEGER),
        (dtype.is_numeric(), Shape.NUMBER),
        (dtype.is_string(), Shape.TEXT),
        (dtype.is_date(), Shape.DATE),
        (dtype.is_timestamp(), Shape.TIMESTAMP),
    ):
        if is_kind:
            return shape
    raise _refused("a column of another type than text, numbers and dates")
