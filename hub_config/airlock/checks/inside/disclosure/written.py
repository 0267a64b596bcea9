"""A count as people write it: with a mark, a unit, « n = », « environ », in words, as two bounds. Pure.

    core("~7 patients (a)") == "7"        bounds_of("1 à 3") == (1, 3)

Nothing is guessed: what is taken off is a closed list; what is left is read as any number is, or not at all.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from hub_config.airlock.checks.inside.preview import shows

WORDS: Final = {
    "zéro": 0, "aucun": 0, "aucune": 0, "zero": 0, "un": 1, "une": 1, "one": 1, "deux": 2, "two": 2,
    "trois": 3, "three": 3, "quatre": 4, "four": 4, "cinq": 5, "five": 5, "six": 6, "sept": 7, "seven": 7,
    "huit": 8, "eight": 8, "neuf": 9, "nine": 9, "dix": 10, "ten": 10,
}  # fmt: skip
UNIT: Final = (
    r"(?:pts?|pat|patiente?s?|cas|cases?|sujets?|subjects?|pers|personnes?|people|persons?|femmes?|hommes?|women|"
    r"woman|men|man|enfants?|child|children|décès|deces|deaths?|participante?s?|malades?|individus?|individuals?|"
    r"garçons?|filles?|boys?|girls?|obs|observations?|dossiers?)\b\.?"
)
_NOTE: Final = (
    r"(?:\*{1,4}|[†‡§¶#]{1,3}|\^?(?<=[\d^])[a-h](?![\w.])"
    r"|[(\[](?:[a-z]|\*{1,3}|[†‡§¶#]{1,3}|note\s?\w?|nb|sic)[)\]])"
)
_NOTES: Final = re.compile(rf"(?:\s*{_NOTE})+$")
_BEFORE: Final = re.compile(
    r"^(?:~|≈|≃|∼|±|env\.?|environ|about|approx\.?|approximately|circa|ca\.?|près de|autour de|around|"
    r"roughly|nearly|presque|à peu près)?\s*(?:n\s*[=:]\s*)?(?=\d)"
)
_UNITS: Final = re.compile(rf"(?<=\d)\s*{UNIT}(?=\s*(?:[(\[/].*)?$)")
_IN_WORDS: Final = re.compile(rf"\b({'|'.join(WORDS)})\b(?=\s*(?:{UNIT})?\s*(?:[(\[].*)?$)")
_EMPHASIS: Final = re.compile(r"(\*{1,3}|_{1,3}|`|~~)(?=\S)(.*[^\s*_`~])\1")
_BOUND: Final = rf"(\d{{1,6}}|{'|'.join(WORDS)})"
_RANGE: Final = re.compile(
    rf"(?:entre\s+|between\s+|from\s+|de\s+)?[\[(]?{_BOUND}\s*(?:à|a|to|et|and|ou|or|-|–|—|‑|;|\.\.)\s*{_BOUND}[\])]?"
)
_UNDER: Final = re.compile(
    rf"(?:n\s*)?(<|≤|moins de|less than|under|fewer than|au plus|at most|inférieur à)\s*(=?)\s*{_BOUND}"
)
_OVER: Final = re.compile(
    rf"(?:n\s*)?(>|≥|plus de|more than|over|au moins|at least|supérieur à)\s*(=?)\s*{_BOUND}"
)
_ENDLESS: Final = 10**9
_END: Final = re.compile(r"\s*[.,;:?!]+$")
_INCLUSIVE: Final = ("≤", "au plus", "at most")


@lru_cache(maxsize=20_000)
def cleared(text: str) -> str:
    """Without what doesn't show and without emphasis; raised, lowered and circled digits as digits, but where
    they stand behind a number, as a footnote's mark does."""
    if not text.isascii():
        text = "".join(each for each in text if shows(each))
        text = "".join(_figure(text, at) for at in range(len(text))).strip()
    match = _EMPHASIS.fullmatch(text)
    return match[2].strip() if match else text


def _figure(text: str, at: int) -> str:
    sign = text[at]
    if unicodedata.category(sign) == "No":
        raised = unicodedata.decomposition(sign).startswith("<super>")
        if raised and text[:at].rstrip()[-1:].isdecimal():
            return ""
        return str(unicodedata.digit(sign, sign))
    if unicodedata.category(sign) == "Nd":
        return str(unicodedata.digit(sign))
    return sign


def circled(text: str) -> str:
    """Digits in circles and the like as digits; raised and lowered ones are exponents and indices."""
    return "".join(each if unicodedata.category(each) != "No" else _in_circle(each) for each in text)


def _in_circle(sign: str) -> str:
    if unicodedata.decomposition(sign).startswith(("<super>", "<sub>")):
        return sign
    return str(unicodedata.digit(sign, sign))


def core(text: str) -> str:
    """What is left of a cell in lower case when the marks, units and words about its number are taken off."""
    bare = _NOTES.sub("", _END.sub("", text)).strip().strip("'«»“”‘’ ")
    bare = _IN_WORDS.sub(lambda match: str(WORDS[match[1]]), bare, count=1)
    return _NOTES.sub("", _UNITS.sub("", _BEFORE.sub("", bare))).strip()


def is_withheld(text: str) -> bool:
    """`< 11`, « moins de 11 »: a bound in place of a count."""
    return bool(_UNDER.fullmatch(_UNITS.sub("", _NOTES.sub("", text)).strip()))


def bounds_of(text: str) -> tuple[int, int] | None:
    """The least and the most that a cell in lower case says: « 1 à 3 », « 2-4 », « < 4 »."""
    bare = _UNITS.sub("", _NOTES.sub("", text)).strip()
    if match := _UNDER.fullmatch(bare):
        most = _value(match[3])
        return (0, most if match[2] or match[1] in _INCLUSIVE else most - 1)
    if match := _OVER.fullmatch(bare.replace("\u00a0", " ")):
        return (_value(match[3]), _ENDLESS)
    if match := _RANGE.fullmatch(bare):
        low, high = _value(match[1]), _value(match[2])
        return (low, high) if low < high else None
    return None


def _value(text: str) -> int:
    return WORDS[text] if text in WORDS else int(text)
