"""All that is checked of one table, and its preview. What other checkers (HTML, notebooks) call.

found = table_found(grid_of(header, rows), order)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hub_config.airlock.checks.inside.disclosure.behind import check_behind
from hub_config.airlock.checks.inside.disclosure.counts import (
    check_complements,
    check_counts,
    check_shares,
    check_steps,
)
from hub_config.airlock.checks.inside.disclosure.extremes import check_extremes, check_models
from hub_config.airlock.checks.inside.disclosure.grid import Grid
from hub_config.airlock.checks.inside.disclosure.marks import Marks
from hub_config.airlock.checks.inside.disclosure.patterns import counted, personal, titled_name
from hub_config.airlock.checks.inside.disclosure.persons import check_persons
from hub_config.airlock.checks.inside.disclosure.remainders import check_remainders
from hub_config.airlock.checks.inside.disclosure.roles import roles_of
from hub_config.airlock.checks.inside.disclosure.rounding import declared_rounding
from hub_config.airlock.checks.inside.disclosure.totals import check_totals
from hub_config.airlock.checks.inside.disclosure.unread import check_unread
from hub_config.airlock.checks.inside.found import MOST_CANDIDATES, Found, Notes, Order
from hub_config.airlock.checks.inside.numbers import long_numbers
from hub_config.airlock.checks.inside.preview import (
    COLUMNS_SHOWN,
    ROWS_SHOWN,
    Highlight,
    TableBlock,
    disguises,
    table_block,
)
from hub_config.governance.releases.coded import is_coded
from hub_config.governance.releases.findings import Rule, Severity

_SENTENCE = 3
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def table_found(grid: Grid, order: Order, *, total_rows: int | None = None) -> Found:
    """Findings, one table block, candidates. `total_rows`: of the file, where `grid` holds its beginning."""
    notes = Notes()
    marks = Marks(grid, order.context, notes, rounding=order.context.rounding or _rounding_told(grid))
    check_size(len(grid.rows) if total_rows is None else total_rows, grid.width, order, marks)
    if grid.rows:
        roles = roles_of(grid)
        for check in (check_counts, check_complements, check_steps, check_shares, check_totals):
            check(grid, roles, marks)
        check_remainders(grid, roles, marks)
        check_behind(grid, roles, marks)
        check_unread(grid, roles, marks)
        check_persons(grid, roles, marks)
        check_extremes(grid, roles, marks)
        check_models(grid, roles, marks)
    check_texts(grid, order, marks)
    block = _preview(grid, marks.highlights, total_rows)
    _tell_what_is_left_out(grid, block, marks)
    return Found(notes.findings(), (block,), _candidates(grid, marks))


def check_size(rows: int, columns: int, order: Order, marks: Marks) -> None:
    sizes = order.sizes
    checked = len(marks.grid.rows)
    if rows > sizes.rows or rows > checked:
        limit = min(sizes.rows, max(checked, 1)) if rows > checked else sizes.rows
        marks.add(Rule.TOO_MANY_ROWS, Severity.BLOCKING, None, None, rows=rows, limit=limit)
    if columns > sizes.columns:
        marks.add(Rule.TOO_MANY_COLUMNS, Severity.BLOCKING, None, None, columns=columns, limit=sizes.columns)


def check_texts(grid: Grid, order: Order, marks: Marks) -> None:
    """Every header and cell: personal data, formulas, disguised characters, giants."""
    _check_text(grid.title, None, None, order, marks)
    for at, text in enumerate(grid.header):
        _check_text(text, -1, at, order, marks)
    for row, cells in enumerate(grid.rows):
        for at, cell in enumerate(cells):
            if cell.number is None or len(cell.text) > 8 or not cell.text.isascii():
                _check_text(cell.text, row, at, order, marks, number=cell.number is not None)


def _check_text(
    text: str, row: int | None, at: int | None, order: Order, marks: Marks, *, number: bool = False
) -> None:
    if not text:
        return
    if len(text) > order.sizes.cell_characters:
        marks.add(Rule.GIANT_CELL, Severity.BLOCKING, row, at, limit=order.sizes.cell_characters)
        text = text[: order.sizes.cell_characters]
    if not number and is_read_as_formula(text):
        marks.add(Rule.CELL_READ_AS_FORMULA, Severity.BLOCKING, row, at)
    if row != -1 and text.count(" ") >= _SENTENCE and any(map(marks.small, counted(text))):
        marks.add(Rule.SMALL_COUNT, Severity.BLOCKING, row, at)
    for word in personal(text):
        marks.add(Rule.PERSONAL_PATTERN, Severity.BLOCKING, row, at, word=word)
    if titled_name(text):
        marks.add(Rule.PERSONAL_PATTERN, Severity.WARNING, row, at, word="name")
    if is_coded(text):
        what = "text that nobody can read"
        marks.add(Rule.HIDDEN_CONTENT, Severity.BLOCKING, row, at, what=what)
    if disguises(text, allowed="\n\r\t"):
        marks.add(Rule.DISGUISED_CHARACTERS, Severity.BLOCKING, row, at)


def is_read_as_formula(text: str) -> bool:
    """A text, not a number nor a lone sign, that a spreadsheet would run."""
    return (
        text.startswith(_FORMULA_SIGNS)
        and len(text.strip("+-=@ \t\r")) > 1
        and text[1:2] not in (" ", "-", "+")
        and not _LOGARITHM.fullmatch(text)
    )


_LOGARITHM = re.compile(r"-\s?(2\s?)?(log|log2|log10|ln|ll)\s?(\(\w{1,20}\))?", re.I)
"""`-log2(p)`, `-2LL`: what statistics write, and no spreadsheet can fetch or run anything by it."""


def _rounding_told(grid: Grid) -> int | None:
    return declared_rounding(" \n".join((grid.title, *grid.header)))


def _preview(grid: Grid, highlights: Sequence[Highlight], total_rows: int | None) -> TableBlock:
    return table_block(
        grid.title,
        grid.header,
        [[cell.text for cell in row[:COLUMNS_SHOWN]] for row in grid.rows[:ROWS_SHOWN]],
        highlights=highlights,
        total_rows=len(grid.rows) if total_rows is None else total_rows,
        total_columns=grid.width,
        sheet=grid.sheet,
        first_row=grid.first_row,
    )


def _tell_what_is_left_out(grid: Grid, block: TableBlock, marks: Marks) -> None:
    for unit, shown, total in (
        ("rows", len(block.rows), block.total_rows),
        ("columns", len(block.header), block.total_columns),
    ):
        if shown < total:
            marks.add(Rule.NOT_ALL_SHOWN, Severity.NOTE, None, None, shown=shown, total=total, unit=unit)


def _candidates(grid: Grid, marks: Marks) -> tuple[int, ...]:
    rows: Iterable[Sequence[str]] = ([cell.text for cell in row] for row in grid.rows)
    text = "\n".join(("\n".join(grid.header), *("\n".join(row) for row in rows), grid.title))
    return candidates_of(text, marks.notes)


def candidates_of(text: str, notes: Notes) -> tuple[int, ...]:
    """Long numbers that may be pseudonyms, told when there are too many to search for."""
    found = sorted(long_numbers(text))
    if len(found) > MOST_CANDIDATES:
        notes.add(Rule.TOO_MANY_LONG_INTEGERS, Severity.BLOCKING)
    return tuple(found[:MOST_CANDIDATES])
