"""What a published cell is, whatever the data: its definition, as one number that adds up as cells do. Pure.

A cell is "the rows of a base that are such and such". Each condition is a factor: the sum of the secret
numbers of the pieces of its column that it lets through (`regions`), where all pieces of a column sum to 1.
The definition is the product. So a margin has the definition of the cell without that key; cells that by
their definitions make up another add up to its definition; a filter, a key and a measure's condition that say
one thing are one thing. And the other way round: a sum of definitions is a polynomial in the secret numbers,
and where two different ones are equal it is by a chance of one in 2¹²⁰ (Schwartz, J. ACM 27 (1980) 701-717;
Zippel, EUROSAM 1979, 216-226). Numbers are made with a key, so nobody can look for such a chance.

Distinct patients add up over what each has once only. Conditions on anything else stand for themselves there.

A column that is *recorded* as a rule (sex, age, a value measured) counts as never missing: "all" and "all
whose sex is known" are one definition. They are compared as people as well, so nothing is shown twice that
differs; what is told is that nobody's is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import ibis.expr.operations as ops
import numpy as np
from numpy.typing import NDArray

from hub_config.gateway.rules.earlier.canonical import Canonical, conjuncts, resolved, source_of
from hub_config.gateway.rules.earlier.regions import Condition, Piece, Unclear, is_whole, pieces, variable_of
from hub_config.gateway.rules.plan import Measure, MeasureKind, Release
from hub_config.governance.facts import Grant
from p4dp_sdk.catalogue.model import Catalogue, Role, Unit

_CENTRE: Final = "centre"
PRIME: Final = (1 << 127) - 1
_WORD: Final = (1 << 64) - 1

Name = Callable[[str], int]  # keyed: a number below PRIME for each text
Words = NDArray[np.uint64]  # a definition a row: its high and its low word; zeros for none
Column = tuple[str, str]  # a table of the catalogue, and its column


@dataclass(frozen=True)
class Setting:
    """What all definitions of a table have in common. `scope`: the snapshot, and which rows of it the project
    is granted. `recorded`: columns that are not missing, as a rule; `single`: tables with one row a patient;
    `codes`: all that a column may hold."""

    name: Name = field(repr=False)
    scope: str
    recorded: frozenset[Column] = frozenset()
    single: frozenset[str] = frozenset()
    codes: Mapping[Column, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Definitions:
    """Of the cells of one release. `chosen` conditions say which cell is meant."""

    release: Release
    setting: Setting
    canonical: Canonical = field(default_factory=Canonical)
    _factors: dict[tuple[object, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._root: Any = self.release.rows.op()
        rows = self.canonical.rows(self._root)
        self._base = self._number("base", self.setting.scope, self.release.unit, rows.base)
        self._filters = tuple(Condition(each, frozenset({True})) for each in rows.conditions)

    def key(self, name: str) -> ops.Value:
        """The value that the key `name` of the release is."""
        return resolved(self._root.values[name])

    def numbers(self, measure: Measure, chosen: Sequence[Condition]) -> int:
        """The definition of the number that `measure` is in a cell."""
        once = measure.kind is MeasureKind.PATIENTS
        added = self._added(measure)
        made = self._product(measure, chosen, additive=not once)
        return self._number(measure.kind.value, *added) * made % PRIME

    def cells(self, measure: Measure, labels: Sequence[Sequence[Hashable]]) -> list[int]:
        """`numbers` of many cells at once, each by its labels in the order of the release's keys."""
        additive = measure.kind is not MeasureKind.PATIENTS
        whole = self._number(measure.kind.value, *self._added(measure)) * self._base % PRIME
        by_variable = self._by_variable((*self._filters, *self._conditions(measure)))
        places: dict[str, list[int]] = {}
        keys = [self.key(name) for name in self.release.keys]
        for place, key in enumerate(keys):
            places.setdefault(next(iter(self._by_variable([condition_on(key, ())]))), []).append(place)
        for name, (variable, conditions) in by_variable.items():
            if name not in places:
                whole = whole * self._factor(name, variable, conditions, additive) % PRIME
        made = [whole] * len(labels)
        for name, some in places.items():
            fixed = by_variable.get(name, (None, []))[1]
            parts = [tuple(label[place] for place in some) for label in labels]
            factors = {
                part: self._of_labels([keys[at] for at in some], part, fixed, additive)
                for part in dict.fromkeys(parts)
            }
            made = [number * factors[part] % PRIME for number, part in zip(made, parts, strict=True)]
        return made

    def people(self, measure: Measure, chosen: Sequence[Condition]) -> int:
        """The definition of those who stand behind it: whose value is not zero, where it may be."""
        made = self._product(measure, chosen, additive=False)
        return self._number("people", *self._not_zero(measure)) * made % PRIME

    def _not_zero(self, measure: Measure) -> tuple[str, ...]:
        weight = None if measure.weight is None else resolved(self._root.values[measure.weight])
        if not isinstance(weight, ops.NullIf):
            return ()
        value = self._weighed(measure)
        value = value.true_expr if isinstance(value, ops.IfElse) else value
        if self._is_recorded(variable_of(self.canonical, value)):
            return ()
        return "not zero", self.canonical.value(value)

    # --- conditions ----------------------------------------------------------------------------------------

    def _product(self, measure: Measure, chosen: Sequence[Condition], *, additive: bool) -> int:
        product = self._base
        asked = self._by_variable((*self._filters, *self._conditions(measure), *chosen))
        for name, (variable, conditions) in asked.items():
            product = product * self._factor(name, variable, conditions, additive) % PRIME
        return product

    def _by_variable(self, conditions: Iterable[Condition]) -> dict[str, tuple[ops.Value, list[Condition]]]:
        found: dict[str, tuple[ops.Value, list[Condition]]] = {}
        for condition in conditions:
            variable = variable_of(self.canonical, condition.value)
            found.setdefault(self.canonical.value(variable), (variable, []))[1].append(condition)
        return found

    def _of_labels(
        self, keys: Sequence[ops.Value], labels: Sequence[Hashable], fixed: list[Condition], additive: bool
    ) -> int:
        """The factor of one variable, of which these keys have these labels."""
        chosen = [condition_on(key, (label,)) for key, label in zip(keys, labels, strict=True)]
        ((name, (variable, conditions)),) = self._by_variable([*fixed, *chosen]).items()
        return self._factor(name, variable, conditions, additive)

    def _factor(self, name: str, variable: ops.Value, conditions: list[Condition], additive: bool) -> int:
        asked = frozenset((self.canonical.value(each.value), each.outcomes) for each in conditions)
        known = (name, asked, additive)
        if known not in self._factors:
            self._factors[known] = self._made(name, variable, conditions, additive)
        return self._factors[known]

    def _made(self, name: str, variable: ops.Value, conditions: list[Condition], additive: bool) -> int:
        try:
            parts = pieces(self.canonical, variable, conditions)
            total = sum(self._weight(name, variable, piece) for piece in parts) % PRIME
        except Unclear:
            asked = ((self.canonical.value(c.value), *sorted(map(repr, c.outcomes))) for c in conditions)
            return self._number("unclear", *sorted(map(repr, asked)))
        if total == 0:  # nobody can be there, or only whose value is missing
            return self._number("none", name, *sorted(repr(piece) for piece in parts))
        if additive or total == 1 or self._is_patients(variable):
            return total
        return self._number("some", name, str(total))

    def _weight(self, name: str, variable: ops.Value, piece: Piece) -> int:
        kind, what = piece
        missing = 0 if self._is_recorded(variable) else self._number("missing", name)
        match kind:
            case "missing":
                return missing
            case "between":
                low, high = what
                above = 1 - missing if high is None else self._below(name, variable, high)
                return above - (0 if low is None else self._through(name, variable, low))
            case "other":
                return 1 - missing - sum(self._weight(name, variable, ("is", each)) for each in what)
        if variable.dtype.is_boolean():
            holds = self._number("is", name, repr(True))
            return holds if what else 1 - missing - holds
        if isinstance(what, str):
            return self._of_code(name, variable, what, missing)
        return self._through(name, variable, what) - self._below(name, variable, what)

    def _of_code(self, name: str, variable: ops.Value, code: str, missing: int) -> int:
        """Of a list that is known whole, all codes sum to 1: the last is what the others leave."""
        source = source_of(variable)
        codes = self.setting.codes.get((source.table, source.column), ()) if source else ()
        if codes and code == codes[-1]:
            return 1 - missing - sum(self._number("is", name, other) for other in codes[:-1])
        return self._number("is", name, code)

    def _below(self, name: str, variable: ops.Value, limit: Any) -> int:
        limit = math.ceil(limit) if _is_between(variable, limit) else limit
        return self._number("below", name, _point(limit))

    def _through(self, name: str, variable: ops.Value, limit: Any) -> int:
        if _is_between(variable, limit):  # up to 39.5 is below 40, as up to 39 is
            return self._below(name, variable, limit)
        if is_whole(variable):
            return self._number("below", name, _point(limit, 1))
        return self._number("through", name, _point(limit))

    # --- what is known of columns --------------------------------------------------------------------------

    def _is_recorded(self, variable: ops.Value) -> bool:
        if isinstance(variable, ops.InSubquery):
            return self._is_patients(variable)
        source = source_of(variable)
        return source is not None and source.whole and (source.table, source.column) in self.setting.recorded

    def _is_patients(self, variable: ops.Value) -> bool:
        """Whether a patient has one value of it."""
        if isinstance(variable, ops.InSubquery):
            source = source_of(variable.needle)
            return source is not None and source.column == "patient_id"
        source = source_of(variable)
        if source is not None:
            return source.table in self.setting.single
        return any(self.key(key) == variable for key in self.release.patient_keys if key in self.release.keys)

    # --- measures ------------------------------------------------------------------------------------------

    def _conditions(self, measure: Measure) -> Iterable[Condition]:
        """Under which a row contributes."""
        weight = self._weighed(measure)
        if isinstance(weight, ops.IfElse):
            yield from (Condition(each, frozenset({True})) for each in conjuncts(weight.bool_expr))

    def _added(self, measure: Measure) -> tuple[str, ...]:
        """What a row adds, where that is not 1."""
        if measure.kind in (MeasureKind.PATIENTS, MeasureKind.ROWS):
            return ()
        weight = self._weighed(measure)
        added = weight.true_expr if isinstance(weight, ops.IfElse) else weight
        return measure.family, "" if added is None else self.canonical.value(added)

    def _weighed(self, measure: Measure) -> Any:
        """The column of weights, without the rule that nothing is added by who adds zero."""
        if measure.weight is None:
            return None
        weight = resolved(self._root.values[measure.weight])
        return resolved(weight.arg) if isinstance(weight, ops.NullIf) else weight

    def _number(self, *parts: str) -> int:
        return self.setting.name("\0".join(f"{len(part)}:{part}" for part in parts))


def condition_on(key: ops.Value, labels: Iterable[Hashable]) -> Condition:
    """That `key` has one of `labels`."""
    return Condition(key, frozenset(labels))


def _point(limit: Any, steps: int = 0) -> str:
    """A number of a scale: a date by its day."""
    number = limit.toordinal() if hasattr(limit, "toordinal") else limit
    if not isinstance(number, int | float):
        raise Unclear
    return repr(float(number) + steps)


def _is_between(variable: ops.Value, limit: Any) -> bool:
    """Whether it is a limit that no value of the variable is."""
    return is_whole(variable) and isinstance(limit, float) and not limit.is_integer()


# --- definitions as words ----------------------------------------------------------------------------------


def words(definitions: Sequence[int]) -> Words:
    rows = [(number >> 64, number & _WORD) for number in definitions]
    return np.array(rows, dtype=np.uint64).reshape(len(rows), 2)


def summed(rows: Words, signs: Sequence[int] | None = None) -> int:
    """The sum of definitions, with signs; 0 where one of them is not known."""
    numbers = [(int(high) << 64) | int(low) for high, low in rows]
    if not all(numbers):
        return 0
    return sum(n * s for n, s in zip(numbers, signs or [1] * len(numbers), strict=True)) % PRIME


def added(rows: Words, starts: NDArray[np.int64]) -> Words:
    """Sums of consecutive rows, each from one of `starts` to the next."""
    half = np.uint64(32)
    parts = np.stack([rows >> half, rows & np.uint64(0xFFFFFFFF)], axis=2).reshape(len(rows), 4)
    sums = np.add.reduceat(parts, starts, axis=0) if len(starts) else parts[:0]
    return words([sum(int(part) << (96 - 32 * i) for i, part in enumerate(row)) % PRIME for row in sums])


def number_of(row: Words) -> int:
    return (int(row[0]) << 64) | int(row[1])


def scope_of(grant: Grant) -> str:
    """Which rows a project is granted, as part of a definition's scope."""
    centres = None if grant.centres is None else sorted(grant.centres)
    return f"{centres} {grant.date_from} {grant.date_to}"


def recorded_columns(catalogue: Catalogue) -> frozenset[Column]:
    """Columns that every record has, as a rule: what is measured, what whoever knows a person knows, and the
    centre."""
    return frozenset(
        (name, column.name)
        for name, table in catalogue.tables.items()
        for column in table.columns
        if column.evident or column.role is Role.NUMERIC or column.codes == _CENTRE
    )


def known_codes(
    catalogue: Catalogue, domains: Mapping[str, tuple[str, ...]]
) -> dict[Column, tuple[str, ...]]:
    """The codes of each coded column: `domains` gives those of each code system."""
    return {
        (name, column.name): domains[column.codes]
        for name, table in catalogue.tables.items()
        for column in table.columns
        if column.codes is not None and column.codes in domains
    }


def single_tables(catalogue: Catalogue) -> frozenset[str]:
    """Those with one row a patient."""
    return frozenset(
        name
        for name, table in catalogue.tables.items()
        if table.unit is Unit.PERSON and table.key and table.column(table.key).role is Role.PATIENT
    )
