"""A zip's entries, read within bounds: what it declares is checked first, what comes out is counted too.

Also what a zip holds outside its entries, where unpackers don't look; and entries packed the same way always.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from hub_config.airlock.checks.inside.found import CannotRead
from hub_config.airlock.checks.inside.reasons import Reason

_MOST_ENTRIES: Final = 2_000
_MOST_RATIO: Final = 250
_SMALL: Final = 2**20  # below it a ratio says nothing
_ENCRYPTED: Final = 0x1
_DESCRIBED_BEHIND: Final = 0x8
_ROOM: Final = 0xA220  # what Office leaves to grow into: a mark, then zeros
_USUAL_FIELDS: Final = {0x0001: 28, 0x000A: 32, 0x5455: 13, 0x5855: 12, 0x7855: 4, 0x7875: 11, 0xCAFE: 0}
"""Most bytes of the fields that packers write: long sizes, times, owners."""

_ENTITIES: Final = re.compile(
    rb"<!\s*(DOCTYPE|ENTITY)|<\x00!\x00D\x00O\x00C\x00T|\x00<\x00!\x00D\x00O\x00C", re.I
)


def entries_of(content: bytes, most: int) -> Mapping[str, bytes]:
    """Every entry's bytes, `most` altogether. Raises CannotRead."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            _refuse(listed, most)
            read: dict[str, bytes] = {}
            left = most
            for entry in listed:
                with archive.open(entry) as file:
                    read[entry.filename] = file.read(left + 1)
                left -= len(read[entry.filename])
                if left < 0:
                    raise CannotRead(Reason.BOMB)
            return read
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError):
        raise CannotRead(Reason.DAMAGED) from None


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same parts: no time of day in them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def outside_entries(content: bytes) -> bytes:
    """What stands before, between or behind the entries and the directory, as their comment or in a field
    that no packer of ours fills. Raises CannotRead."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"".join(_outside(content, archive))
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError):
        raise CannotRead(Reason.DAMAGED) from None


def _outside(content: bytes, archive: zipfile.ZipFile) -> Iterator[bytes]:
    end = 0
    for entry in sorted(archive.infolist(), key=lambda each: each.header_offset):
        yield content[end : entry.header_offset]
        named, extra = struct.unpack_from("<HH", content, entry.header_offset + 26)
        packed = entry.header_offset + 30 + named + extra
        yield from _unusual(content[packed - extra : packed])
        yield from _unusual(entry.extra)
        yield entry.comment
        end = packed + entry.compress_size
        end += _descriptor(content, end) if entry.flag_bits & _DESCRIBED_BEHIND else 0
    yield content[end : archive.start_dir]
    closing = content.rfind(b"PK\x05\x06")
    yield content[closing + 22 :]


def _descriptor(content: bytes, at: int) -> int:
    """Bytes of the sizes that stand behind an entry: with or without their mark, of 4 or of 8 bytes."""
    marked = 4 if content.startswith(b"PK\x07\x08", at) else 0
    nexts = (b"PK\x03\x04", b"PK\x01\x02")
    return next((marked + size for size in (12, 20) if content.startswith(nexts, at + marked + size)), 0)


def _unusual(extra: bytes) -> Iterator[bytes]:
    """Of an entry's further fields those that aren't a time, a size or room to grow."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        room = kind == _ROOM and not body[4:].strip(b"\x00")
        if not room and len(body) > _USUAL_FIELDS.get(kind, 0):
            yield body
        at += 4 + size
    yield extra[at:]


def _refuse(listed: list[zipfile.ZipInfo], most: int) -> None:
    """By what the directory declares. Raises CannotRead."""
    if any(entry.flag_bits & _ENCRYPTED for entry in listed):
        raise CannotRead(Reason.ENCRYPTED)
    unpacked = sum(entry.file_size for entry in listed)
    packed = sum(entry.compress_size for entry in listed)
    if len(listed) > _MOST_ENTRIES or unpacked > most:
        raise CannotRead(Reason.BOMB)
    if unpacked > _SMALL and unpacked > _MOST_RATIO * max(packed, 1):
        raise CannotRead(Reason.BOMB)
    names = [entry.filename for entry in listed]
    if len(set(names)) < len(names):
        raise CannotRead(Reason.POLYGLOT)


def refuse_entities(part: bytes) -> None:
    """No part of an office file declares a document type; a hostile one does. Raises CannotRead."""
    if _ENTITIES.search(part):
        raise CannotRead(Reason.BOMB)
