"""A cell as a person reads it: a number in French or English, a percentage, `n (%)`, a mask, a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MASKS: Final = frozenset(
    {
        *("", "*", "**", "***", "x", "xx", "s", "c", "nd", "na", "n/a", "nan", "none", "null", "<na>"),
        *("-", "--", "–", "—", "…", "...", ".", "•", "masque", "masqué", "supprimé", "suppressed"),
        *("redacted", "[redacted]", "[masqué]", "secret", "confidentiel"),
    }
)
_EMPTY: Final = frozenset({"", "nan", "none", "null", "-", "--", "–", "—", "."})
_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2009']+")
_BELOW: Final = re.compile(r"(n\s*)?[<≤]\s*=?\s*\d{1,3}|moins de \d{1,3}|less than \d{1,3}|under \d{1,3}")
_NUMBER: Final = (
    r"[+-]?\d{1,3}(?:[\s\u00a0\u202f\u2009',]\d{3})+(?:[.,]\d+)?"
    r"|[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?"
)
_ONE: Final = re.compile(rf"({_NUMBER})\s*(%)?")
_COUNT_AND_SHARE: Final = re.compile(r"(\d[\d\s\u00a0\u202f]*)\s*[(\[]\s*(\d+(?:[.,]\d+)?)\s*(%)?\s*[)\]]")
_COUNT_OF: Final = re.compile(r"(\d[\d\s\u00a0\u202f]*)\s*/\s*(\d[\d\s\u00a0\u202f]*)(?:\s*[(\[].*[)\]])?")
_STATISTIC: Final = re.compile(
    r"[+-]?\d+(?:[.,]\d+)?\s*%?\s*(?:[(\[][^()\[\]]*\d[^()\[\]]*[)\]]|(?:±|\+/-)\s*\d+(?:[.,]\d+)?)"
)
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """`number` of a plain number; `count`, `share`, `of` of a composite one: `12 (4.5 %)`, `12/266`.
    `statistic`: a mean or an estimate with its spread: `61,2 (14,8)`, `27 [24 ; 31]`."""

    text: str
    number: float | None = None
    percent: bool = False
    decimals: int = 0
    masked: bool = False
    empty: bool = False
    count: int | None = None
    share: float | None = None
    of: int | None = None
    statistic: bool = False

    @property
    def whole(self) -> int | None:
        """The number as a count, where it can be one."""
        if self.count is not None:
            return self.count
        if self.number is None or self.percent or self.number != int(self.number):
            return None
        return int(self.number)


@lru_cache(maxsize=20_000)
def read_cell(text: str) -> Cell:
    bare = text.strip().strip('"').strip()
    if len(bare) > _LONGEST:
        return Cell(bare)
    lowered = bare.lower()
    if lowered in MASKS:
        return Cell(bare, masked=True, empty=lowered in _EMPTY)
    if _BELOW.fullmatch(lowered):
        return Cell(bare, masked=True)
    return _plain(bare) or _composite(bare) or Cell(bare, statistic=bool(_STATISTIC.fullmatch(bare)))


def _plain(bare: str) -> Cell | None:
    match = _ONE.fullmatch(bare)
    if match is None:
        return None
    written = number_of(match[1])
    if written is None:
        return None
    number, decimals = written
    return Cell(bare, number=number, percent=bool(match[2]), decimals=decimals)


def _composite(bare: str) -> Cell | None:
    if match := _COUNT_AND_SHARE.fullmatch(bare):
        share = float(match[2].replace(",", "."))
        decimals = len(re.split(r"[.,]", match[2])[1]) if re.search(r"[.,]", match[2]) else 0
        if share <= 100:
            return Cell(bare, count=_whole(match[1]), share=share, percent=bool(match[3]), decimals=decimals)
    if match := _COUNT_OF.fullmatch(bare):
        return Cell(bare, count=_whole(match[1]), of=_whole(match[2]))
    return None


def _whole(text: str) -> int:
    return int(_SPACES.sub("", text))


def number_of(text: str) -> tuple[float, int] | None:
    """The value and its decimals. A comma before exactly three digits, once, is read as decimal only after a
    0 or where the number is long: `1,234` is a thousand in English; in French one writes `1 234`."""
    bare = _SPACES.sub("", text)
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", bare):
        bare = bare.replace(",", "")
    bare = bare.replace(",", ".")
    if bare.count(".") > 1:
        return None
    try:
        value = float(bare)
    except ValueError:
        return None
    if value in (float("inf"), float("-inf")):
        return None
    mantissa = re.split(r"[eE]", bare)[0]
    return value, len(mantissa.partition(".")[2].rstrip("0")) if "." in mantissa else 0
