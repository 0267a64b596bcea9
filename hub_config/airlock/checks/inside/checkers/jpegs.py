"""JPEG: every segment up to the image's end is one that the image needs, or is told.

A segment may stand before the first scan or between two; a table that no scan needs may hold any bytes, and
so may the end of a scan, which no decoder reads.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from hub_config.airlock.checks.inside.checkers.beside import (
    Size,
    is_profile,
    readable,
    refuse_absurd,
    tell_profile,
    tell_text,
)
from hub_config.airlock.checks.inside.checkers.gathering import Gathering
from hub_config.airlock.checks.inside.found import CannotRead, Reason
from hub_config.governance.releases.findings import Place, Rule, Severity

_FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROFILE: Final = b"ICC_PROFILE\x00"
_HUFFMAN, _QUANTISATION, _RESTART, _SCAN, _END, _PACKED = 0xC4, 0xDB, 0xDD, 0xDA, 0xD9, 0x00
_ALONE: Final = frozenset(range(0xD0, 0xD8))  # restarts, within a scan
_NO_MARKER: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")

Segment = tuple[int, bytes, int]


def gather_jpeg(gathering: Gathering, content: bytes, place: Place) -> None:
    segments = list(_segments(content))
    profile = b""
    seen: Counter[int] = Counter()
    for marker, body, _ in segments:
        seen[marker] += 1
        if marker in _FRAME_HEADERS and len(body) >= 5:
            height, width = struct.unpack(">HH", body[1:5])
            refuse_absurd(Size(width, height))
        if marker == 0xE2 and body.startswith(_PROFILE):
            profile += body[len(_PROFILE) + 2 :]
        elif marker == 0xFE or 0xE0 <= marker <= 0xEF:
            _tell_segment(gathering, marker, body, place, first=seen[marker] == 1)
            if seen[_SCAN]:
                gathering.block(Rule.HIDDEN_CONTENT, "texts beside an image", place)
        elif not _is_usual_segment(marker, body):
            gathering.search(body.decode("latin-1"))
            gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
    if profile and is_profile(profile):
        tell_profile(gathering, profile, place)
    elif profile:
        gathering.search(profile.decode("latin-1"))
        gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
    if _has_unused_tables(segments):
        tables = (body for marker, body, _ in segments if marker in (_HUFFMAN, _QUANTISATION))
        gathering.search(*(body.decode("latin-1") for body in tables))
        gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
    if sum(seen[each] for each in _FRAME_HEADERS) != 1:
        gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
    _tell_scans(gathering, segments, place)
    if (rest := content[segments[-1][2] :]).strip(b"\x00"):
        gathering.add(Rule.TRAILING_BYTES, Severity.BLOCKING, place)
        gathering.search(rest.decode("latin-1"))


def _segments(content: bytes) -> Iterator[Segment]:
    """Marker, body and end of each up to the image's end; what a scan packs comes behind it, as `_PACKED`.
    Raises CannotRead where there is no end."""
    at = 2
    while at + 2 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == _END:
            yield marker, b"", at + 2
            return
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4])
        following = at + 2 + length
        if length < 2 or following > len(content) or marker in _ALONE:
            break
        yield marker, content[at + 4 : following], following
        at = following
        if marker == _SCAN:
            behind = _NO_MARKER.search(content, at)
            at = behind.start() if behind else len(content)
            yield _PACKED, content[following:at], at
    raise CannotRead(Reason.DAMAGED)


def _is_usual_segment(marker: int, body: bytes) -> bool:
    """Whether a segment is one that an image needs, and has no more bytes than it says it needs."""
    match marker:
        case 0x00 | 0xD9:
            return True
        case 0xC4 | 0xDB:
            return b"".join(_tables(marker, body)) == body
        case 0xDD:
            return len(body) == 2
        case 0xDA:
            return bool(body) and len(body) == 4 + 2 * body[0]
        case _:
            return marker in _FRAME_HEADERS and len(body) >= 6 and len(body) == 6 + 3 * body[5]


def _tables(marker: int, body: bytes) -> Iterator[bytes]:
    """Each table of a segment of Huffman or of quantisation tables, its number first."""
    at = 0
    while at < len(body):
        values = 128 if body[at] >> 4 else 64
        size = 17 + sum(body[at + 1 : at + 17]) if marker == _HUFFMAN else 1 + values
        if at + size > len(body):
            return
        yield body[at : at + size]
        at += size


def _has_unused_tables(segments: Sequence[Segment]) -> bool:
    """Whether a table is defined that no scan needs: no viewer reads it, and it may hold any bytes."""
    waiting: set[tuple[int, int]] = set()
    needed: dict[int, int] = {}
    for marker, body, _ in segments:
        if marker in (_HUFFMAN, _QUANTISATION):
            for table in _tables(marker, body):
                number = table[0] & (0x1F if marker == _HUFFMAN else 0xF)
                if (marker, number) in waiting:
                    return True
                waiting.add((marker, number))
        elif marker in _FRAME_HEADERS:
            needed = {body[at]: body[at + 2] for at in range(6, len(body) - 2, 3)}
        elif marker == _SCAN and body:
            for at in range(1, min(len(body) - 1, 1 + 2 * body[0]), 2):
                both = body[at + 1]
                waiting -= {(_QUANTISATION, needed.get(body[at], -1))}
                waiting -= {(_HUFFMAN, both >> 4), (_HUFFMAN, 0x10 | both & 0xF)}
    return bool(waiting)


def _tell_scans(gathering: Gathering, segments: Sequence[Segment], place: Place) -> None:
    """A text within what a scan packs: no decoder reads on once it has all the pixels."""
    if texts := [text for marker, body, _ in segments if marker == _PACKED for text in readable(body)]:
        gathering.search(*texts)
        gathering.block(Rule.HIDDEN_CONTENT, "bytes after an image's pixels", place)


def _tell_segment(gathering: Gathering, marker: int, body: bytes, place: Place, *, first: bool) -> None:
    if first and (
        (marker == 0xE0 and body.startswith(b"JFIF\x00") and len(body) == 14)
        or (marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12)
    ):
        return
    if b"\xff\xd8\xff" in body or (marker == 0xE0 and len(body) > 14):
        gathering.block(Rule.EMBEDDED_OBJECT, "thumbnail", place)
    elif marker in (0xE0, 0xEE) or body.startswith(b"ICC_PROFILE"):
        gathering.block(Rule.HIDDEN_CONTENT, "unknown parts of an image", place)
    tell_text(gathering, body, place)
