"""The root of everything the warehouse foresees: its message is written for operators and carries no data
value."""

from __future__ import annotations

import errno
from typing import Final

_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # full, or its share or its limit is
_DISK_FULL_WORDS: Final = (
    "no space left",
    "quota exceeded",
    "file too large",
    "max_temp_directory_size",
)


class WarehouseProblem(Exception):
    """Something foreseen: the message says what, why and what to do next. Nothing half-made was kept."""


def is_disk_full(error: Exception) -> bool:
    """DuckDB says it in words only; a spill that no longer fits names its limit."""
    said = str(error).lower()
    return getattr(error, "errno", None) in _DISK_FULL or any(words in said for words in _DISK_FULL_WORDS)
