"""JSON and NDJSON by ijson: records as text with the line each starts on, also when a gigabyte is one line.

Numbers keep the digits they are written with. A key that comes twice on the way to a record or within it is
refused, as what it means differs from reader to reader; so are NaN and what else is not JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import ijson  # type: ignore[import-untyped]

from hub_config.warehouse.loader.mapping import Format, SourceFile
from hub_config.warehouse.loader.readers.nested import Assembly, Piece, Step, note_other, plan
from hub_config.warehouse.loader.readers.streams import Unpacked, unpacked
from hub_config.warehouse.loader.readers.text import Utf8

_PIECE: Final = 1 << 16
_NOT_JSON: Final = "not JSON, or cut off."


def json_pieces(
    path: Path, file: SourceFile, kinds: Mapping[str, tuple[str | None, Sequence[str]]]
) -> Iterator[Piece]:
    """Rows of each kind: its path in the document and its columns, by its name."""
    with unpacked(path, file.limits) as source:
        yield from _Reading(path.name, file, kinds).pieces(source, Utf8(path.name, source, file.encoding))


class _Reading:
    """One pass over a file: ijson tells what it meets, the assembly makes rows."""

    def __init__(
        self, name: str, file: SourceFile, kinds: Mapping[str, tuple[str | None, Sequence[str]]]
    ) -> None:
        self._name, self._limits = name, file.limits
        paths = {
            kind: (["", *(record.split(".") if record else [])], columns)
            for kind, (record, columns) in kinds.items()
        }
        tree = plan(name, paths, ".")
        self._rows = Assembly(name, tree, file.limits)
        self._rows.line, self._rows.last_line = lambda: self._line, lambda: self._last
        self._rows.byte = lambda: self._passed
        self._line = self._last = 1
        self._passed = 0  # bytes of the line before the piece that is read
        self._events: Any = ijson.sendable_list()
        self._parser = ijson.basic_parse_coro(self._events, multiple_values=file.format is Format.NDJSON)
        self._step, self._key = tree.root, ""
        self._path: list[tuple[Step, str]] = []
        self._keys: list[set[str]] = [set()]
        self._depth = self._unread = 0  # of all containers; within one that nobody asks for
        self._silent = 0  # bytes since anything was told

    def pieces(self, source: Unpacked, text: Utf8) -> Iterator[Piece]:
        while chunk := text.read():
            for piece in _pieces(chunk):
                self._feed(piece)
                for records in self._rows.full():
                    yield self._rows.batch(records, source.position)
        self._finish()
        for records in self._rows.every():
            yield self._rows.batch(records, source.position)

    def _feed(self, piece: bytes) -> None:
        self._last = self._line + piece.rstrip(b"\n").count(b"\n")
        try:
            self._parser.send(piece)
        except (ijson.JSONError, ValueError):
            self._take()
            raise self._rows.problem(_NOT_JSON) from None
        self._silent = 0 if self._events else self._silent + len(piece)
        if self._silent > self._limits.token:
            raise self._rows.problem(f"one text or number of more than {self._limits.token:,} bytes.")
        self._take()
        self._line = self._last = self._line + piece.count(b"\n")
        self._passed = len(piece) - piece.rfind(b"\n") - 1 + (0 if b"\n" in piece else self._passed)

    def _finish(self) -> None:
        try:
            self._parser.close()
        except (ijson.JSONError, ValueError):
            raise self._rows.problem(_NOT_JSON) from None
        if self._depth:
            raise self._rows.problem(_NOT_JSON)
        self._rows.finish()

    def _take(self) -> None:
        for event, value in self._events:
            match event:
                case "map_key":
                    self._name_next(value)
                case "start_map":
                    self._deeper()
                    self._enter()
                case "end_map":
                    self._depth -= 1
                    self._leave()
                case "start_array":
                    self._deeper()
                case "end_array":
                    self._depth -= 1
                case _ if not self._unread:
                    self._put(event, value)
                case _:
                    pass
        del self._events[:]

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > self._limits.depth:
            raise self._rows.problem(
                f"deeper than {self._limits.depth} lists and objects. If that is right, raise the file's "
                "`limits.depth` in the mapping."
            )

    def _name_next(self, key: str) -> None:
        if self._unread:
            return
        self._key = key
        if key in self._keys[-1]:
            raise self._rows.problem("an object has the same key twice.")
        self._keys[-1].add(key)

    def _enter(self) -> None:
        step = None if self._unread else self._step.children.get(self._key)
        if step is None:
            if not self._unread:
                note_other(self._step, self._key)
            self._unread += 1
            return
        self._path.append((self._step, self._key))
        self._keys.append(set())
        self._step = step
        self._rows.enter(step)

    def _leave(self) -> None:
        if self._unread:
            self._unread -= 1
            return
        self._rows.leave(self._step)
        self._step, self._key = self._path.pop()
        self._keys.pop()

    def _put(self, event: str, value: Any) -> None:
        step = self._step.children.get(self._key)
        if step is None:
            note_other(self._step, self._key)
            return
        step.met = True
        if step.cells and event != "null":
            self._rows.put(step.cells, _text(event, value))


def _text(event: str, value: Any) -> str:
    return ("true" if value else "false") if event == "boolean" else str(value)


def _pieces(chunk: bytes) -> Iterator[bytes]:
    """`chunk` cut so that a line in which an object may begin is apart: its records are on that line."""
    start = 0
    while start < len(chunk):
        brace = chunk.find(b"{", start, start + _PIECE)
        if brace < 0:
            end = start + _PIECE
        elif (line := chunk.rfind(b"\n", start, brace) + 1) > start:
            end = line
        else:
            end = min((chunk.find(b"\n", brace) + 1) or len(chunk), start + _PIECE)
        yield chunk[start:end]
        start = end
