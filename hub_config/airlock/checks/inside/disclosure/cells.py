"""A cell as a person reads it: a number in French or English, a percentage, `n (%)`, a mask, a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from hub_config.airlock.checks.inside.disclosure.written import bounds_of, cleared, core, is_withheld

MASKS: Final = frozenset(
    {
        *("", "*", "**", "***", "x", "xx", "s", "c", "nd", "na", "n/a", "nan", "none", "null", "<na>"),
        *("-", "--", "–", "—", "…", "...", ".", "•", "masque", "masqué", "supprimé", "suppressed"),
        *("n.d.", "nc", "n.c.", "nr", "n.r.", "non renseigné", "non disponible", "missing", "not available"),
        *("redacted", "[redacted]", "[masqué]", "secret", "confidentiel"),
    }
)
_EMPTY: Final = frozenset({"", "nan", "none", "null", "-", "--", "–", "—", "."})
_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2009']+")
_NUMBER: Final = (
    r"[+-]?\d{1,3}(?:[\s\u00a0\u202f\u2009',]\d{3})+(?:[.,]\d+)?"
    r"|[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?"
)
_ONE: Final = re.compile(rf"({_NUMBER})\s*(%)?")
_COUNT_AND_SHARE: Final = re.compile(r"(\d[\d\s\u00a0\u202f]*)\s*[(\[]\s*(\d+(?:[.,]\d+)?)\s*(%)?\s*[)\]]")
_SHARE_AND_COUNT: Final = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*%\s*[(\[]\s*(?:n\s*=\s*)?(\d[\d\s\u00a0\u202f]*)(?:/\s*(\d[\d\s\u00a0\u202f]*))?[)\]]"
)
_COUNT_OF: Final = re.compile(
    r"(\d[\d\s\u00a0\u202f]*)\s*(?:/|sur|of|out of|parmi|among)\s*(\d[\d\s\u00a0\u202f]*)(?:\s*[(\[].*[)\]])?"
)
_MASKED_SHARE: Final = re.compile(
    r"(?P<mask>\D*?|[<≤]\s*\d{1,3})\s*[(\[]\s*(?P<share>\d+(?:[.,]\d+)?)\s*%\s*[)\]]"
)
_STATISTIC: Final = re.compile(
    rf"(?:{_NUMBER})\s*%?\s*(?:[(\[][^()\[\]]*\d[^()\[\]]*[)\]]|(?:±|\+/-)\s*\d+(?:[.,]\d+)?)"
)
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """`number` of a plain number; `count`, `share`, `of` of a composite one: `12 (4.5 %)`, `12/266`.
    `statistic`: a mean or an estimate with its spread: `61,2 (14,8)`, `27 [24 ; 31]`. `bounds`: the least and
    the most that it says: `1 à 3`, `< 11`. `loose`: read of a number with marks, a unit, in words."""

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
    bounds: tuple[int, int] | None = None
    loose: bool = False

    @property
    def is_read(self) -> bool:
        """Whether anything is known of what it says."""
        told = (self.number, self.count, self.bounds)
        return self.masked or self.statistic or any(each is not None for each in told)

    @property
    def is_month(self) -> bool:
        """`4/2021`: in a column of counts, of so many; elsewhere more likely April."""
        return self.of is not None and 1900 <= self.of <= 2100 and (self.count or 0) <= 31

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
    shown = cleared(bare)
    lowered = shown.lower()
    if lowered in MASKS:
        return Cell(bare, masked=True, empty=lowered in _EMPTY)
    if (bounds := bounds_of(lowered)) is not None:
        return Cell(bare, masked=is_withheld(lowered), bounds=bounds)
    strict = _plain(bare, shown) or _composite(bare, shown) or _masked_share(bare, shown)
    return strict or _loosely(bare, core(lowered)) or Cell(bare, statistic=bool(_STATISTIC.fullmatch(shown)))


def _loosely(bare: str, core: str) -> Cell | None:
    """A whole number or a percentage; anything else with words around it says nothing for certain."""
    read = _plain(bare, core) or _composite(bare, core)
    if read is None or (read.whole is None and not read.percent):
        return None
    count = read.count if read.percent else read.whole
    return replace(read, number=read.number if read.percent else None, count=count, loose=True)


def _masked_share(bare: str, shown: str) -> Cell | None:
    """`* (0,4 %)`: the count is withheld, its percentage is not; `• (•)`: both are."""
    first, opening, second = shown.lower().partition("(")
    if opening and {first.strip(), second.rstrip(" )%").strip()} <= MASKS - {""}:
        return Cell(bare, masked=True)
    if opening and second.rstrip(" )%").strip() in MASKS - {""} and is_withheld(first.strip()):
        return Cell(bare, masked=True, bounds=bounds_of(first.strip()))
    match = _MASKED_SHARE.fullmatch(shown)
    if match is None or not (match["mask"].lower() in MASKS or match["mask"][:1] in ("<", "≤")):
        return None
    share, decimals = number_of(match["share"]) or (0.0, 0)
    return Cell(bare, masked=True, share=share, percent=True, decimals=decimals)


def _plain(bare: str, shown: str) -> Cell | None:
    match = _ONE.fullmatch(shown)
    if match is None:
        return None
    written = number_of(match[1])
    if written is None:
        return None
    number, decimals = written
    return Cell(bare, number=number, percent=bool(match[2]), decimals=decimals)


def _composite(bare: str, shown: str) -> Cell | None:
    if match := _COUNT_AND_SHARE.fullmatch(shown):
        share = float(match[2].replace(",", "."))
        decimals = len(re.split(r"[.,]", match[2])[1]) if re.search(r"[.,]", match[2]) else 0
        if share <= 100:
            return Cell(bare, count=_whole(match[1]), share=share, percent=bool(match[3]), decimals=decimals)
    if match := _SHARE_AND_COUNT.fullmatch(shown):
        share, decimals = number_of(match[1]) or (0.0, 0)
        of = _whole(match[3]) if match[3] else None
        if share <= 100:
            return Cell(bare, count=_whole(match[2]), share=share, percent=True, decimals=decimals, of=of)
    if match := _COUNT_OF.fullmatch(shown):
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
