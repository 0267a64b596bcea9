"""File names that people chose, shown so that nobody is misled, and sent so that no browser is. Pure.

A name may turn its own letters round (`txt.exe` shown as `exe.txt`), hide some, or borrow another alphabet's.
What is odd in it is written out or marked; nothing is left out of what is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final
from urllib.parse import quote

LONGEST: Final = 150
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*;%]+')
_SPACES: Final = re.compile(r"\s+")


class Odd(StrEnum):
    """What is odd about a part of a name."""

    HIDDEN = "hidden"  # not to be seen, or turns what follows round
    FOREIGN = "foreign"  # a letter of another alphabet than most of the name's


@dataclass(frozen=True)
class Part:
    text: str
    odd: Odd | None = None


def parts(name: str) -> tuple[Part, ...]:
    """The name in pieces, those marked that look like something they are not."""
    usual = _usual_alphabet(name)
    marked = [_marked(character, usual) for character in name]
    return tuple(
        Part("".join(part.text for part in same), odd) for odd, same in groupby(marked, lambda part: part.odd)
    )


def is_odd(name: str) -> bool:
    return any(part.odd is not None for part in parts(name))


def disposition(name: str, kind: str = "attachment") -> str:
    """A Content-Disposition (RFC 6266, RFC 8187) under which no browser writes anywhere but where it should,
    or runs what it gets."""
    safe = sanitised(name)
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode() or "fichier"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def sanitised(name: str) -> str:
    """`name` without what systems take for more than letters; `fichier` where nothing is left."""
    kept = [c for c in unicodedata.normalize("NFC", name) if c == " " or not (_hides(c) or c.isspace())]
    plain = _SPACES.sub(" ", _UNSAFE.sub("_", "".join(kept))).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if len(plain) > LONGEST:
        plain = (
            f"{stem[: LONGEST - len(ending) - 1]}.{ending}" if dot and len(ending) < 10 else plain[:LONGEST]
        )
    return plain or "fichier"


def _marked(character: str, usual: str | None) -> Part:
    if _hides(character):
        return Part(f"⟨U+{ord(character):04X}⟩", Odd.HIDDEN)
    alphabet = _alphabet(character)
    return Part(character, Odd.FOREIGN if alphabet not in (None, usual) else None)


def _hides(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _usual_alphabet(name: str) -> str | None:
    """That of most letters; Latin where as many are Latin."""
    found = list(_alphabets(name))
    return max(found, key=lambda one: (found.count(one), one == "LATIN")) if found else None


def _alphabets(name: str) -> Iterator[str]:
    return (found for found in map(_alphabet, name) if found is not None)


def _alphabet(character: str) -> str | None:
    """Of a letter, the first word of its Unicode name; a full-width or mathematical letter is of another
    alphabet than plain ones."""
    if not character.isalpha():
        return None
    return unicodedata.name(character, "UNKNOWN").split(" ", maxsplit=1)[0]
