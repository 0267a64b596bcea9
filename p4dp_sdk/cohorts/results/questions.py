"""The questions of a Table 1, as measures on the cohort's relation.

*Drafts* ask everything at once: one question for all patients, which comes first (a total asked after its
parts would be their sum), and one by group. *Publications* are exact, so what stands side by side must be
proved together: one table for the size of the groups and the lines that nobody misses, with their classes
(a mean beside the sizes is one of known people: asked by itself it would be withheld), then one a variable.
In each the size of the group stands beside the classes, so that the enclave sees what they leave: the
patients of whom nothing is recorded. Four classes or more are also counted in two halves: "all less one half
less the other" is that remainder in three terms, whatever the number of classes, and where it can be shown
the line "not recorded" follows from it. Quantiles are not published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, assert_never

import ibis.expr.types as ir

from p4dp_sdk.cohorts.results.asking import WITHHELD, Number
from p4dp_sdk.cohorts.results.variables import PATIENT, Kind, Variable
from p4dp_sdk.locale import translate as _

PATIENTS: Final = "patients"
DAYS_A_YEAR: Final = 365.25
LEAST: Final = 11  # fewer are never told, whatever they follow from


class Statistic(StrEnum):
    """What a cell is. Percentages are of all patients of the column, the "not recorded" included."""

    COUNT = "n"
    PERCENT = "percent"
    MEAN = "mean"
    SD = "sd"
    MEDIAN = "median"
    Q1 = "q1"
    Q3 = "q3"


@dataclass(frozen=True)
class Entry:
    """One number of the table: of which variable and class, and by which measure it is found."""

    variable: Variable | None
    level: str
    statistic: Statistic
    measure: str


@dataclass(frozen=True)
class Part:
    """One publication table: its variables (none: the sizes of the groups) and its question's measures."""

    variables: tuple[Variable, ...]
    columns: Mapping[str, Any]


def missing_name(variable: Variable) -> str:
    return f"{variable.name} null"


def entries(
    variables: Sequence[Variable], not_recorded: str, *, quantiles: bool, spread: bool
) -> Iterator[Entry]:
    """The numbers in the order of the table. `spread`: standard deviations, of which blur leaves nothing."""
    yield Entry(None, "", Statistic.COUNT, PATIENTS)
    for variable in variables:
        match variable.kind:
            case Kind.YES_NO:
                yield from _counted(variable, "", variable.name)
            case Kind.NUMBER:
                yield from _numbers(variable, quantiles, spread) if variable.summed else ()
            case Kind.CLASSES:
                pass
            case _:
                assert_never(variable.kind)
        for level in variable.levels:
            yield from _counted(variable, level.label, level.name)
        if variable.may_miss:
            yield from _counted(variable, not_recorded, missing_name(variable))


def _counted(variable: Variable, level: str, measure: str) -> Iterator[Entry]:
    yield Entry(variable, level, Statistic.COUNT, measure)
    yield Entry(variable, level, Statistic.PERCENT, measure)


def _numbers(variable: Variable, quantiles: bool, spread: bool) -> Iterator[Entry]:
    wanted = [Statistic.MEAN, *([Statistic.SD] if spread else [])]
    wanted += [Statistic.MEDIAN, Statistic.Q1, Statistic.Q3] if quantiles else []
    for statistic in wanted:
        yield Entry(variable, "", statistic, f"{variable.name}_{statistic}")


# -- drafts -------------------------------------------------------------------------------------------------


def draft(relation: ir.Table, variables: Sequence[Variable]) -> dict[str, Any]:
    """Every measure of the table."""
    n, made = relation[PATIENT].nunique, {PATIENTS: relation[PATIENT].nunique()}
    for variable in variables:
        if variable.kind is Kind.YES_NO:
            made[variable.name] = n(where=variable.column)
        if variable.kind is Kind.NUMBER and variable.summed:
            made |= _moments(variable) | _quantiles(variable)
        made |= {level.name: n(where=level.condition) for level in variable.levels}
        if variable.may_miss:
            made[missing_name(variable)] = n(where=variable.column.isnull())
    return made


def _moments(variable: Variable) -> dict[str, Any]:
    number = variable.number
    found = {"mean": number.mean(), "sd": number.std()}
    return {f"{variable.name}_{name}": _in_years(variable, value) for name, value in found.items()}


def _quantiles(variable: Variable) -> dict[str, Any]:
    shares = {"q1": 0.25, "median": 0.5, "q3": 0.75}
    number = variable.number
    return {
        f"{variable.name}_{name}": _in_years(variable, number.quantile(share))
        for name, share in shares.items()
    }


def _in_years(variable: Variable, value: Any) -> Any:
    """A number of days as one of years: computed from what was released."""
    return value if variable.amount is None else value / DAYS_A_YEAR


def is_sure(variable: Variable) -> bool:
    """Whether nobody misses it and one number a group tells it: it stands beside the size of the groups."""
    told = variable.kind is Kind.YES_NO or (variable.kind is Kind.NUMBER and variable.summed)
    return told and not variable.may_miss


# -- publications -------------------------------------------------------------------------------------------


def published(relation: ir.Table, variables: Sequence[Variable]) -> Iterator[Part]:
    """The publication tables, in the order in which they are made: sizes first, which are then public."""
    n = relation[PATIENT].nunique
    sure = tuple(variable for variable in variables if is_sure(variable))
    first = {PATIENTS: n()}
    for variable in sure:
        yes = variable.kind is Kind.YES_NO
        first |= {variable.name: n(where=variable.column)} if yes else _moments(variable)
        first |= _classes(variable, n)
    yield Part(sure, first)
    for variable in variables:
        if variable.kind is Kind.YES_NO and variable.may_miss:
            sides = {variable.name: n(where=variable.column), _no(variable): n(where=~variable.column)}
            yield Part((variable,), {PATIENTS: n(), **sides})
        if variable.kind is Kind.NUMBER and variable.summed and variable.may_miss:
            yield Part((variable,), {PATIENTS: n(), **_known(variable, n), **_moments(variable)})
        if variable.levels and variable not in sure:
            yield Part((variable,), {PATIENTS: n(), **_classes(variable, n), **_halves(variable, n)})


def _classes(variable: Variable, n: Any) -> dict[str, Any]:
    return {level.name: n(where=level.condition) for level in variable.levels}


def _known(variable: Variable, n: Any) -> dict[str, Any]:
    return {_with(variable): n(where=variable.column.notnull())}


def _halves(variable: Variable, n: Any) -> dict[str, Any]:
    names = _half_names(variable)
    return {name: n(where=half) for name, half in zip(names, variable.halves, strict=True)}


def with_missing(variables: Sequence[Variable], numbers: Mapping[str, Number]) -> dict[str, Number]:
    """`numbers` of publications with those of the lines "not recorded", where they follow."""
    return dict(numbers) | {missing_name(v): _missing(v, numbers) for v in variables if v.may_miss}


def _missing(variable: Variable, numbers: Mapping[str, Number]) -> Number:
    whole = numbers.get(PATIENTS, WITHHELD).value
    for names in _complements(variable):
        parts = [numbers.get(name, WITHHELD).value for name in names]
        if whole is not None and None not in parts:
            left = whole - sum(part for part in parts if part is not None)
            return WITHHELD if 0 < left < LEAST else Number(left)
    return WITHHELD


def _complements(variable: Variable) -> Iterator[list[str]]:
    """Sets of measures that together count everybody of whom the variable is known."""
    match variable.kind:
        case Kind.YES_NO:
            yield [variable.name, _no(variable)]
        case Kind.NUMBER:
            yield [_with(variable)]
        case Kind.CLASSES:
            pass
        case _:
            assert_never(variable.kind)
    if variable.levels:
        yield [level.name for level in variable.levels]
    if variable.halves:
        yield _half_names(variable)


def _no(variable: Variable) -> str:
    return f"{variable.name} no"


def _with(variable: Variable) -> str:
    return f"{variable.name} n"


def _half_names(variable: Variable) -> list[str]:
    return [f"{variable.name} 1 / 2", f"{variable.name} 2 / 2"][: len(variable.halves)]


def recorded(relation: ir.Table, names: Iterable[str]) -> ir.Table:
    """Patients of whom all of `names` is known."""
    there = [relation[name].notnull() for name in names]
    return relation.filter(*there) if there else relation


def without(variable: Variable, part: Part) -> tuple[str, Variable]:
    """What is lost of `variable` if `part` is refused, in words, and what is left of it to tell."""
    of_classes = any(level.name in part.columns for level in variable.levels)
    if of_classes and variable.kind is Kind.NUMBER and variable.summed:
        return f"{variable.name}, n (%)", replace(variable, levels=(), halves=())
    if not of_classes and variable.levels:
        return f"{variable.name}, " + _("mean ± SD"), replace(variable, summed=False)
    return variable.name, variable
