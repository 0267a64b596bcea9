"""One CSV or CSV.gz file as Arrow batches of text, each row with its line. Reads; judges nothing but the
file's form.

A file that can't be read as a whole (missing, empty, truncated, wrongly encoded, without a column) is a
SourceProblem; a row with too many or too few fields is only noted. Nothing is guessed: no type, no
delimiter, no encoding.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.problems import WarehouseProblem

LINE: Final = "#line"  # no header can be called so by accident and be asked for: it is added after reading


class SourceProblem(WarehouseProblem):
    """A source file can't be loaded. The message names file and line, never what stands there."""


@dataclass
class TextRows:
    """The asked-for columns of a file as text, streamed. `ragged` fills with the lines left out, as they are
    met."""

    schema: Any
    batches: Iterator[Any]
    ragged: list[int] = field(default_factory=list)


@contextmanager
def open_rows(directory: Path, file: SourceFile, columns: Mapping[str, str]) -> Iterator[TextRows]:
    """The rows of `file`: `columns` (each with the mapping's key that asks for it) and the line.

    Raises SourceProblem, also while the batches are consumed.
    """
    path = directory / file.path
    _require_columns(path, file, columns)
    ragged: list[int] = []
    schema = pa.schema([(name, pa.string()) for name in columns] + [(LINE, pa.int64())])
    with _opened(path) as raw:
        with _explained(path):
            reader = _csv_reader(raw, path, file, list(columns), ragged)
        yield TextRows(schema, _with_lines(path, reader, schema, ragged), ragged)


def _require_columns(path: Path, file: SourceFile, columns: Mapping[str, str]) -> None:
    names = _header(path, file)
    if missing := [f"{name!r} (asked for by {key})" for name, key in columns.items() if name not in names]:
        raise SourceProblem(
            f"{path.name}, line 1: no column {', '.join(missing)}. It has: {', '.join(names)}."
        )
    if twice := {name for name in columns if names.count(name) > 1}:
        raise SourceProblem(
            f"{path.name}, line 1: more than one column is called {', '.join(sorted(twice))}."
        )


def _header(path: Path, file: SourceFile) -> list[str]:
    with _explained(path), _opened(path) as raw:
        return list(_csv_reader(raw, path, file, [], []).schema.names)


def _csv_reader(
    raw: BinaryIO, path: Path, file: SourceFile, columns: Sequence[str], ragged: list[int]
) -> Any:
    def note(row: Any) -> str:
        ragged.append(row.number)
        return "skip"

    text = io.BufferedReader(_Utf8(raw, path, file.encoding), buffer_size=1 << 20)
    return pacsv.open_csv(
        pa.PythonFile(text, mode="r"),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=1 << 22
        ),  # threads would lose row numbers
        parse_options=pacsv.ParseOptions(
            delimiter=file.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        ),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in columns},
            include_columns=list(columns),
            strings_can_be_null=False,
        ),
    )


def _with_lines(path: Path, reader: Any, schema: Any, ragged: list[int]) -> Iterator[Any]:
    """Number the rows as they stand in the file: the header is 1, rows left out count."""
    read = 0
    with _explained(path):
        for batch in reader:
            lines = _lines(np.arange(read, read + batch.num_rows, dtype=np.int64), ragged)
            read += batch.num_rows
            yield pa.record_batch([*batch.columns, pa.array(lines)], schema=schema)


def _lines(positions: np.ndarray[Any, Any], ragged: Sequence[int]) -> np.ndarray[Any, Any]:
    """The line of the k-th row kept: k, plus the header, plus the rows left out before it."""
    left_out = np.asarray(ragged, dtype=np.int64) - 2 - np.arange(len(ragged), dtype=np.int64)
    return positions + 2 + np.searchsorted(left_out, positions, side="right")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if not path.is_file():
        raise SourceProblem(
            f"{path.name} is not in {path.parent}. Check the directory and the mapping's `path`."
        )
    if path.stat().st_size == 0:
        raise SourceProblem(f"{path.name} is empty: not even a header. Ask for the export again.")
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as raw:
        yield raw  # type: ignore[misc]


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Failures of the file's form in words. Arrow's own messages may quote the row: they are never passed
    on."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SourceProblem(
            f"{path.name} is truncated or not gzip: copy it again; nothing was loaded."
        ) from None
    except pa.ArrowInvalid as error:
        why = (
            "is empty: not even a header"
            if "Empty CSV" in str(error)
            else "is not CSV as the mapping describes it"
        )
        raise SourceProblem(f"{path.name} {why}. Check its delimiter and quotes.") from None
    except OSError as error:
        raise SourceProblem(f"{path.name} can't be read: {error.strerror or 'input/output error'}.") from None


class _Utf8(io.RawIOBase):
    """The file's bytes as UTF-8, without a byte-order mark. A byte that its encoding doesn't allow names its
    line."""

    def __init__(self, raw: BinaryIO, path: Path, encoding: str) -> None:
        self._raw, self._path, self._encoding = raw, path, encoding
        self._decode = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)(
            errors="strict"
        )
        self._line, self._ready, self._ended = 1, b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            self._ready = self._next()
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _next(self) -> bytes:
        chunk = self._raw.read(1 << 20)
        self._ended = not chunk
        try:
            text = self._decode.decode(chunk, final=self._ended)
        except UnicodeDecodeError as error:
            raise self._badly_encoded(error) from None
        self._line += text.count("\n")
        return text.encode()

    def _badly_encoded(self, error: UnicodeDecodeError) -> SourceProblem:
        line = self._line + error.object[: error.start].count(b"\n")
        return SourceProblem(
            f"{self._path.name}, line {line}: not {self._encoding} text. "
            "Set the file's `encoding` in the mapping (utf-8, latin-1, cp1252)."
        )
