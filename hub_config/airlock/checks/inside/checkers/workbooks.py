"""A workbook written anew from the values of its cells: what leaves in place of a requester's own.

Every sheet is visible, every cell in black on white, every column wide enough to be read. A value comes with
the way its number is usually shown, where that is one of a few; a date always as a date. Nothing else of the
first workbook is in it: no formula, name, remark, rule, theme, property or part that no sheet shows, and
nothing between the parts. The same values give the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from hub_config.airlock.checks.inside.found import CannotRead
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.inside.zipped import entries_of, zipped

LARGEST: Final = 24 * 2**20
_MOST_MERGED: Final = 2_000
_WIDTHS: Final = (10, 16, 28, 48)
_LONGEST_TITLE: Final = 31
_NOT_IN_TITLES: Final = re.compile(r"[\\*?:/\[\]\x00-\x1f]")
_SHOWN_AS: Final = frozenset(
    {"0", "0.0", "0.00", "0.000", "0.0000", "#,##0", "#,##0.0", "#,##0.00", "0%", "0.0%", "0.00%", "0.00E+00"}
)
_DAY, _MOMENT, _TIME, _HOURS = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss", "[hh]:mm:ss"
_ABOUT: Final = "docProps/core.xml"
_PROPERTIES: Final = (
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>P4DP</dc:creator></cp:coreProperties>'
)


def workbook_of(sheets: Sequence[Any]) -> bytes:
    """Of openpyxl's sheets, read with values in place of formulas; empty ones are left out.
    Raises CannotRead."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for sheet in [each for each in sheets if any(_filled(each))] or sheets[:1]:
        _write(sheet, book.create_sheet(_title(sheet.title)))
    content = zipped({**entries_of(_saved(book), 2**30), _ABOUT: _PROPERTIES})
    if len(content) > LARGEST:
        raise CannotRead(Reason.TOO_LARGE)
    return content


def _saved(book: Any) -> bytes:
    """As openpyxl saves it, but without files: the box has none."""
    from openpyxl.worksheet._writer import WorksheetWriter
    from openpyxl.writer.excel import ExcelWriter

    class InMemory(ExcelWriter):  # type: ignore[misc]  # openpyxl has no types
        def write_worksheet(self, ws: Any) -> None:
            writer = WorksheetWriter(ws, io.BytesIO())
            writer.write()
            ws._drawing, ws._rels = None, writer._rels
            self._archive.writestr(ws.path[1:], writer.out.getvalue())
            self.manifest.append(ws)

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        InMemory(book, archive).write_data()
    return out.getvalue()


def _filled(sheet: Any) -> Iterator[Any]:
    return (cell for row in sheet.iter_rows() for cell in row if cell.value not in (None, ""))


def _title(title: str) -> str:
    return _NOT_IN_TITLES.sub("_", title)[:_LONGEST_TITLE].strip("' ") or "Sheet"


def _write(sheet: Any, anew: Any) -> None:
    from openpyxl.utils import get_column_letter

    longest: dict[int, int] = {}
    for cell in _filled(sheet):
        _put(cell, anew.cell(cell.row, cell.column))
        longest[cell.column] = max(longest.get(cell.column, 0), len(str(cell.value)))
    for column, length in sorted(longest.items()):
        anew.column_dimensions[get_column_letter(column)].width = _width(length)
    for area in _merged(sheet.merged_cells.ranges):
        if anew.cell(area.min_row, area.min_col).value is not None:
            anew.merge_cells(area.coord)


def _width(length: int) -> int:
    return next((width for width in _WIDTHS if length + 2 <= width), _WIDTHS[-1])


def _merged(areas: Iterable[Any]) -> list[Any]:
    listed = sorted(areas, key=lambda area: (area.min_row, area.min_col, area.max_row, area.max_col))
    return listed if len(listed) <= _MOST_MERGED else []


def _put(cell: Any, anew: Any) -> None:
    """The value, of the type it has. Not by openpyxl's guess: a text that begins with `=` stays one, and a
    number keeps all its digits."""
    value = cell.value
    match value:
        case bool():
            anew.value = value
        case int() | float():
            _put_number(value, anew, cell.number_format)
        case datetime() | date():
            anew.value = value
            anew.number_format = _DAY if _is_day(value) else _MOMENT
        case time():
            anew.value, anew.number_format = value, _TIME
        case timedelta():
            anew.value, anew.number_format = value, _HOURS
        case str():
            _put_text(value, anew, is_error=cell.data_type == "e")
        case _:
            raise CannotRead(Reason.DAMAGED)


def _put_number(value: float, anew: Any, shown_as: str) -> None:
    if not math.isfinite(value):
        raise CannotRead(Reason.DAMAGED)
    anew._value, anew.data_type = repr(value), "n"  # openpyxl itself would write 16 digits of 17
    if shown_as in _SHOWN_AS:
        anew.number_format = shown_as


def _put_text(value: str, anew: Any, *, is_error: bool) -> None:
    from openpyxl.cell.cell import ERROR_CODES

    anew.value = value.replace("\r\n", "\n").replace("\r", "\n")
    anew.data_type = "e" if is_error and value in ERROR_CODES else "s"


def _is_day(value: date) -> bool:
    return not isinstance(value, datetime) or value.time() == time()
