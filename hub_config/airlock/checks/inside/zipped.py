"""A zip's entries, read within bounds: what it declares is checked first, what comes out is counted too."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.inside.found import CannotRead
from hub_config.airlock.checks.inside.reasons import Reason

_MOST_ENTRIES: Final = 2_000
_MOST_RATIO: Final = 250
_SMALL: Final = 2**20  # below it a ratio says nothing
_ENCRYPTED: Final = 0x1
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
