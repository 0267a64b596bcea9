"""The way in: one file of any format as a stream of Arrow batches."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, assert_never

import pyarrow as pa

from hub_config.warehouse.loader.mapping import Format, SourceFile
from hub_config.warehouse.loader.readers.delimited import csv_pieces
from hub_config.warehouse.loader.readers.json_records import json_pieces
from hub_config.warehouse.loader.readers.nested import Piece
from hub_config.warehouse.loader.readers.problems import SourceProblem
from hub_config.warehouse.loader.readers.xml_records import xml_pieces

LINE: Final = "#line"  # no header can be called so by accident and be asked for: it is added after reading
RECORD: Final = "#record"  # its number in the file: on one line may be all of them
FILE: Final = "#file"  # asked for like a column: the name of the file, below the loaded directory


@dataclass
class TextRows:
    """The asked-for columns as text, streamed. While the batches are consumed `ragged` fills with the lines
    left out (too many or too few fields; in XML and JSON more than one value for a column)."""

    schema: Any
    batches: Iterator[Any]
    ragged: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """One kind of record of a file: `file` says how it is read, `columns` what of it, each with the key of
    the mapping that asks."""

    name: str
    file: SourceFile
    columns: Mapping[str, str]

    @property
    def schema(self) -> Any:
        places = [(LINE, pa.int64()), (RECORD, pa.int64())]
        return pa.schema([(name, pa.string()) for name in self.columns] + places)


@dataclass(frozen=True)
class Part:
    """Some rows of one kind, in the order of the file; (line, record) of each left out among or after them;
    and how many bytes of the file were read."""

    kind: str
    batch: Any
    misfits: Sequence[tuple[int, int]]
    position: int


def matching(directory: Path, file: SourceFile) -> tuple[SourceFile, ...]:
    """One SourceFile for each file that the path or pattern names, by name. Raises SourceProblem if there is
    none, and for a link that leads out of the directory."""
    if not any(letter in file.path for letter in "*?["):
        return (_kept_inside(directory, file),)
    found = sorted(path.relative_to(directory) for path in directory.glob(file.path) if path.is_file())
    if not found:
        raise SourceProblem(
            f"No file in {directory} is called {file.path}. Check the directory and the mapping's `path`."
        )
    named = (file.model_copy(update={"path": path.as_posix()}) for path in found)
    return tuple(_kept_inside(directory, each) for each in named)


def _kept_inside(directory: Path, file: SourceFile) -> SourceFile:
    if not (directory / file.path).resolve().is_relative_to(directory.resolve()):
        raise SourceProblem(
            f"{file.path}: a link that leads out of {directory}. Copy the file into the directory to load it."
        )
    return file


def one_pass(file: SourceFile) -> str | None:
    """The same for kinds of records that are read in one pass over the file they are in; none where each is
    alone."""
    if file.format is Format.CSV:
        return None
    return file.model_dump_json(exclude={"record", "decimal", "missing"})


@contextmanager
def open_kinds(directory: Path, kinds: Sequence[Kind]) -> Iterator[Iterator[Part]]:
    """The rows of each of `kinds`, which are in one file and of `one_pass`, as they come.

    Raises SourceProblem, also while they are consumed; what is missing in a CSV's header, at once.
    """
    with closing(_parts(directory, kinds)) as parts:
        first = next(parts, None)
        yield itertools.chain([first] if first is not None else [], parts)


@contextmanager
def open_rows(directory: Path, file: SourceFile, columns: Mapping[str, str]) -> Iterator[TextRows]:
    """The rows of `file`, or of every file it names in turn: `columns` (each with the mapping's key that asks
    for it), the line where the record starts, and its number in the file, from 1.

    Raises SourceProblem, also while the batches are consumed.
    """
    kinds = [Kind("", one, columns) for one in matching(directory, file)]
    streams = [_parts(directory, [kind]) for kind in kinds]
    rows = TextRows(kinds[0].schema, iter(()))
    first = next(streams[0], None)  # a missing file, header or column is known before the batches are
    begun = [first] if first is not None else []
    rows.batches = (_noted(part, rows) for part in itertools.chain(begun, *streams))
    try:
        yield rows
    finally:
        for stream in streams:
            stream.close()


def _noted(part: Part, rows: TextRows) -> Any:
    rows.ragged += [line for line, _ in part.misfits]
    return part.batch


def _parts(directory: Path, kinds: Sequence[Kind]) -> Generator[Part]:
    by_name = {kind.name: kind for kind in kinds}
    for piece in _pieces(directory / kinds[0].file.path, kinds):
        kind = by_name[piece.kind]
        asked = dict(zip(_inside(kind), piece.columns, strict=True))
        if FILE in kind.columns:
            asked[FILE] = pa.repeat(pa.scalar(kind.file.path, pa.string()), len(piece.lines))
        arrays = [*(asked[name] for name in kind.columns), piece.lines, piece.records]
        batch = pa.record_batch(arrays, schema=kind.schema)
        yield Part(kind.name, batch, piece.misfits, piece.position)


def _inside(kind: Kind) -> dict[str, str]:
    """The columns that are in the file."""
    return {name: key for name, key in kind.columns.items() if name != FILE}


def _pieces(path: Path, kinds: Sequence[Kind]) -> Iterator[Piece]:
    file = kinds[0].file
    nested = {kind.name: (kind.file.record, list(_inside(kind))) for kind in kinds}
    match file.format:
        case Format.CSV:
            return csv_pieces(path, file, kinds[0].name, _inside(kinds[0]))
        case Format.XML:
            return xml_pieces(path, file, nested)
        case Format.JSON | Format.NDJSON:
            return json_pieces(path, file, nested)
        case _:
            assert_never(file.format)
