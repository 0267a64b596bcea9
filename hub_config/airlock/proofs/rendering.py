"""What leaves in place of a signed table or figure: made here, from the document and nothing else.

The form is the one that the file's name asks for. Figures are drawn in a process of their own, within limits
on time and memory. A form that bears no title (CSV, Arrow, Parquet, an untitled figure) holds no word of the
requester's.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.figures.sheets import arrow_of, csv_of, readable, written
from p4dp_sdk.figures.spec import Choice
from p4dp_sdk.wire.publication import Cell, Document, Statement

SECONDS: Final = 60
MOST_BYTES: Final = 16 * 1024**2
_CHECKOUT: Final = Path(__file__).parents[3]


class NotRendered(Exception):
    """The figure can't be drawn of this table, or not within the limits."""


@dataclass(frozen=True)
class Rendering:
    """A file made here. `titled`: it shows the table's title, which is the person's own words."""

    name: str
    content: bytes
    titled: bool


def render(name: str, proof: Proof) -> Rendering:
    """The table or figure in the form that `name` asks for; a CSV or PNG where it asks for none there is.
    Raises NotRendered."""
    stem, ending = _form(name, FIGURES if proof.spec else TABLES)
    if proof.spec is not None:
        titled = Choice.UNTITLED not in proof.spec.choices
        return Rendering(f"{stem}.{ending}", _drawn(proof, ending), titled)
    write, titled = TABLES[ending]
    return Rendering(f"{stem}.{ending}", write(proof.document), titled)


def _form(name: str, known: Mapping[str, object]) -> tuple[str, str]:
    """`table.csv.json` is the record of `table.csv`, and asks for that."""
    stem, _, ending = name.rpartition(".")
    inner, _, before = stem.rpartition(".")
    if ending.lower() == "json" and inner and before.lower() in known:
        return inner, before.lower()
    if stem and ending.lower() in known:
        return stem, ending.lower()
    return (stem or name or "table"), next(iter(known))


# --- tables ------------------------------------------------------------------------------------------------


def _csv(document: Document) -> bytes:
    return csv_of(document.statement)


def _parquet(document: Document) -> bytes:
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(arrow_of(document).replace_schema_metadata(None), file)
    return file.getvalue()


def _arrow(document: Document) -> bytes:
    from pyarrow import feather

    file = io.BytesIO()
    feather.write_feather(arrow_of(document).replace_schema_metadata(None), file, compression="uncompressed")
    return file.getvalue()


def _workbook(document: Document) -> bytes:
    """The table on one sheet; no record, no hidden sheet: what is seen is what there is."""
    from datetime import datetime

    from openpyxl import Workbook
    from openpyxl.cell.cell import TYPE_STRING

    statement = document.statement
    book = Workbook()
    book.properties.creator = "P4DP"
    book.properties.created = datetime.fromisoformat(statement.date).replace(tzinfo=None)
    sheet = book.worksheets[0]
    for number, row in enumerate(_cells(statement), start=1):
        for at, value in enumerate(row, start=1):
            cell = sheet.cell(number, at)
            cell.value = value
            if isinstance(value, str):
                cell.data_type, cell.quotePrefix = TYPE_STRING, value.startswith(("=", "+", "-", "@"))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cells(statement: Statement) -> Iterator[list[Cell]]:
    columns = statement.columns
    yield [column.name for column in columns]
    for row in statement.rows:
        yield [written(None, c) if v is None else v for v, c in zip(row, columns, strict=True)]


def _html(document: Document) -> bytes:
    """A page with one table and nothing that runs, fetches or links."""
    statement = document.statement
    columns = statement.columns
    head = "".join(f"<th>{escape(column.name)}</th>" for column in columns)
    rows = [
        "<tr>"
        + "".join(f"<td>{escape(written(v, c))}</td>" for v, c in zip(row, columns, strict=True))
        + "</tr>"
        for row in statement.rows
    ]
    title = escape(statement.title)
    return (
        f'<!doctype html>\n<html lang="fr"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><table>\n<caption>{title}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></body></html>\n"
    ).encode()


TABLES: Final[Mapping[str, tuple[Callable[[Document], bytes], bool]]] = {
    "csv": (_csv, False),
    "xlsx": (_workbook, False),
    "parquet": (_parquet, False),
    "arrow": (_arrow, False),
    "html": (_html, True),
    "json": (readable, True),
}


# --- figures -----------------------------------------------------------------------------------------------

FIGURES: Final[Mapping[str, None]] = {"png": None, "svg": None, "pdf": None}


def _drawn(proof: Proof, ending: str) -> bytes:
    """Drawn in a process of its own (`drawing_worker`)."""
    order = json.dumps({"format": ending, "proof": proof.content}).encode()
    environment = {"PATH": os.defpath, "PYTHONPATH": str(_CHECKOUT), "LANG": "C.UTF-8", "MPLBACKEND": "agg"}
    command = (sys.executable, "-P", "-m", "hub_config.airlock.proofs.drawing_worker")
    try:
        answer = subprocess.run(
            command, input=order, capture_output=True, timeout=SECONDS, env=environment, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        raise NotRendered from None
    if answer.returncode != 0 or not 0 < len(answer.stdout) <= MOST_BYTES:
        raise NotRendered
    return answer.stdout
