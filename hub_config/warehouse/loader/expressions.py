"""A mapping's values as SQL over a file's text columns: the value, and the first rule it breaks. Pure text
in, text out.

No value is ever cast in a way that can fail: a failing cast would put the cell into an error message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from hub_config.warehouse.loader.mapping import As, Bounds, Condition, SourceFile, Value
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.schema import literal, quoted

_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?"
_INTEGER = r"[+-]?\d{1,9}"  # fits the smallest type it may be stored in; and days stay within the calendar


@dataclass(frozen=True)
class Check:
    """`broken` is an SQL condition; when it holds the row is set aside under `rule`, at `column`."""

    broken: str
    rule: Rule
    column: str


@dataclass(frozen=True)
class Parsed:
    """A value as SQL, with the checks that must pass before it is believed, in order."""

    sql: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How the cells of one file are read."""

    file: SourceFile
    alias: str
    day_zero: date | None
    dates: tuple[date, date]

    def cell(self, column: str) -> str:
        """The trimmed text of a cell; null when empty or one of the file's words for missing."""
        text = f"trim({self.alias}.{quoted(column)})"
        return f"CASE WHEN {text} NOT IN ({texts(('', *self.file.missing))}) THEN {text} END"

    def holds(self, condition: Condition) -> str:
        """Never null: whether each column of `condition` has one of its texts."""
        tests = [
            f"coalesce(({self.cell(column)}) IN ({texts(wanted)}), false)"
            for column, wanted in condition.items()
        ]
        return "(" + " AND ".join(tests) + ")"

    def value(self, value: Value, known: frozenset[str] | None, bounds: Bounds | None) -> Parsed:
        """`known` are the codes the target may hold (None: any text), `bounds` the target's own."""
        if value.column is None:
            return Parsed(_constant(value.constant))
        parsed = self._parsed(value, value.column, known, value.bounds or bounds)
        return self._only_when(value, parsed) if value.when else parsed

    def number(self, column: str) -> str:
        """The number in a cell, or null."""
        text = f"({self.cell(column)})"
        if self.file.decimal == ",":
            text = f"replace({text}, ',', '.')"
        number = (
            f"CASE WHEN regexp_full_match({text}, {literal(_NUMBER)}) THEN try_cast({text} AS DOUBLE) END"
        )
        return _finite(number)

    def _parsed(
        self, value: Value, column: str, known: frozenset[str] | None, bounds: Bounds | None
    ) -> Parsed:
        cell = f"({self.cell(column)})"
        missing = () if value.optional else (Check(f"{cell} IS NULL", Rule.MISSING, column),)
        sql, rule = self._converted(value, column, cell, known)
        checks = [
            Check(f"{cell} IS NOT NULL AND {sql} IS NULL", rule, column),
            *self._limits(value, column, sql, bounds),
        ]
        return Parsed(sql, (*missing, *checks))

    def _converted(
        self, value: Value, column: str, cell: str, known: frozenset[str] | None
    ) -> tuple[str, Rule]:
        match value.kind:
            case As.TEXT:
                return _coded(cell, value.codes, known), Rule.UNKNOWN_CODE
            case As.INTEGER:
                return _integer(cell), Rule.BAD_NUMBER
            case As.NUMBER:
                return f"({self.number(column)})", Rule.BAD_NUMBER
            case As.DATE:
                return f"CAST(try_strptime({cell}, {literal(value.format)}) AS DATE)", Rule.BAD_DATE
            case As.DAY:
                return self._day(cell), Rule.BAD_DATE

    def _day(self, cell: str) -> str:
        if self.day_zero is None:
            raise ValueError("a day is counted from source.day_zero, which is not given")
        near = f"CASE WHEN abs({_integer(cell)}) < 200000 THEN {_integer(cell)} END"
        return f"(DATE {literal(self.day_zero.isoformat())} + CAST({near} AS INTEGER))"

    def _limits(self, value: Value, column: str, sql: str, bounds: Bounds | None) -> Iterable[Check]:
        if value.kind in (As.DATE, As.DAY):
            first, last = (f"DATE {literal(day.isoformat())}" for day in self.dates)
            yield Check(f"{sql} NOT BETWEEN {first} AND {last}", Rule.IMPOSSIBLE_DATE, column)
        elif bounds and value.kind in (As.INTEGER, As.NUMBER):
            yield Check(f"{sql} NOT BETWEEN {bounds[0]!r} AND {bounds[1]!r}", Rule.OUT_OF_BOUNDS, column)

    def _only_when(self, value: Value, parsed: Parsed) -> Parsed:
        holds = self.holds(value.when or {})
        checks = tuple(
            Check(f"{holds} AND {check.broken}", check.rule, check.column) for check in parsed.checks
        )
        return Parsed(f"CASE WHEN {holds} THEN {parsed.sql} END", checks)


def first_broken(checks: Sequence[Check]) -> str:
    """The first check that fails, as a struct {rule, column}; null when all pass. A null condition is a
    pass."""
    if not checks:
        return "NULL"
    return "CASE " + " ".join(f"WHEN {check.broken} THEN {_problem(check)}" for check in checks) + " END"


def texts(words: Iterable[str]) -> str:
    return ", ".join(literal(word) for word in words)


def _problem(check: Check) -> str:
    return f"{{'rule': {literal(check.rule)}, 'column': {literal(check.column)}}}"


def _constant(constant: str | date | int | float | None) -> str:
    match constant:
        case str():
            return literal(constant)
        case date():
            return f"DATE {literal(constant.isoformat())}"
        case int() | float():
            return repr(constant)
        case None:
            return "NULL"


def _integer(cell: str) -> str:
    return f"(CASE WHEN regexp_full_match({cell}, {literal(_INTEGER)}) THEN try_cast({cell} AS BIGINT) END)"


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _coded(cell: str, codes: dict[str, str] | None, known: frozenset[str] | None) -> str:
    if codes is not None:
        cases = " ".join(f"WHEN {literal(text)} THEN {literal(code)}" for text, code in codes.items())
        return f"CASE {cell} {cases} END"
    return cell if known is None else f"CASE WHEN {cell} IN ({texts(sorted(known))}) THEN {cell} END"
