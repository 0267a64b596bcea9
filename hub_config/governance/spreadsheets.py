"""Texts in files that spreadsheets open. Pure."""

from __future__ import annotations

import re
from typing import Final

_SIGNS: Final = "=+@\uff1d\uff0b\uff20\uff0d-"  # full-width ones are read by some too
_FIRST: Final = re.compile(rf"\A\s*[{_SIGNS}]|\A[\t\r]")
_INNER: Final = re.compile(rf"([;,\t\r\n]\s{{0,8}})([{_SIGNS}])")


def inert(text: str) -> str:
    """The same text, never a formula: a spreadsheet runs a cell that begins like one; and one that separates
    cells by other signs than ours, as the French ones, begins a cell inside of ours."""
    return _INNER.sub(r"\1'\2", f"'{text}" if _FIRST.search(text) else text)
