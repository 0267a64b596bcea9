"""Text that no person reads: a file or a list of numbers in letters (base64, base32, hexadecimal). Pure.

The airlocks of both ways use it: people read what comes in and what goes out, and nobody reads this. The
checkers' sandbox holds this module: it imports the standard library only. Every pattern reads a text once.

Found are runs of letters and digits without a space, of 80 signs that change as often between capitals, small
letters and digits as no word, path or address does, or of 1,000 signs of any kind; and twelve lines in a row
that are nothing else. Not found: shorter ones, and what is written as words.
"""

from __future__ import annotations

import re
from typing import Final

_RUN: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{80,}+")
_WRAPPED: Final = re.compile(r"[ \t\"'>#]{0,12}[A-Za-z0-9+/=_-]{60,}[\"'\\,n]{0,4}\s*")
_RULER: Final = re.compile(r"[-=_+/]+")
_WRAPPED_LINES: Final = 12
_LONGEST: Final = 1_000
_CHANGES: Final = 0.2  # of the signs: base64 has over half, names in capitals and small letters a tenth
_KINDS: Final = str.maketrans(
    {
        **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "A"),
        **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", "a"),
        **dict.fromkeys("0123456789", "0"),
    }
)


def is_coded(text: str) -> bool:
    """Whether a text holds a file in letters, in one run or wrapped over lines."""
    return any(_is_code(match[0]) for match in _RUN.finditer(text)) or _is_wrapped(text)


def _is_code(run: str) -> bool:
    if _RULER.fullmatch(run):
        return False
    kinds = run.translate(_KINDS)
    changes = sum(kinds.count(pair) for pair in ("Aa", "aA", "A0", "0A", "a0", "0a"))
    return len(run) >= _LONGEST or changes >= _CHANGES * len(run)


def _is_wrapped(text: str) -> bool:
    if len(text) < 60 * _WRAPPED_LINES:
        return False
    in_a_row = 0
    for line in text.splitlines():
        is_one = len(line) >= 60 and bool(_WRAPPED.fullmatch(line)) and not _RULER.fullmatch(line.strip())
        in_a_row = in_a_row + 1 if is_one else 0
        if in_a_row >= _WRAPPED_LINES:
            return True
    return False
