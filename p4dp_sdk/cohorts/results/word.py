"""A result as a Word document. The same sheet gives the same bytes: no author, no machine, no hour.

python-docx writes the text; texts are runs, so nothing in them is markup or a field.
"""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from p4dp_sdk.cohorts.results.sheet import Line, Sheet

EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first day that a zip archive knows
_LONG_AGO: Final = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_INDENT: Final = "\u2003"


def write_word(sheet: Sheet, path: Path) -> Path:
    from docx import Document

    document = Document()
    _describe(document.core_properties, sheet)
    document.add_paragraph().add_run(written(sheet.title)).bold = True
    _table(document, sheet)
    for note in sheet.notes:
        _small(document.add_paragraph(written(note.replace("`", ""))))
    held = BytesIO()
    document.save(held)
    path.write_bytes(undated(held.getvalue()))
    return path


def written(text: str) -> str:
    """`text` without the control characters that XML knows no way to write."""
    return "".join(sign for sign in text if sign in "\t\n" or (sign >= " " and _in_xml(sign)))


def _in_xml(sign: str) -> bool:
    return sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign >= "\U00010000"


def undated(archive: bytes) -> bytes:
    """The same zip archive, every member of it of one day."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(archive)) as old, zipfile.ZipFile(made, "w") as new:
        for name in sorted(old.namelist()):
            member = zipfile.ZipInfo(name, date_time=EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return made.getvalue()


def _describe(properties: Any, sheet: Sheet) -> None:
    properties.author = properties.last_modified_by = "P4DP"
    properties.title = written(sheet.title)[:255]
    properties.comments, properties.revision = "", 1
    properties.created = properties.modified = _LONG_AGO


def _table(document: Any, sheet: Sheet) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement

    table = document.add_table(rows=0, cols=len(sheet.headers))
    table.style = "Table Grid"
    for line in (Line(sheet.headers[0], sheet.headers[1:]), *sheet.lines):
        cells = table.add_row().cells
        cells[0].text = written(_INDENT * line.depth + line.label)
        for cell, text in zip(cells[1:], line.cells, strict=True):
            cell.text = written(text)
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
    head = table.rows[0]
    for cell in head.cells:
        for run in cell.paragraphs[0].runs:
            run.bold = True
    head._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # repeated on each page


def _small(paragraph: Any) -> None:
    from docx.shared import Pt

    for run in paragraph.runs:
        run.italic, run.font.size = True, Pt(9)
    paragraph.paragraph_format.space_after = Pt(2)
