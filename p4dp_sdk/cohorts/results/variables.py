"""What a Table 1 tells of a cohort: its lines, each a condition on a patient or a number of one.

Classes do not overlap and leave no hole: each limit belongs to the class above it. A missing value is in no
class, and is counted on a line of its own ("non renseigné").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

import ibis.expr.types as ir

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue
from p4dp_sdk.cohorts.results import origins
from p4dp_sdk.cohorts.results.errors import bad_bands, no_description, unknown_classes, unknown_column
from p4dp_sdk.figures.words import number
from p4dp_sdk.granted import label as label_of

PATIENT: Final = "patient_id"
_SKIPPED: Final = frozenset({PATIENT, "physician_id", "centre_id", "exit_reason", "age_days", "age_months"})
_OUTCOME: Final = ("_date", "_time", "_event")
_UNIT_ONE: Final = "1"
_MANY: Final = 4  # so many classes are also counted in two halves: see `questions.published`

Bands = Mapping[str, Sequence[float] | Sequence[str]]


class Kind(StrEnum):
    YES_NO = "yes_no"
    CLASSES = "classes"
    NUMBER = "number"


@dataclass(frozen=True)
class Level:
    """One class: a short name (of the measure) and the words for people."""

    name: str
    label: str
    condition: Any


@dataclass(frozen=True)
class Variable:
    """`levels`: its classes, exclusive; a number may have some too. `may_miss`: a line tells the missing.
    `halves`: the classes in two parts, a condition each. `amount`: the column whose mean may be
    released, where it is another (an age in days, told in years). `summed`: means and quartiles are asked."""

    name: str
    label: str
    kind: Kind
    column: Any
    levels: tuple[Level, ...] = ()
    may_miss: bool = True
    unit: str = ""
    halves: tuple[Any, ...] = ()
    amount: Any = None
    summed: bool = True

    @property
    def number(self) -> Any:
        """What means and quartiles are of."""
        return self.column if self.amount is None else self.amount


@dataclass(frozen=True)
class Group:
    """The column that patients are compared by, and the words for its labels."""

    name: str
    label: str
    labels: Mapping[Any, str]


@dataclass(frozen=True)
class Asked:
    """What a person asked for, apart from the relation."""

    by: str | None
    names: tuple[str, ...] | None
    bands: Bands
    labels: Mapping[str, str]

    def variables(self, relation: ir.Table) -> tuple[Variable, ...]:
        return variables_of(relation, self.names, self.bands, self.labels, by=self.by)

    def group(self, relation: ir.Table) -> Group | None:
        return None if self.by is None else group_of(relation, self.by, self.labels)


def variables_of(
    relation: ir.Table,
    names: Iterable[str] | None,
    bands: Bands,
    labels: Mapping[str, str],
    *,
    by: str | None,
) -> tuple[Variable, ...]:
    """The lines asked for, or all that `relation` can tell. Raises ResultError."""
    catalogue = catalogue_of(relation)
    wanted = list(names) if names is not None else [name for name in _told(relation) if name != by]
    for name in (*wanted, *bands, *([by] if by else [])):
        if name not in relation.columns and _days(name) not in relation.columns:
            raise unknown_column(name, relation.columns)
    return tuple(_variable(relation, name, bands.get(name), labels, catalogue) for name in wanted)


def group_of(relation: ir.Table, by: str, labels: Mapping[str, str]) -> Group:
    if by not in relation.columns:
        raise unknown_column(by, relation.columns)
    catalogue, column = catalogue_of(relation), relation[by]
    words: Mapping[Any, str] = dict(_codes(column, catalogue) or ())
    return Group(by, labels.get(by) or _label(by, column, catalogue), words)


def catalogue_of(relation: ir.Table) -> Catalogue:
    """The project's catalogue, with the site's own codes; on another engine, what the SDK ships."""
    from p4dp_sdk.backend import Backend

    backend = relation.get_backend()
    return backend.catalogue() if isinstance(backend, Backend) else load_catalogue()


def _told(relation: ir.Table) -> list[str]:
    return [
        name
        for name, kind in relation.schema().items()
        if name not in _SKIPPED
        and not name.endswith(_OUTCOME)
        and (kind.is_boolean() or kind.is_numeric() or kind.is_string())
    ]


def _variable(
    relation: ir.Table, name: str, bands: Any, labels: Mapping[str, str], catalogue: Catalogue
) -> Variable:
    column: Any = relation[name if name in relation.columns else _days(name)]
    kind = column.type()
    label, missing = labels.get(name) or _label(name, column, catalogue), origins.may_be_missing(column)
    if kind.is_boolean():
        return Variable(name, label, Kind.YES_NO, column, may_miss=missing)
    if kind.is_numeric():
        cuts = () if bands is None else _limits(name, bands)
        unit = _unit(column, catalogue)
        amount = relation[_days(name)] if _days(name) in relation.columns else None
        months = f"{name}_months" in relation.columns  # which are less to say than completed years
        cut, scale = (relation[f"{name}_months"], 12) if months else (column, 1)
        return Variable(
            name,
            label,
            Kind.NUMBER,
            column,
            _cut(name, cut, cuts, scale),
            missing,
            unit,
            _cut_halves(cut, cuts, scale),
            amount,
        )
    if kind.is_string():
        codes = list(_coded(name, column, bands, catalogue))
        levels = tuple(Level(f"{name} {code}", word, column == code) for code, word in codes)
        halves = _code_halves(column, [code for code, _word in codes])
        return Variable(name, label, Kind.CLASSES, column, levels, missing, halves=halves)
    raise no_description(name, str(kind))


def _limits(name: str, bands: Sequence[Any]) -> tuple[float, ...]:
    numbers = [each for each in bands if isinstance(each, int | float) and not isinstance(each, bool)]
    if not bands or len(numbers) != len(bands) or any(low >= high for low, high in pairwise(numbers)):
        raise bad_bands(name)
    return tuple(numbers)


def _days(name: str) -> str:
    """The column that tells an age in days: its mean may be released."""
    return f"{name}_days"


def _cut(name: str, column: Any, cuts: Sequence[float], scale: int) -> tuple[Level, ...]:
    """The classes of a number: below the first limit, between two, from the last on. `column` counts in
    parts of which `scale` make one."""
    if not cuts:
        return ()
    whole = column.type().is_integer() and all(cut == int(cut) for cut in cuts)
    first, last = cuts[0], cuts[-1]
    between = [
        Level(
            f"{name} {low:g}-{high:g}", _between(low, high, whole), _within(column, scale * low, scale * high)
        )
        for low, high in pairwise(cuts)
    ]
    below = Level(f"{name} < {first:g}", f"< {number(float(first))}", column < scale * first)
    return (below, *between, Level(f"{name} ≥ {last:g}", f"≥ {number(float(last))}", column >= scale * last))


def _within(column: Any, low: float, high: float) -> Any:
    return (column >= low) & (column < high)


def _cut_halves(column: Any, cuts: Sequence[float], scale: int) -> tuple[Any, ...]:
    if len(cuts) + 1 < _MANY:
        return ()
    middle = scale * cuts[len(cuts) // 2]
    return (column < middle, column >= middle)


def _code_halves(column: Any, codes: Sequence[str]) -> tuple[Any, ...]:
    if len(codes) < _MANY:
        return ()
    middle = len(codes) // 2
    return (column.isin(codes[:middle]), column.isin(codes[middle:]))


def _between(low: float, high: float, whole: bool) -> str:
    if whole:
        return f"{low:g}–{high - 1:g}"
    return f"{number(float(low))} – < {number(float(high))}"


def _coded(name: str, column: Any, bands: Any, catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    """Codes and their words: those that are named, else those of the catalogue or of the cases written."""
    words = _codes(column, catalogue)
    if bands is not None:
        if isinstance(bands, str) or not all(isinstance(code, str) for code in bands) or not bands:
            raise bad_bands(name)
        known = dict(words or ())
        words = [(code, known.get(code, code)) for code in bands]
    if not words:
        raise unknown_classes(name)
    return words


def _codes(column: Any, catalogue: Catalogue) -> list[tuple[Any, str]] | None:
    """The codes of `column` and their labels; None where they are not known beforehand."""
    written = origins.literals(column)
    if written:
        return [(each, each) for each in written]
    found = _described(column, catalogue)
    system = catalogue.code_systems.get(found.codes) if found is not None and found.codes else None
    return [(code.code, label_of(code)) for code in system.codes] if system and system.codes else None


def _label(name: str, column: Any, catalogue: Catalogue) -> str:
    """The catalogue's label of a column that keeps its name; else the name itself."""
    found = _described(column, catalogue)
    return label_of(found) if found is not None and found.name == name else name.replace("_", " ")


def _unit(column: Any, catalogue: Catalogue) -> str:
    found = _described(column, catalogue)
    return found.unit if found is not None and found.unit and found.unit != _UNIT_ONE else ""


def _described(column: Any, catalogue: Catalogue) -> Any:
    table, name = origins.source(column) or ("", "")
    known = catalogue.tables.get(table)
    return known.column(name) if known is not None and known.has(name) else None
