"""XLSX: every part of the package is accounted for, every sheet checked as a table, hidden ones too.

The package's bounds and XML entities are looked at before openpyxl sees it. What leaves is the workbook that
`workbooks` writes anew of the values checked here; where none can be written, the file is put aside.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.delimited import rows_found
from hub_config.airlock.checks.inside.checkers.parquet import cell_of
from hub_config.airlock.checks.inside.checkers.workbooks import workbook_of
from hub_config.airlock.checks.inside.disclosure.patterns import personal, titled_name
from hub_config.airlock.checks.inside.disclosure.tables import candidates_of
from hub_config.airlock.checks.inside.found import CannotRead, Found, Notes, Order
from hub_config.airlock.checks.inside.preview import SHEETS_SHOWN
from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.inside.zipped import entries_of, outside_entries, refuse_entities
from hub_config.governance.releases.findings import Place, Rule, Severity

_BLOCKING: Final = Severity.BLOCKING
_MOST_CELLS: Final = 300_000
_MOST_PLACES: Final = 2_000_000
_CELL: Final = re.compile(rb"<(?:\w+:)?c[ />]")
_PARTS: Final = (
    (re.compile(r"vbaProject|macrosheets|activeX|\.bin$(?<!printerSettings\d\.bin)"), Rule.MACRO, "macro"),
    (re.compile(r"externalLinks/|connections\.xml|queryTables/|/webPublish"), Rule.EXTERNAL_LINK, "link"),
    (re.compile(r"comments|threadedComments|persons/"), Rule.COMMENT, "comment"),
    (re.compile(r"pivot"), Rule.EMBEDDED_OBJECT, "pivot table"),
    (re.compile(r"charts/"), Rule.EMBEDDED_OBJECT, "chart"),
    (re.compile(r"media/"), Rule.EMBEDDED_OBJECT, "picture"),
    (re.compile(r"docProps/thumbnail"), Rule.EMBEDDED_OBJECT, "thumbnail"),
    (re.compile(r"ctrlProps|slicer"), Rule.EMBEDDED_OBJECT, "form control"),
    (re.compile(r"customXml|docProps/custom|customProperty|model/"), Rule.EMBEDDED_OBJECT, "custom data"),
)
_HARMLESS: Final = re.compile(
    r"\[Content_Types\]\.xml|(.*/)?_rels/[^/]*\.rels|docProps/(app|core)\.xml|"
    r"xl/(workbook|styles|sharedStrings|calcChain|metadata)\.xml|xl/theme/theme\d*\.xml|"
    r"xl/worksheets/sheet\d*\.xml|xl/(worksheets/)?tables/table\d*\.xml|xl/tables/table\d*\.xml|"
    r"xl/printerSettings/printerSettings\d+\.bin|xl/drawings/(vmlD|d)rawing\d*\.(xml|vml)|.*/"
)
_SHORT_MARK: Final = re.compile(r"""<[^<>"'0-9]*+(?:(?:"[^"<>]{0,10}+"|'[^'<>]{0,10}+')[^<>"'0-9]*+)*+>""")
_PROPERTIES: Final = re.compile(
    rb"<(?:\w+:)?(creator|lastModifiedBy|title|subject|description|keywords|category|Company|Manager)"
    rb"(?: [^>]{0,500})?>([^<]+)<"
)
_MAKERS: Final = frozenset({b"openpyxl", b"XlsxWriter", b"Microsoft Excel", b"P4DP", b""})
_WORD_OF_PROPERTY: Final = {
    "creator": "author", "lastModifiedBy": "author", "Manager": "author", "Company": "company",
    "title": "title", "keywords": "keywords",
}  # fmt: skip
_INVISIBLE: Final = ";;;"
_BUILT_IN_NAMES: Final = ("_xlnm.Print_Area", "_xlnm.Print_Titles", "_xlnm._FilterDatabase")


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    parts = entries_of(content, order.sizes.unpacked_bytes)
    for name, part in parts.items():
        if name.endswith((".xml", ".rels", ".vml")):
            refuse_entities(part)
    if sum(len(_CELL.findall(part)) for name, part in parts.items() if "/worksheets/" in name) > _MOST_CELLS:
        raise CannotRead(Reason.TOO_LARGE)
    beside = outside_entries(content)
    if beside:
        notes.add(Rule.TRAILING_BYTES, _BLOCKING)
    _tell_parts(parts, notes)
    _tell_properties(parts, notes)
    found = _workbook_found(content, order, notes)
    everything = "\n".join(map(_searched, (*parts.values(), beside)))
    candidates = {*found.candidates, *candidates_of(everything, notes)}
    return replace(found, findings=notes.findings() + found.findings, candidates=tuple(sorted(candidates)))


def _tell_parts(parts: Mapping[str, bytes], notes: Notes) -> None:
    """Each part that is no sheet, style or text."""
    told: set[tuple[Rule, str]] = set()
    for name, part in parts.items():
        if _HARMLESS.fullmatch(name) and not name.endswith(".vml"):
            continue
        rule, what = next(
            ((rule, what) for pattern, rule, what in _PARTS if pattern.search(name)),
            (Rule.EMBEDDED_OBJECT, "drawing" if "drawing" in name.lower() else "other file"),
        )
        if "vmlDrawing" in name and b'ClientData ObjectType="Note"' in part:
            continue
        if (rule, what) not in told:
            told.add((rule, what))
            notes.add(rule, _BLOCKING, None, what=what)
    targets = b"".join(part for name, part in parts.items() if name.endswith(".rels"))
    if b'TargetMode="External"' in targets and (Rule.EXTERNAL_LINK, "link") not in told:
        notes.add(Rule.EXTERNAL_LINK, _BLOCKING)


def _tell_properties(parts: Mapping[str, bytes], notes: Notes) -> None:
    about = parts.get("docProps/core.xml", b"") + parts.get("docProps/app.xml", b"")
    told = {
        _WORD_OF_PROPERTY.get(key.decode(), "title")
        for key, value in _PROPERTIES.findall(about)
        if value.strip() not in _MAKERS
    }
    for what in sorted(told):
        notes.add(Rule.DOCUMENT_METADATA, Severity.WARNING, None, what=what)


def _searched(part: bytes) -> str:
    """All of a part, marks and remarks too: but for marks without a long attribute, of which a sheet has
    most, and for the zeros between the letters of a printer's settings."""
    text = part.replace(b"\x00", b"").decode("utf-8", "replace")
    return html.unescape(_SHORT_MARK.sub("\n", text))


def _workbook_found(content: bytes, order: Order, notes: Notes) -> Found:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
        sheets = book.worksheets
        if len(sheets) > order.sizes.sheets or any(map(_is_vast, sheets)):
            raise CannotRead(Reason.TOO_MUCH)
        values = _cached(content, openpyxl) if any(_has_formulas(sheet) for sheet in sheets) else book
        _tell_names(book, notes)
        anew = workbook_of(values.worksheets)
    except CannotRead:
        raise
    except Exception:  # openpyxl raises what it happens upon; the file is one no program of ours has written
        raise CannotRead(Reason.DAMAGED) from None
    found = Found()
    for number, sheet in enumerate(sheets, 1):
        _tell_hidden(sheet, number, notes)
        _tell_cells(sheet, number, notes)
        found += _sheet_found(values.worksheets[number - 1], number, order, notes)
    if len(sheets) > SHEETS_SHOWN:
        notes.add(Rule.NOT_ALL_SHOWN, Severity.NOTE, shown=SHEETS_SHOWN, total=len(sheets), unit="sheets")
    return replace(found, blocks=found.blocks[:SHEETS_SHOWN], anew=anew)


def _is_vast(sheet: Any) -> bool:
    """One cell far out makes a sheet of millions of empty ones."""
    return bool(sheet.max_row * sheet.max_column > _MOST_PLACES)


def _has_formulas(sheet: Any) -> bool:
    return any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def _cached(content: bytes, openpyxl: Any) -> Any:
    """The values that formulas last had."""
    return openpyxl.load_workbook(io.BytesIO(content), keep_links=False, data_only=True)


def _tell_names(book: Any, notes: Notes) -> None:
    named = [*book.defined_names, *(name for sheet in book.worksheets for name in sheet.defined_names)]
    if any(name not in _BUILT_IN_NAMES for name in named):
        notes.add(Rule.DEFINED_NAME, _BLOCKING)
    if getattr(book, "chartsheets", None):
        notes.add(Rule.EMBEDDED_OBJECT, _BLOCKING, what="chart")


def _tell_hidden(sheet: Any, number: int, notes: Notes) -> None:
    if sheet.sheet_state != "visible":
        notes.add(Rule.HIDDEN_CONTENT, _BLOCKING, Place(sheet=number), what="hidden sheet")
    for at, row in sheet.row_dimensions.items():
        if row.hidden or row.height == 0:
            notes.add(Rule.HIDDEN_CONTENT, _BLOCKING, Place(sheet=number, row=at), what="hidden row")
    for column in sheet.column_dimensions.values():
        if column.hidden or column.width == 0:
            notes.add(
                Rule.HIDDEN_CONTENT, _BLOCKING, Place(sheet=number, column=column.min), what="hidden column"
            )
    for text in _margins(sheet):
        notes.add(Rule.DOCUMENT_METADATA, Severity.WARNING, Place(sheet=number), what="header or footer")
        for word in personal(text):
            notes.add(Rule.PERSONAL_PATTERN, _BLOCKING, Place(sheet=number), word=word)


def _margins(sheet: Any) -> Iterator[str]:
    for band in (sheet.oddHeader, sheet.oddFooter, sheet.evenHeader, sheet.evenFooter, sheet.firstHeader):
        for part in (band.left, band.center, band.right):
            if part.text:
                yield str(part.text)


def _tell_cells(sheet: Any, number: int, notes: Notes) -> None:
    """Formulas, comments, links, and texts that their format hides."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is None and cell.comment is None:
                continue
            place = Place(sheet=number, row=cell.row, column=cell.column)
            if cell.data_type == "f":
                notes.add(Rule.FORMULA, _BLOCKING, place)
            if cell.comment is not None:
                _tell_comment(str(cell.comment.text), place, notes)
            if cell.hyperlink is not None:
                notes.add(Rule.EXTERNAL_LINK, _BLOCKING, place)
            if cell.has_style and _is_invisible(cell):
                notes.add(Rule.HIDDEN_CONTENT, _BLOCKING, place, what="hidden text")


def _tell_comment(text: str, place: Place, notes: Notes) -> None:
    notes.add(Rule.COMMENT, _BLOCKING, place)
    for word in (*personal(text), *(["name"] if titled_name(text) else [])):
        notes.add(Rule.PERSONAL_PATTERN, _BLOCKING, place, word=word)


def _is_invisible(cell: Any) -> bool:
    """Written in the colour of its ground, or with a format that prints nothing."""
    if cell.number_format == _INVISIBLE:
        return True
    ink = cell.font.color.rgb if cell.font and cell.font.color and cell.font.color.type == "rgb" else None
    filled = cell.fill is not None and cell.fill.fill_type == "solid"
    ground = cell.fill.fgColor.rgb if filled and cell.fill.fgColor.type == "rgb" else None
    if filled and ground is None:
        return False
    return isinstance(ink, str) and ink[-6:].upper() == (ground or "FFFFFFFF")[-6:].upper()


def _sheet_found(sheet: Any, number: int, order: Order, notes: Notes) -> Found:
    rows = [[_text_of(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        return Found()
    return rows_found(_narrowed(rows), order, notes, total_rows=len(rows), sheet=number, title=sheet.title)


def _narrowed(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Without the empty columns to the right."""
    width = max((at + 1 for row in rows for at, cell in enumerate(row) if cell), default=0)
    return [list(row[:width]) for row in rows]


def _text_of(value: Any) -> str:
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        value = value.date()
    return value.isoformat() if isinstance(value, (date, datetime)) else cell_of(value)
