"""Publication tables as Excel workbooks: the table with its legend, its record, and (hidden) the signed
document. Texts are written as texts: nothing in them runs."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import NotGenuineError
from p4dp_sdk.figures.words import MARK
from p4dp_sdk.locale import translate as _
from p4dp_sdk.tables.safe_remarks import record_lines, remarks_on
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.publication import Cell, Column, Document, Statement

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from p4dp_sdk.tables.safe import SafeTable

_SIGNED = "p4dp"  # the hidden sheet
_PIECE = 30_000  # Excel keeps up to 32,767 characters a cell
_HEADER_ROW = 3
_WIDEST = 60


def write_excel(table: SafeTable, path: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.creator = "P4DP"
    book.properties.title = table.title
    book.properties.created = datetime.fromisoformat(table.statement.date).replace(tzinfo=None)
    _write_table(_sheet(book, _("Table")), table)
    _write_record(_sheet(book, _("Record")), table)
    _write_signed(_sheet(book, _SIGNED), table.document)
    book.remove(book.worksheets[0])
    book.save(path)
    return path


def read_excel(path: Path) -> bytes:
    """The signed document of a workbook, if its first sheet still shows it. Raises NotGenuineError."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path)
        signed = book[_SIGNED]
    except (InvalidFileException, zipfile.BadZipFile, OSError, KeyError, ValueError):
        raise NotGenuineError(N_("the file carries no signed document")) from None
    content = "".join(str(row[0].value or "") for row in signed.iter_rows(max_col=1)).encode()
    statement = Document.from_json(content).statement
    if _shown(book.worksheets[0], statement) != [list(row) for row in _expected(statement)]:
        raise NotGenuineError(N_("the numbers of the file are no longer those that were signed"))
    return content


def _sheet(book: Workbook, name: str) -> Worksheet:
    sheet: Worksheet = book.create_sheet(name)
    return sheet


def _write_table(sheet: Worksheet, table: SafeTable) -> None:
    from openpyxl.styles import Font

    statement, bold = table.statement, Font(bold=True)
    _put(sheet, 1, 1, table.title).font = Font(bold=True, size=13)
    for at, column in enumerate(statement.columns, start=1):
        _put(sheet, _HEADER_ROW, at, column.name).font = bold
    for number, row in enumerate(_expected(statement), start=_HEADER_ROW + 1):
        for at, value in enumerate(row, start=1):
            _put(sheet, number, at, value)
    below = _HEADER_ROW + len(statement.rows) + 1
    if statement.total is not None:
        for at, value in enumerate(_total(table), start=1):
            _put(sheet, below, at, value).font = bold
        below += 1
    for number, line in enumerate(remarks_on(table), start=below + 1):
        _put(sheet, number, 1, line.replace("`", "")).font = Font(italic=True, color="555555")
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    _widen(sheet, statement)


def _expected(statement: Statement) -> list[list[Cell]]:
    return [
        [_cell(value, column) for value, column in zip(row, statement.columns, strict=True)]
        for row in statement.rows
    ]


def _shown(sheet: Worksheet, statement: Statement) -> list[list[Any]]:
    first, last = _HEADER_ROW + 1, _HEADER_ROW + len(statement.rows)
    if last < first:
        return []
    names = [cell.value for cell in sheet[_HEADER_ROW][: len(statement.columns)]]
    if names != [column.name for column in statement.columns]:
        return [names]
    rows = sheet.iter_rows(first, last, max_col=len(statement.columns), values_only=True)
    return [list(row) for row in rows]


def _cell(value: Cell, column: Column) -> Cell:
    return MARK if value is None and column.protected else value


def _total(table: SafeTable) -> list[Cell]:
    statement = table.statement
    cells = [_cell(v, c) for v, c in zip(statement.total or (), statement.columns, strict=True)]
    first = next((at for at, column in enumerate(statement.columns) if not column.protected), None)
    if first is not None:
        cells[first] = _("Total")
    return cells


def _write_record(sheet: Worksheet, table: SafeTable) -> None:
    from openpyxl.styles import Alignment, Font

    for number, (name, value) in enumerate(record_lines(table), start=1):
        _put(sheet, number, 1, name).font = Font(bold=True)
        _put(sheet, number, 2, value[:_PIECE]).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 100


def _write_signed(sheet: Worksheet, document: Document) -> None:
    text = document.to_json().decode("ascii")
    for number, start in enumerate(range(0, len(text), _PIECE), start=1):
        _put(sheet, number, 1, text[start : start + _PIECE])
    sheet.sheet_state = "hidden"


def _put(sheet: Worksheet, row: int, column: int, value: Cell) -> Any:
    """A cell; a text stays a text, whatever it begins with, also when somebody edits it."""
    from openpyxl.cell.cell import TYPE_STRING

    cell: Any = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = TYPE_STRING
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
    return cell


def _widen(sheet: Worksheet, statement: Statement) -> None:
    from openpyxl.utils import get_column_letter

    for at, column in enumerate(statement.columns):
        longest = max([len(column.name), *(len(str(row[at])) for row in statement.rows)])
        sheet.column_dimensions[get_column_letter(at + 1)].width = min(longest + 3, _WIDEST)
