"""A result as an Excel workbook: the table as it is shown, and its numbers one a row on a second sheet.

Texts stay texts: nothing that begins with `=` runs. The same result gives the same bytes.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p4dp_sdk.cohorts.results.sheet import Sheet
from p4dp_sdk.cohorts.results.word import EPOCH, undated, written
from p4dp_sdk.figures.words import MARK
from p4dp_sdk.locale import translate as _

if TYPE_CHECKING:
    import pandas as pd

_WIDEST = 60


def write_workbook(sheet: Sheet, frame: pd.DataFrame, path: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    _shown(book.active, sheet)
    _numbers(book.create_sheet(_("Numbers")), frame)
    path.write_bytes(undated(_saved(book, sheet.title)))
    return path


def _saved(book: Any, title: str) -> bytes:
    """The workbook's bytes. openpyxl dates what it saves: the date is put back."""
    from datetime import datetime

    from openpyxl.packaging.core import DocumentProperties
    from openpyxl.writer.excel import ExcelWriter

    day = datetime(*EPOCH)
    book.properties = DocumentProperties(creator="P4DP", title=written(title), created=day, modified=day)
    held = BytesIO()
    import zipfile

    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        writer = ExcelWriter(book, archive)
        writer.save()
    return held.getvalue()


def _shown(page: Any, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font

    page.title = _("Table")
    _put(page, 1, 1, sheet.title).font = Font(bold=True, size=13)
    for at, header in enumerate(sheet.headers, start=1):
        _put(page, 3, at, header).font = Font(bold=True)
    for row, line in enumerate(sheet.lines, start=4):
        _put(page, row, 1, line.label).alignment = Alignment(indent=line.depth)
        for at, text in enumerate(line.cells, start=2):
            _put(page, row, at, text)
    for row, note in enumerate(sheet.notes, start=5 + len(sheet.lines)):
        _put(page, row, 1, note.replace("`", "")).font = Font(italic=True, color="555555")
    page.freeze_panes = "B4"
    _widen(page, sheet)


def _numbers(page: Any, frame: pd.DataFrame) -> None:
    import pandas as pd

    for at, name in enumerate(frame.columns, start=1):
        _put(page, 1, at, str(name))
        for row, value in enumerate(frame[name], start=2):
            _put(page, row, at, MARK if pd.isna(value) else value)
    page.freeze_panes = "A2"


def _put(page: Any, row: int, column: int, value: Any) -> Any:
    from openpyxl.cell.cell import TYPE_STRING

    cell = page.cell(row, column)
    if isinstance(value, str):
        cell.value = written(value)
        cell.data_type = TYPE_STRING
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
    else:
        cell.value = value
    return cell


def _widen(page: Any, sheet: Sheet) -> None:
    from openpyxl.utils import get_column_letter

    rows = [sheet.headers, *((line.indented, *line.cells) for line in sheet.lines)]
    for at in range(len(sheet.headers)):
        longest = max(len(row[at]) for row in rows)
        page.column_dimensions[get_column_letter(at + 1)].width = min(longest + 3, _WIDEST)
