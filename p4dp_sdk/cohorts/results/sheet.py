"""A result in words: what a notebook, Word, LaTeX and Excel all show. Texts only, in the person's language.

A withheld number carries the mark of every table here (•), explained below it; a number of an earlier answer
carries ≈. Nothing in it depends on the machine or the hour: the same numbers give the same texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from p4dp_sdk import markup
from p4dp_sdk.cohorts.results import questions
from p4dp_sdk.cohorts.results.questions import PATIENTS, Statistic, missing_name
from p4dp_sdk.cohorts.results.variables import Kind, Variable
from p4dp_sdk.figures.words import MARK, SNAPPED, number
from p4dp_sdk.locale import Language, language
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.remarks import accuracy, legend, remarks
from p4dp_sdk.tables.safe_remarks import provenance

if TYPE_CHECKING:
    from p4dp_sdk.cohorts.results.asking import Number
    from p4dp_sdk.cohorts.results.columns import Column
    from p4dp_sdk.cohorts.results.table_one import TableOne

_INDENT = "\u2003"


@dataclass(frozen=True)
class Line:
    """One line: its words, how deep it stands, and the text of each cell."""

    label: str
    cells: tuple[str, ...]
    depth: int = 0

    @property
    def indented(self) -> str:
        return _INDENT * self.depth + self.label


@dataclass(frozen=True)
class Sheet:
    """`notes` stand below it wherever it is printed; `hints` only on the screen."""

    title: str
    headers: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    hints: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For a terminal."""
        rows = [self.headers, *((line.indented, *line.cells) for line in self.lines)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(self.headers))]
        aligned = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join([self.title, "", *(line.rstrip() for line in aligned), "", *self.notes, *self.hints])

    @property
    def html(self) -> str:
        """For a notebook."""
        rows = [[line.indented, *line.cells] for line in self.lines]
        return (
            markup.heading(self.title)
            + markup.table(self.headers, rows)
            + markup.notes([*self.notes, *self.hints])
        )


def table_one_sheet(table: TableOne) -> Sheet:
    compared = len(table.differences) > 0
    headers = ("", *(_header(column) for column in table.columns), *([_("SMD")] if compared else []))
    lines, notes = tuple(_lines(table, compared)), tuple(_notes(table, compared))
    said = [] if table.disclosure is None else remarks(table.frame, table.disclosure)
    counted = table.columns[0].numbers.get(PATIENTS)
    empty = [] if counted is not None and counted.value else [nobody_left()]
    hints = tuple(line for line in (*empty, *said, *_means_lost(table)) if line not in notes)
    return Sheet(table.title or _("Table 1"), headers, lines, notes, hints)


def nobody_left() -> str:
    """Where to look when there is nobody to describe."""
    return _("Nobody is left, or too few to be shown: `cohort.attrition()` says after which step.")


def _header(column: Column) -> str:
    return column.label


def _lines(table: TableOne, compared: bool) -> Iterator[Line]:
    columns, last = table.columns, ("",) if compared else ()
    yield Line(_("Patients, n"), (*(_count(column, PATIENTS) for column in columns), *last))
    smd = table.differences
    for variable in table.variables if table.tables else table.lines:
        if variable.name in table.unpublished:
            yield Line(variable.label, (*("—" for _column in columns), *last))
            continue
        told = table.compares(variable)
        tail = (_difference(smd[variable.name]) if told else "",) if compared else ()
        yield from _of(variable, columns, tail, quartiles=not table.tables, spread=not table.blurred)


def _of(
    variable: Variable, columns: Sequence[Column], tail: tuple[str, ...], *, quartiles: bool, spread: bool
) -> Iterator[Line]:
    blank = tuple("" for _each in tail)
    name = f"{variable.label} ({variable.unit})" if variable.unit else variable.label
    depth = 1
    match variable.kind:
        case Kind.YES_NO:
            yield Line(f"{name}, n (%)", (*(_share(c, variable.name) for c in columns), *tail))
        case Kind.NUMBER if not variable.summed:
            yield Line(f"{name}, n (%)", (*("" for _column in columns), *tail))
        case Kind.NUMBER:
            said = _("mean ± SD") if spread else _("mean")
            yield Line(f"{name}, {said}", (*(_mean(c, variable, spread) for c in columns), *tail))
            if quartiles:
                yield Line(_("median [quartiles]"), (*(_median(c, variable) for c in columns), *blank), depth)
        case Kind.CLASSES:
            yield Line(f"{name}, n (%)", (*("" for _column in columns), *tail))
    for level in variable.levels:
        yield Line(level.label, (*(_share(c, level.name) for c in columns), *blank), depth)
    missing = missing_name(variable)
    if variable.may_miss and not _nobody(columns, missing):
        yield Line(_("not recorded"), (*(_share(c, missing) for c in columns), *blank), depth)


def _nobody(columns: Sequence[Column], measure: str) -> bool:
    """Whether the line is known to count nobody at all: then nobody of any group."""
    counted = columns[0].numbers.get(measure)
    return counted is not None and counted.value == 0


# -- cells --------------------------------------------------------------------------------------------------


def _count(column: Column, measure: str) -> str:
    return _text(column.numbers.get(measure), 0)


def _share(column: Column, measure: str) -> str:
    """n (%); the mark alone where the count is withheld."""
    counted = column.numbers.get(measure)
    if counted is None or counted.value is None:
        return MARK
    percent = column.of(questions.Entry(None, "", Statistic.PERCENT, measure))
    return f"{_text(counted, 0)} ({decimal(percent.value, 1) if percent.value is not None else MARK})"


def _mean(column: Column, variable: Variable, spread: bool) -> str:
    mean, sd = (column.numbers.get(f"{variable.name}_{each}") for each in ("mean", "sd"))
    if mean is None or mean.value is None:
        return MARK
    if not spread:
        return _text(mean, _digits(mean.value))
    digits = _digits(mean.value if sd is None or sd.value is None else sd.value)
    return f"{_text(mean, digits)} ± {_plain(sd, digits)}"


def _median(column: Column, variable: Variable) -> str:
    median, low, high = (column.numbers.get(f"{variable.name}_{each}") for each in ("median", "q1", "q3"))
    if median is None or median.value is None:
        return MARK
    return f"{_text(median, 1)} [{_plain(low, 1)} – {_plain(high, 1)}]"


def _text(number: Number | None, digits: int) -> str:
    if number is None or number.value is None:
        return MARK
    shown = decimal(number.value, digits)
    return f"{SNAPPED} {shown}" if number.earlier else shown


def _plain(number: Number | None, digits: int) -> str:
    return MARK if number is None or number.value is None else decimal(number.value, digits)


def _difference(value: float) -> str:
    import pandas as pd

    return MARK if pd.isna(value) else decimal(float(value), 2)


def _digits(scale: float) -> int:
    """Decimals that suit a number of this size: one from 1 on, one more for each tenth."""
    size = abs(scale)
    return 1 if size >= 1 or size == 0 else 2 if size >= 0.1 else 3


def decimal(value: float, digits: int) -> str:
    """`value` with that many decimals, as the person's language writes it."""
    if digits == 0:
        return number(round(value))
    shown = f"{value:.{digits}f}"
    return shown if language() is Language.ENGLISH else shown.replace(".", ",")


def _means_lost(table: TableOne) -> Iterator[str]:
    """What to do where a publication holds no mean of what nearly everybody has."""
    means = [entry for entry in table.entries if entry.statistic is Statistic.MEAN]
    if table.tables and any(not table.columns[0].of(entry).known for entry in means):
        yield _("A mean that nearly everybody has: publish(…, known=[…]) tells it of those who have it.")


# -- below the table ----------------------------------------------------------------------------------------


def _notes(table: TableOne, compared: bool) -> Iterator[str]:
    yield _("Percentages are of all patients of the column; “{missing}” is a class of its own.").format(
        missing=_("not recorded")
    )
    if table.tables and table.known:
        yield _known(table)
    if compared:
        yield _(
            "SMD: standardised mean difference between the two groups (Austin 2009; classes: Yang & Dalton "
            "2012), of those known. Over 0.1, the groups differ."
        )
    if table.disclosure is not None and table.kept < 1:
        yield legend(table.disclosure)
    if any(column.of(entry).earlier for column in table.columns for entry in table.entries):
        yield f"{SNAPPED} " + _("rounded to an earlier answer")
    if table.disclosure is not None:
        yield from accuracy(table.disclosure, fractions=True)
    yield from _origin(table)


def _known(table: TableOne) -> str:
    """Of whom the whole table is."""
    if table.known == ("age",):
        return _("Patients whose age is known.")
    labels = {variable.name: variable.label for variable in table.variables}
    names = ", ".join(labels.get(name, name) for name in table.known)
    return _("Patients of whom is known: {names}.").format(names=names)


def _origin(table: TableOne) -> Iterator[str]:
    """Which signed table each line comes from; for a draft, which data."""
    for variable, why in table.unpublished.items():
        yield _("Not published: {variable}. {why}").format(variable=variable, why=why.splitlines()[0])
    for place, signed in enumerate(table.tables, start=1):
        names = [c.name for c in signed.statement.columns if c.protected and table.sources[c.name] is signed]
        told = ", ".join(names)
        yield _("Signed table {place} ({measures}): {origin}").format(
            place=place, measures=told, origin=provenance(signed)
        )
    if not table.tables and table.disclosure is not None:
        yield _("Project {project}, snapshot {snapshot}.").format(
            project=table.disclosure.project, snapshot=table.disclosure.snapshot
        )
