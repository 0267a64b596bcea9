"""Publication tables as files, and back. Every form carries the signed document; what a file shows is made
from it, so a reader can tell whether the file still shows what was signed.

CSV is written for a French spreadsheet, which opens it cleanly by a double click: UTF-8 with a byte-order
mark, `;` between cells, decimal comma, CRLF. The document stands beside it (`table.csv.json`), since a header
of comments would be read as cells. A label that a spreadsheet would run as a formula gets an apostrophe.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from p4dp_sdk.errors import NotGenuineError
from p4dp_sdk.figures.sheets import METADATA_KEY, arrow_of, csv_of, readable
from p4dp_sdk.wire.messages import N_
from p4dp_sdk.wire.publication import Document, NotGenuine

if TYPE_CHECKING:
    from p4dp_sdk.tables.safe import SafeTable

_RECORD_SUFFIX = ".json"
_CHANGED = N_("the numbers of the file are no longer those that were signed")


def read(path: Path) -> bytes:
    """The signed document of a file that was written here, if the file still shows it. Raises
    NotGenuineError."""
    try:
        match path.suffix.lower():
            case ".json":
                return path.read_bytes()
            case ".csv":
                return _read_csv(path)
            case ".xlsx":
                from p4dp_sdk.tables.excel import read_excel

                return read_excel(path)
            case ".arrow" | ".feather" | ".parquet":
                return _read_arrow(path)
            case _:
                raise NotGenuineError(N_("the file is of no kind that a publication table is saved as"))
    except NotGenuine as problem:
        raise NotGenuineError(str(problem)) from None


# --- CSV ---------------------------------------------------------------------------------------------------


def write_csv(table: SafeTable, path: Path) -> Path:
    path.write_bytes(csv_of(table.statement))
    _record_of(path).write_bytes(readable(table.document))
    return path


def _read_csv(path: Path) -> bytes:
    record = _record_of(path)
    if not record.exists():
        raise NotGenuineError(N_("its record (.csv.json) is not beside it"))
    content = record.read_bytes()
    if csv_of(Document.from_json(content).statement) != path.read_bytes():
        raise NotGenuineError(_CHANGED)
    return content


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + _RECORD_SUFFIX)


# --- Arrow and Parquet -------------------------------------------------------------------------------------


def write_arrow(table: SafeTable, path: Path) -> Path:
    from pyarrow import feather

    feather.write_feather(arrow_of(table.document), str(path), compression="uncompressed")
    return path


def write_parquet(table: SafeTable, path: Path) -> Path:
    from pyarrow import parquet

    parquet.write_table(arrow_of(table.document), str(path))
    return path


def _read_arrow(path: Path) -> bytes:
    import pyarrow as pa
    from pyarrow import feather, parquet

    reader: Any = parquet.read_table if path.suffix.lower() == ".parquet" else feather.read_table
    try:
        found = reader(str(path))
    except (pa.ArrowException, OSError):
        raise NotGenuineError(N_("the file can't be read")) from None
    content = (found.schema.metadata or {}).get(METADATA_KEY)
    if content is None:
        raise NotGenuineError(N_("the file carries no signed document"))
    if not found.equals(arrow_of(Document.from_json(content))):
        raise NotGenuineError(_CHANGED)
    return bytes(content)
