"""XML by expat: records as text with the line each starts on, and nothing that a hostile file can ask for.

No DTD, so no entity, no bomb and no external file; XInclude and schemas are plain text. Depth, the length of
a tag and of a value, and the number of different names are bounded. lxml was tried: its lines are wrong
beyond 65,535, and it builds a tree only to throw it away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.parsers import expat

from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.loader.readers.nested import Assembly, Piece, Step, note_other, plan
from hub_config.warehouse.loader.readers.problems import at
from hub_config.warehouse.loader.readers.streams import Unpacked, unpacked

_NAMES: Final = 10_000  # of elements and attributes: practice software has hundreds
_DEEP_AS_ASKED: Final = "deeper than {depth} elements. If that is right, raise the file's `limits.depth`."


def xml_pieces(
    path: Path, file: SourceFile, kinds: Mapping[str, tuple[str | None, Sequence[str]]]
) -> Iterator[Piece]:
    """Rows of each kind: its path in the document and its columns, by its name."""
    with unpacked(path, file.limits) as source:
        reading = _Reading(path.name, file, kinds)
        source.reached = reading.line
        yield from reading.pieces(source)


class _Reading:
    """One pass over a file: expat calls, the assembly makes rows."""

    def __init__(
        self, name: str, file: SourceFile, kinds: Mapping[str, tuple[str | None, Sequence[str]]]
    ) -> None:
        self._name, self._limits = name, file.limits
        paths = {
            kind: ((record or "").strip("/").split("/"), columns) for kind, (record, columns) in kinds.items()
        }
        tree = plan(name, paths, "/")
        self._rows = Assembly(name, tree, file.limits)
        self._rows.line, self._rows.byte = self.line, lambda: self._parser.CurrentColumnNumber
        self._step, self._path = tree.root, list[Step]()
        self._unread = 0  # how deep within an element that nobody asks for
        self._text: list[str] | None = None
        self._length = 0
        self._names: dict[str, str] = {}
        said = file.encoding if "encoding" in file.model_fields_set else None
        self._parser = self._made({"cp1252": "windows-1252", "latin-1": "iso-8859-1"}.get(said or "", said))

    def _made(self, encoding: str | None) -> expat.XMLParserType:
        parser = expat.ParserCreate(encoding, intern=self._names)
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._refuse_dtd
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        return parser

    def line(self) -> int:
        return self._parser.CurrentLineNumber

    def pieces(self, source: Unpacked) -> Iterator[Piece]:
        fed = 0
        for chunk in source:
            fed += len(chunk)
            self._parse(chunk, final=False)
            self._judge(fed)
            for records in self._rows.full():
                yield self._rows.batch(records, source.position)
        self._parse(b"", final=True)
        self._rows.finish()
        for records in self._rows.every():
            yield self._rows.batch(records, source.position)

    def _parse(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            why = expat.ErrorString(error.code)
            why = f"not well-formed XML, or not in its encoding ({why})."
            raise at(self._name, error.lineno, why, byte=error.offset) from None
        except (LookupError, ValueError):
            raise at(self._name, 1, "an encoding that isn't known here: set `encoding`.") from None

    def _judge(self, fed: int) -> None:
        """After each chunk: what the parser itself holds must stay small."""
        if fed - max(self._parser.CurrentByteIndex, 0) > self._limits.token:
            raise self._rows.problem(f"a tag of more than {self._limits.token:,} bytes.")
        if len(self._names) > _NAMES:
            raise self._rows.problem(f"more than {_NAMES:,} different names of elements.")

    def _refuse_dtd(self, *_: object) -> None:
        raise self._rows.problem("a DTD (<!DOCTYPE), which exports don't need and attacks do.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._unread:
            self._sink()
            return
        step = self._step.children.get(tag) or self._step.children.get(tag.rpartition(":")[2])
        if step is None:
            note_other(self._step, tag)
            self._sink()
            return
        self._path.append(self._step)
        self._step = step
        self._rows.enter(step)
        if attributes:
            self._put_attributes(step, attributes)
        if step.cells:
            self._listen()

    def _sink(self) -> None:
        self._unread += 1
        if len(self._path) + self._unread > self._limits.depth:
            raise self._rows.problem(_DEEP_AS_ASKED.format(depth=self._limits.depth))

    def _put_attributes(self, step: Step, attributes: dict[str, str]) -> None:
        for name, text in attributes.items():
            cells = step.attributes.get(name)
            if cells is None:
                note_other(step, f"@{name}")
                continue
            step.attributes_met.add(name)
            self._rows.put(cells, text)

    def _listen(self) -> None:
        self._text, self._length = [], 0
        self._parser.CharacterDataHandler = self._characters

    def _characters(self, text: str) -> None:
        self._length += len(text)
        if self._length > self._limits.text:
            raise self._rows.problem(f"a value of more than {self._limits.text:,} bytes.")
        if self._text is not None and not self._unread:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if self._unread:
            self._unread -= 1
            return
        step = self._step
        if step.cells and self._text is not None:
            self._rows.put(step.cells, "".join(self._text))
            self._text = None
            self._parser.CharacterDataHandler = None
        self._rows.leave(step)
        self._step = self._path.pop()
