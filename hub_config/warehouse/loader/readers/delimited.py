"""CSV by Arrow: the asked-for columns as text, each row with the line it starts on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.loader.readers.lines import Numbers, RecordLines
from hub_config.warehouse.loader.readers.nested import Piece
from hub_config.warehouse.loader.readers.problems import SourceProblem, at, near_name
from hub_config.warehouse.loader.readers.streams import Unpacked, unpacked
from hub_config.warehouse.loader.readers.text import Readable, Utf8

_EMPTY: Final = "{name} is empty: not even a header. Ask for the export again."
_LONGEST: Final = 1 << 22  # row
_DELIMITERS: Final = ",;\t|"


def csv_pieces(path: Path, file: SourceFile, kind: str, columns: Mapping[str, str]) -> Iterator[Piece]:
    """The rows, called `kind`. The header is read before the first is asked for."""
    _require_columns(path.name, _header(path, file), columns)
    return _pieces(path, file, kind, list(columns))


def _pieces(path: Path, file: SourceFile, kind: str, columns: Sequence[str]) -> Iterator[Piece]:
    with unpacked(path, file.limits) as source:
        reading = _Reading(path.name, source, file)
        with reading.explained():
            for batch in reading.rows(columns):
                rows, misfits = reading.numbers_of(batch.num_rows)
                left_out = reading.places(misfits, keep=True)
                lines = pa.array(reading.lines_of(rows))
                yield Piece(kind, batch.columns, lines, pa.array(rows - 1), left_out, source.position)
        none = pa.array([], pa.int64())
        yield Piece(
            kind, [pa.array([], pa.string())] * len(columns), none, none, reading.finish(), source.position
        )


def _header(path: Path, file: SourceFile) -> list[str]:
    """The first record alone."""
    with unpacked(path, file.limits) as source:
        text = Readable(Utf8(path.name, source, file.encoding).read, lambda _: None)
        lines = io.TextIOWrapper(io.BufferedReader(text), encoding="utf-8", newline="")
        try:
            names = next(csv.reader(lines, delimiter=file.delimiter), None)
        except csv.Error:
            raise at(path.name, 1, "not a header as the mapping describes it: check `delimiter`.") from None
        if names is None:
            raise SourceProblem(_EMPTY.format(name=path.name))
        return names


def _require_columns(name: str, names: Sequence[str], columns: Mapping[str, str]) -> None:
    missing = [column for column in columns if column not in names]
    if missing:
        asked = ", ".join(f"{column!r} (asked for by {columns[column]})" for column in missing)
        raise at(name, 1, f"no column {asked}.{_hint(names, columns, missing)}")
    if twice := {column for column in columns if list(names).count(column) > 1}:
        raise at(name, 1, f"more than one column is called {', '.join(sorted(twice))}.")


def _hint(names: Sequence[str], columns: Mapping[str, str], missing: Sequence[str]) -> str:
    """Names of the file are said only where they are near: without a header they would be a row's values."""
    for other in _DELIMITERS:
        if set(columns) <= set(_apart(names, other)):
            return f" All of them are there by `delimiter = {json.dumps(other)}`: say so in the mapping."
    near = {column: near_name(column, names) for column in missing}
    asked = "".join(f" Is {column!r} now called {name!r}?" for column, name in near.items() if name)
    if asked or len(missing) < len(columns):
        return f"{asked} Correct the mapping, or ask for the export again."
    return " None of the mapping's columns is there: has the file a header, and this `delimiter`?"


def _apart(names: Sequence[str], delimiter: str) -> list[str]:
    """The header's names, were this the delimiter."""
    (line,) = names if len(names) == 1 else ("",)
    return [name.strip().strip('"') for name in line.split(delimiter)]


class _Reading:
    """One pass over a file."""

    def __init__(self, name: str, source: Unpacked, file: SourceFile) -> None:
        self._name, self._file = name, file
        self._text = Utf8(name, source, file.encoding)
        self._lines = RecordLines(file.delimiter)
        self._misfits: list[int] = []  # numbers of ragged rows, the header being 1, not yet passed
        self._next, self._parsed = 2, 0

    def rows(self, columns: Sequence[str]) -> Iterator[Any]:
        """Each block is parsed as it is asked for: Arrow's reader of streams runs up to 32 blocks ahead."""
        parse = pacsv.ParseOptions(
            delimiter=self._file.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=self._note,
        )
        convert = pacsv.ConvertOptions(
            column_types={name: pa.string() for name in columns},
            include_columns=list(columns),
            strings_can_be_null=False,
        )
        for block in self._blocks():
            whole = pacsv.ReadOptions(use_threads=False, block_size=len(block))  # threads lose row numbers
            known = len(self._misfits)
            rows = pacsv.read_csv(pa.BufferReader(block), whole, parse, convert)
            self._parsed += rows.num_rows + len(self._misfits) - known
            yield from rows.to_batches()

    def _blocks(self) -> Iterator[bytes]:
        """The text by whole records, the header before each block of them."""
        header = text = b""
        while chunk := self._text.read():
            self._lines.feed(chunk)
            text += chunk
            if not header and (first := self._lines.first):
                header, text = text[:first].rstrip(b"\r\n") + b"\n", text[first:]
            ended = len(text) - self._lines.unended
            if header and ended > 0:
                yield header + text[:ended]
                text = text[ended:]
            elif len(text) > _LONGEST:
                raise self._problem()
        if header and text:
            yield header + text

    def _note(self, row: Any) -> str:
        self._misfits.append(self._parsed + row.number)
        return "skip"

    def numbers_of(self, kept: int) -> tuple[Numbers, Numbers]:
        """The numbers of the next `kept` rows, and of the rows left out among them; the header's is 1."""
        misfits = np.asarray(self._misfits, dtype=np.int64)
        places = np.arange(kept, dtype=np.int64)
        before = np.searchsorted(misfits - self._next - np.arange(len(misfits)), places, side="right")
        rows = self._next + places + before
        passed = int(before[-1]) if kept else 0
        if kept:
            self._misfits = self._misfits[passed:]
            self._next = int(rows[-1]) + 1
        return rows, misfits[:passed]

    def lines_of(self, rows: Numbers, *, keep: bool = False) -> Numbers:
        return self._lines.of(rows - 1, keep=keep)

    def places(self, rows: Numbers, *, keep: bool = False) -> list[tuple[int, int]]:
        """(line, record) of each of `rows`."""
        return list(zip(self.lines_of(rows, keep=keep).tolist(), (rows - 1).tolist(), strict=True))

    def finish(self) -> list[tuple[int, int]]:
        """The rows left out after the last one kept. Raises SourceProblem if a quote never closed."""
        if line := self._lines.open_since:
            raise at(self._name, line, "a quote is opened and never closed. Check the mapping's `delimiter`.")
        return self.places(np.asarray(self._misfits, dtype=np.int64))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Failures of the file's form in words. Arrow's own messages may quote the row: they are never passed
        on."""
        try:
            yield
        except pa.ArrowInvalid:
            raise self._problem() from None

    def _problem(self) -> SourceProblem:
        if line := self._lines.open_since:
            return at(self._name, line, "a quote is opened and not closed near it. Check the row's quotes.")
        return SourceProblem(
            f"{self._name} is not CSV as the mapping describes it, before line {self._text.line}. "
            f"Check its delimiter and quotes; a row may not be longer than {_LONGEST >> 20} MB."
        )
