"""On which line each record of a CSV starts, although quoted values may hold line breaks.

Arrow parses the rows and knows nothing of lines. This watches the same bytes go by and counts: a line break
outside quotes ends a record, one inside only a line. As in Arrow, a quote opens a value only at its start.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Numbers = np.ndarray[Any, Any]

_QUOTE: Final = ord('"')
_LF: Final = ord("\n")
_CR: Final = ord("\r")


class RecordLines:
    """Fed with the file's bytes ahead of the questions, which come in the order of the records."""

    def __init__(self, delimiter: str) -> None:
        self._openers = np.zeros(256, dtype=bool)  # what may stand before a value
        self._openers[[ord(delimiter), _LF, _CR]] = True
        self._inside, self._closed = False, False  # within quotes; just after the quote that closed them
        self._before, self._held = b"\n", b""
        self.first = 0  # bytes of the first record with its line end; 0 until that came
        self._fed = self._whole = 0  # bytes counted so far, and those of them that are of ended records
        self._ended = 0  # records ended so far
        self._passed = 0  # breaks within records, already dropped from `_breaks`
        self._breaks: list[Numbers] = []  # for each other such break, its record

    @property
    def open_since(self) -> int | None:
        """The line of the record whose quote is still open."""
        return int(self.of(np.array([self._ended]), keep=True)[0]) if self._inside else None

    @property
    def unended(self) -> int:
        """How many of the last bytes are of a record that may go on."""
        return self._fed - self._whole + len(self._held)

    def feed(self, chunk: bytes) -> None:
        chunk = self._held + chunk
        self._held = b"\r" if chunk.endswith(b"\r") else b""  # a line feed may follow
        chunk = chunk[: len(chunk) - len(self._held)]
        if not chunk:
            return
        if not self._inside and b'"' not in chunk:
            self._ended += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
            self._closed = False
            self._pass(*_outermost(chunk))
        else:
            self._count(chunk)
        self._before = chunk[-1:]
        self._fed += len(chunk)

    def of(self, records: Numbers, *, keep: bool = False) -> Numbers:
        """The lines of `records`, ascending from 0, the header. What lies before them is forgotten."""
        breaks = np.concatenate(self._breaks) if self._breaks else np.zeros(0, dtype=np.int64)
        lines = records + 1 + self._passed + np.searchsorted(breaks, records, side="left")
        if len(records) and not keep:
            done = int(np.searchsorted(breaks, records[0], side="left"))
            self._passed += done
            self._breaks = [breaks[done:]] if done < len(breaks) else []
        return lines

    def _count(self, chunk: bytes) -> None:
        """Places of quotes and line ends are looked for, and only those are counted: a byte costs little."""
        bytes_ = np.frombuffer(self._before + chunk, dtype=np.uint8)
        quotes = self._quotes(bytes_)
        ends = _ends(chunk, bytes_)
        inside = (np.searchsorted(quotes, ends) + self._inside) % 2 == 1
        outer, inner = ends[~inside], ends[inside]
        if len(inner):
            self._breaks.append(self._ended + np.searchsorted(outer, inner).astype(np.int64))
        self._ended += len(outer)
        self._pass(*(outer[[0, -1]].tolist() if len(outer) else ()))
        self._inside ^= len(quotes) % 2 == 1
        self._closed = bool(len(quotes)) and quotes[-1] == len(bytes_) - 1 and not self._inside

    def _pass(self, *ends: int) -> None:
        """The first and the last end of a record in what is counted now, each as bytes of it."""
        if ends:
            self.first = self.first or self._fed + ends[0]
            self._whole = self._fed + ends[1]

    def _quotes(self, bytes_: Numbers) -> Numbers:
        """The places of those that open or close a value."""
        quotes = np.flatnonzero(bytes_ == _QUOTE)
        quotes = quotes[quotes > 0]
        return quotes[self._real(bytes_, quotes)] if len(quotes) else quotes

    def _real(self, bytes_: Numbers, quotes: Numbers) -> Numbers:
        """Which quotes open or close. Usually all: that is seen at once; else they are walked one by one."""
        starts = self._openers[bytes_[quotes - 1]]
        doubled = bytes_[quotes - 1] == _QUOTE
        if quotes[0] == 1:
            doubled[0] &= self._closed
        opening = slice(1, None, 2) if self._inside else slice(0, None, 2)
        if np.all(starts[opening] | doubled[opening]):
            return np.ones(len(quotes), dtype=bool)
        return _walked(starts, doubled, inside=self._inside)


def _outermost(chunk: bytes) -> tuple[int, ...]:
    """Behind the first and the last line end; nothing without one."""
    first = min((place for end in (b"\n", b"\r") if (place := chunk.find(end)) >= 0), default=None)
    if first is None:
        return ()
    last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    return first + 1 + (chunk[first : first + 2] == b"\r\n"), last + 1


def _ends(chunk: bytes, bytes_: Numbers) -> Numbers:
    """The places of line ends in `chunk`, counted from the byte before it, with which `bytes_` begin."""
    ends = bytes_ == _LF
    if chunk.count(b"\r") > chunk.count(b"\r\n"):
        ends[:-1] |= (bytes_[:-1] == _CR) & (bytes_[1:] != _LF)
        ends[-1] |= bytes_[-1] == _CR  # of several at the end, `feed` holds back the last alone
    ends[0] = False
    return np.flatnonzero(ends)


def _walked(starts: Numbers, doubled: Numbers, *, inside: bool) -> Numbers:
    real, closed = np.zeros(len(starts), dtype=bool), True
    for index, (start, second) in enumerate(zip(starts.tolist(), doubled.tolist(), strict=True)):
        opens = start or (second and closed)
        real[index] = inside or opens
        closed = inside
        inside = not inside if real[index] else inside
    return real
