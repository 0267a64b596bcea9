"""Long whole numbers in text, however written: what may be a pseudonym, for the gateway to recognise.

A pseudonym is a whole number of 63 bits. Found are: decimal digits of any script, raised or circled ones too,
with zeros before them, with signs between groups (spaces, commas, dots, apostrophes, underscores, hyphens),
after a minus sign, as a decimal fraction of zero (`.0`), in scientific notation, in hexadecimal (with or
without `0x`, or as a UUID), and as bytes or as digits in base64 and base32. Not found: numbers under twelve
digits (fifteen where written in groups), split over cells, spelled out in words, in other bases, encrypted,
or drawn in an image.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

LARGEST: Final = 2**63 - 1
SMALLEST: Final = 10**11  # one pseudonym in 90 million is smaller
MOST: Final = 100_000  # of one file; more are no table of results

_GAP: Final = r"[ \t\u00a0\u2007\u2009\u202f.,'’_\-]"
_FIGURES: Final = str.maketrans(
    "⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉⓪①②③④⑤⑥⑦⑧⑨🄀⒈⒉⒊⒋⒌⒍⒎⒏⒐⓿➊➋➌➍➎➏➐➑➒〇一二三四五六七八九", "0123456789" * 6
)  # fmt: skip
_PLAIN: Final = re.compile(r"(?<!\d)\d{12,40}+(?!\d)")
_GROUPED: Final = re.compile(rf"(?<!\d)\d{{1,9}}+(?:{_GAP}\d{{2,9}}+){{1,12}}+")
_DIGITS: Final = re.compile(r"\d+")
_LEAST_GROUPED: Final = 15  # digits: a pseudonym in ten thousand has fewer
_MOST_DIGITS: Final = 19
_SHORTEST_GROUPED: Final = _LEAST_GROUPED + 1
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d{1,25})?[eE]\+?\d{2}(?!\d)")
_HEXADECIMAL: Final = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?([0-9A-Fa-f]{12,16})(?![0-9A-Za-z])")
_UUID: Final = re.compile(
    r"(?<![0-9A-Za-z])([0-9A-Fa-f]{8})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{12})"
    r"(?![0-9A-Za-z])"
)
_BASE64: Final = re.compile(r"(?<![\w+/-])([A-Za-z0-9+/_-]{11,1400}+)(={0,2})(?![\w+/=-])")
_BASE32: Final = re.compile(r"(?<![\w+/-])([A-Z2-7]{13,1600}+)(={0,6})(?![\w+/=-])")


def long_numbers(text: str) -> frozenset[int]:
    """The numbers of `text` that a pseudonym may be behind, in whatever writing. More than `MOST`: not all of
    them."""
    found: set[int] = set()
    if not text.isascii():
        text = text.translate(_FIGURES)
    for reading in (_plain, _grouped, _scientific, _hexadecimal, _uuid, _base64, _base32):
        for number in reading(text):
            if is_long(number):
                found.add(number)
            elif LARGEST < number <= LARGEST + 1_024:  # so far a float rounds the largest ones up
                found.add(LARGEST)
            if len(found) > MOST:
                return frozenset(found)
    return frozenset(found)


def is_long(number: int) -> bool:
    return SMALLEST <= number <= LARGEST


def _plain(text: str) -> Iterator[int]:
    for match in _PLAIN.finditer(text):
        yield int(match[0])


def _grouped(text: str) -> Iterator[int]:
    """Every run of digits with single signs between its groups; each stretch of it long enough is a number:
    which group a number begins with is not known."""
    for match in _GROUPED.finditer(text):
        if len(match[0]) >= _SHORTEST_GROUPED:
            groups = _DIGITS.findall(match[0])
            for start in range(len(groups)):
                yield from _stretches(groups[start:])


def _stretches(groups: list[str]) -> Iterator[int]:
    joined = groups[0]
    for group in groups[1:]:
        joined += group
        if len(joined.lstrip("0")) > _MOST_DIGITS:
            return
        if len(joined) >= _LEAST_GROUPED:
            yield int(joined)


def _scientific(text: str) -> Iterator[int]:
    for match in _SCIENTIFIC.finditer(text):
        try:
            yield int(Decimal(match[0].replace(",", ".")))
        except (InvalidOperation, ValueError, OverflowError):
            continue


def _hexadecimal(text: str) -> Iterator[int]:
    for match in _HEXADECIMAL.finditer(text):
        yield int(match[1], 16)


def _uuid(text: str) -> Iterator[int]:
    for match in _UUID.finditer(text):
        digits = "".join(match.groups())
        yield from (int(digits[:16], 16), int(digits[16:], 16))


def _base64(text: str) -> Iterator[int]:
    for match in _BASE64.finditer(text):
        word = match[1].replace("-", "+").replace("_", "/")
        whole = word if len(word) % 4 != 1 else word[:-1]
        yield from _packed(base64.b64decode(whole + "=" * (-len(whole) % 4)), match)


def _base32(text: str) -> Iterator[int]:
    for match in _BASE32.finditer(text):
        word = match[1]
        whole = word[: len(word) - {1: 1, 3: 1, 6: 1}.get(len(word) % 8, 0)]
        yield from _packed(base64.b32decode(whole + "=" * (-len(whole) % 8)), match)


def _packed(content: bytes, match: re.Match[str]) -> Iterator[int]:
    """Digits; and eight by eight bytes, in either order, of a word that no language has."""
    if content.isascii():
        yield from _plain(content.decode())
    if match[2] or any(sign.isdigit() for sign in match[1]):
        for start in range(0, len(content) - 7, 8):
            eight = content[start : start + 8]
            yield from (int.from_bytes(eight, "big"), int.from_bytes(eight, "little"))
