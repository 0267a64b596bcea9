"""A file's bytes as UTF-8 text, whatever its encoding, without a byte-order mark. What isn't text names its
line."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from typing import Any, Literal

from hub_config.warehouse.loader.readers.problems import SourceProblem, at
from hub_config.warehouse.loader.readers.streams import Unpacked

Encoding = Literal["utf-8", "latin-1", "cp1252"]
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # ZIP, of which an Excel workbook is one; the older Excel's
_FOREIGN = ((codecs.BOM_UTF8, "UTF-8"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


# What European texts have beyond ASCII. In text of one-byte letters nothing is written as these are in UTF-8.
_USUAL = re.compile("[\u00a0-\u017f\u2010-\u203a\u20ac]")


def _other(begun: str, said: Encoding, how: str = "begins as") -> str:
    remedy = (
        "Ask for the export as UTF-8." if begun != "UTF-8" else 'Set `encoding = "utf-8"` in the mapping.'
    )
    return f"{how} {begun} text, the mapping says {said}. {remedy}"


class Utf8:
    """The text of a file, in UTF-8 chunks; `line` is the one after the last chunk's end."""

    def __init__(self, name: str, source: Unpacked, encoding: Encoding) -> None:
        self._name, self._source, self._encoding = name, source, encoding
        self._decode = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)(
            errors="strict"
        )
        # Whether text of one-byte letters may be UTF-8 all the same: so far nothing in it says no.
        self._maybe_utf8 = encoding != "utf-8"
        self._as_utf8 = codecs.getincrementaldecoder("utf-8")(errors="strict")
        self._first, self._after_return = True, False
        self.line = 1
        source.reached = lambda: self.line

    def read(self) -> bytes:
        """The next chunk; empty at the end. Raises SourceProblem."""
        while True:
            chunk = self._source.read()
            text = self._decoded(chunk)
            if text or not chunk:
                return text

    def _decoded(self, chunk: bytes) -> bytes:
        self._refuse_other_text(chunk)
        self._refuse_utf8(chunk)
        try:
            text = self._decode.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise self._badly_encoded(error) from None
        encoded = text.encode()
        self.line += self._breaks(encoded)
        return encoded

    def _refuse_other_text(self, chunk: bytes) -> None:
        if self._first:
            self._first = False
            if chunk.startswith(_ARCHIVES):
                raise at(self._name, 1, "a ZIP archive or an Excel workbook. Unpack it, or export it as CSV.")
            for mark, encoding in _FOREIGN:
                if chunk.startswith(mark) and encoding.lower() != self._encoding:
                    raise at(self._name, 1, _other(encoding, self._encoding))
        if (place := chunk.find(b"\0")) >= 0:
            line = self.line + self._breaks(chunk[:place])
            raise at(self._name, line, "a NUL byte: not text, or UTF-16. Ask for the export as UTF-8.")

    def _refuse_utf8(self, chunk: bytes) -> None:
        """Read by letters of one byte, é would be Ã©, and no code or identifier with it be known again."""
        if not self._maybe_utf8:
            return
        try:
            text = self._as_utf8.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            self._maybe_utf8 = False
            return
        if letter := _USUAL.search(text):
            line = self.line + self._breaks(text[: letter.start()].encode())
            raise at(self._name, line, _other("UTF-8", self._encoding, "is"))

    def _breaks(self, text: bytes) -> int:
        """Line ends of all three kinds; a CRLF cut in two counts once."""
        again = self._after_return and text.startswith(b"\n")
        self._after_return = text.endswith(b"\r") if text else self._after_return
        return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n") - again

    def _badly_encoded(self, error: UnicodeDecodeError) -> SourceProblem:
        line = self.line + self._breaks(error.object[: error.start])
        return at(
            self._name,
            line,
            f"not {self._encoding} text. Set the file's `encoding` in the mapping (utf-8, latin-1, cp1252).",
        )


class Readable(io.RawIOBase):
    """Chunks as a file that can be read, each shown to `seen` as it goes by."""

    def __init__(self, read: Callable[[], bytes], seen: Callable[[bytes], None]) -> None:
        self._next, self._seen, self._ready = read, seen, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._ready:
            chunk = self._next()
            self._seen(chunk)
            self._ready = memoryview(chunk)
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
