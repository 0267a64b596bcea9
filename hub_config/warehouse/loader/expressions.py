"""A mapping's values as SQL over a file's cells: the value, and what `validation` requires of it. Pure text
in, text out.

A cell is the trimmed text of a source column, null when it says that it is missing. No value is ever cast
in a way that can fail: a failing cast would put the cell into an error message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from hub_config.warehouse.loader.mapping import As, Bounds, Condition, SourceFile, Value
from hub_config.warehouse.loader.requirements import Known, Needed, Readable, Requirement, Within
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.schema import literal, quoted

# Eight digits and more are a telephone, a person or a day, and no measurement.
_NUMBER = r"[+-]?(\d{1,7}(\.\d{0,17})?|\.\d{1,17})([eE][+-]?\d{1,3})?"
_INTEGER = r"[+-]?\d{1,7}"  # fits the smallest type it may be stored in; and days stay within the calendar
_PRECISIONS = (
    ("%d", "day"),
    ("%m", "month"),
    ("%b", "month"),
    ("%B", "month"),
    ("%Y", "year"),
    ("%y", "year"),
)
_WHOLE_DATES = ("%x", "%c", "%j")


@dataclass(frozen=True)
class Parsed:
    """A value as SQL, the text it was read from as SQL, and what must hold before it is believed, in order.

    `asked` is an SQL condition: where it doesn't hold the value is none, and none is wanted.
    """

    sql: str
    text: str | None = None
    asked: str | None = None
    requirements: tuple[Requirement, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How the cells of one file are read."""

    file: SourceFile
    alias: str
    day_zero: date | None
    dates: tuple[date, date]

    def cell(self, column: str) -> str:
        return f"{self.alias}.{quoted(column)}"

    def holds(self, condition: Condition) -> str:
        """Never null: whether each column of `condition` has one of its texts."""
        tests = [
            f"coalesce({self.cell(column)} IN ({texts(wanted)}), false)"
            for column, wanted in condition.items()
        ]
        return "(" + " AND ".join(tests) + ")"

    def value(self, name: str, value: Value, known: frozenset[str] | None, bounds: Bounds | None) -> Parsed:
        """`name` is what the value is staged as, `known` the codes it may hold (None: any text), `bounds` its
        column's own."""
        if value.column is None:
            return Parsed(_constant(value.constant))
        sql = self._converted(value, value.column, known)
        asked = self.holds(value.when) if value.when else None
        requirements = tuple(self._requirements(name, value, value.column, known, value.bounds or bounds))
        text = self.cell(value.column)
        if asked is None:
            return Parsed(sql, text, None, requirements)
        sql, text = (f"CASE WHEN {asked} THEN {each} END" for each in (sql, text))
        return Parsed(sql, text, asked, requirements)

    def number(self, column: str) -> str:
        """The number in a cell, or null."""
        text = self.cell(column)
        if self.file.decimal == ",":
            text = f"replace({text}, ',', '.')"
        number = (
            f"CASE WHEN regexp_full_match({text}, {literal(_NUMBER)}) THEN try_cast({text} AS DOUBLE) END"
        )
        return f"CASE WHEN isfinite({number}) THEN {number} END"

    def precision(self, value: Value) -> str:
        """How precise the date `value` is: as the format that fits says, and to the year where a full date
        is a 1 January."""
        if value.column is None:
            return literal("day")
        cell, cases = self.cell(value.column), []
        for fmt in (value.format, *value.other_formats):
            read, precise = f"try_strptime({cell}, {literal(fmt)})", precision_of(fmt)
            if precise == "day":
                cases.append(f"WHEN dayofyear({read}) = 1 THEN 'year'")
            cases.append(f"WHEN {read} IS NOT NULL THEN {literal(precise)}")
        return f"CASE {' '.join(cases)} END"

    def _requirements(
        self, name: str, value: Value, column: str, known: frozenset[str] | None, bounds: Bounds | None
    ) -> Iterator[Requirement]:
        if not value.optional:
            yield Needed(name, column, Rule.MISSING, conditional=value.when is not None)
        codes = frozenset(value.codes) if value.codes else known
        match value.kind:
            case As.TEXT:
                if codes is not None:
                    yield Known(name, column, Rule.UNKNOWN_CODE, codes)
            case As.INTEGER | As.NUMBER:
                yield Readable(name, column, Rule.BAD_NUMBER)
                if bounds:
                    yield Within(name, column, Rule.OUT_OF_BOUNDS, *bounds)
            case As.DATE | As.DAY:
                yield Readable(name, column, Rule.BAD_DATE)
                yield Within(name, column, Rule.IMPOSSIBLE_DATE, *self.dates)

    def _converted(self, value: Value, column: str, known: frozenset[str] | None) -> str:
        cell = self.cell(column)
        match value.kind:
            case As.TEXT:
                return _coded(cell, value.codes, known)
            case As.INTEGER:
                return _integer(cell)
            case As.NUMBER:
                return self.number(column)
            case As.DATE:
                formats = f"[{texts((value.format, *value.other_formats))}]"
                return f"CAST(try_strptime({cell}, {formats}) AS DATE)"
            case As.DAY:
                return self._day(cell)

    def _day(self, cell: str) -> str:
        if self.day_zero is None:
            raise ValueError("a day is counted from source.day_zero, which is not given")
        near = f"CASE WHEN abs({_integer(cell)}) < 200000 THEN {_integer(cell)} END"
        return f"(DATE {literal(self.day_zero.isoformat())} + CAST({near} AS INTEGER))"


def precision_of(fmt: str) -> str:
    """The code of `date_precision` that a strptime format gives."""
    if any(whole in fmt for whole in _WHOLE_DATES):
        return "day"
    return next((precision for part, precision in _PRECISIONS if part in fmt), "unknown")


def texts(words: Iterable[str]) -> str:
    return ", ".join(literal(word) for word in words)


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


def _coded(cell: str, codes: dict[str, str] | None, known: frozenset[str] | None) -> str:
    if codes is not None:
        cases = " ".join(f"WHEN {literal(text)} THEN {literal(code)}" for text, code in codes.items())
        return f"CASE {cell} {cases} END"
    return cell if known is None else f"CASE WHEN {cell} IN ({texts(sorted(known))}) THEN {cell} END"
