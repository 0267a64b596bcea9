"""The way in: one file of any format as a stream of Arrow batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, assert_never

import pyarrow as pa

from hub_config.warehouse.loader.mapping import Format, SourceFile
from hub_config.warehouse.loader.readers.delimited import csv_batches
from hub_config.warehouse.loader.readers.json_records import json_batches
from hub_config.warehouse.loader.readers.problems import SourceProblem
from hub_config.warehouse.loader.readers.xml_records import xml_batches

LINE: Final = "#line"  # no header can be called so by accident and be asked for: it is added after reading
FILE: Final = "#file"  # asked for like a column: the name of the file, below the loaded directory


@dataclass
class TextRows:
    """The asked-for columns as text, streamed. While the batches are consumed `ragged` fills with the lines
    left out (too many or too few fields; in XML and JSON more than one value for a column), and `misfits`
    with the same, each after its file."""

    schema: Any
    batches: Iterator[Any]
    ragged: list[int] = field(default_factory=list)
    misfits: list[tuple[str, int]] = field(default_factory=list)


def matching(directory: Path, file: SourceFile) -> tuple[SourceFile, ...]:
    """One SourceFile for each file that the path or pattern names, by name. Raises SourceProblem if there is
    none."""
    if not any(letter in file.path for letter in "*?["):
        return (file,)
    found = sorted(path.relative_to(directory) for path in directory.glob(file.path) if path.is_file())
    if not found:
        raise SourceProblem(
            f"No file in {directory} is called {file.path}. Check the directory and the mapping's `path`."
        )
    return tuple(file.model_copy(update={"path": path.as_posix()}) for path in found)


@contextmanager
def open_rows(directory: Path, file: SourceFile, columns: Mapping[str, str]) -> Iterator[TextRows]:
    """The rows of `file`, or of every file it names in turn: `columns` (each with the mapping's key that asks
    for it) and the line where the record starts.

    Raises SourceProblem, also while the batches are consumed.
    """
    schema = pa.schema([(name, pa.string()) for name in columns] + [(LINE, pa.int64())])
    rows = TextRows(schema, iter(()))
    streams = [_batches(directory, one, columns, rows) for one in matching(directory, file)]
    first = next(streams[0], None)  # a missing file, header or column is known before the batches are
    begun = [first] if first is not None else []
    rows.batches = itertools.chain(begun, *streams)
    try:
        yield rows
    finally:
        for stream in streams:
            stream.close()


def _batches(directory: Path, file: SourceFile, columns: Mapping[str, str], rows: TextRows) -> Any:
    wanted = {name: key for name, key in columns.items() if name != FILE}
    ragged: list[int] = []
    with closing(_arrays(directory / file.path, file, wanted, ragged)) as batches:
        for *arrays, lines in batches:
            by_name = dict(zip(wanted, arrays, strict=True))
            if FILE in columns:
                by_name[FILE] = pa.repeat(pa.scalar(file.path, pa.string()), len(lines))
            _pass_on(rows, file.path, ragged)
            yield pa.record_batch([*(by_name[name] for name in columns), lines], schema=rows.schema)
    _pass_on(rows, file.path, ragged)


def _arrays(path: Path, file: SourceFile, columns: Mapping[str, str], ragged: list[int]) -> Any:
    match file.format:
        case Format.CSV:
            return csv_batches(path, file, columns, ragged)
        case Format.XML:
            return xml_batches(path, file, columns, ragged)
        case Format.JSON | Format.NDJSON:
            return json_batches(path, file, columns, ragged)
        case _:
            assert_never(file.format)


def _pass_on(rows: TextRows, name: str, ragged: list[int]) -> None:
    rows.ragged += ragged
    rows.misfits += [(name, line) for line in ragged]
    ragged.clear()
