"""What in a text has the form of personal data, and what it says of small groups. Pure, linear in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_NIR: Final = re.compile(
    r"(?<!\d)([12]) ?(\d\d) ?(0[1-9]|1[0-2]|[2-9]\d) ?(\d\d|2[AB]) ?(\d{3}) ?(\d{3})(?: ?(\d\d))?(?!\d)"
)
_PHONE: Final = re.compile(
    r"(?<![\d.,+/-])(?:(?:\+|00)33[ .-]?(?:\(0\))?|0)[1-9](?:(?:[ .-]\d\d){4}|\d{8})(?![\d.,/-]*\d)"
)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_BORN: Final = re.compile(
    r"\b(?:née?(?:\(e\))?|ddn|born|d\.?o\.?b\.?|date de naissance|birth ?date)\b[^\d\n]{0,12}"
    r"\d{1,4}[-/. ](?:\d{1,2}|[a-zéû]{3,9})[-/. ]\d{2,4}",
    re.I,
)
_TITLED: Final = re.compile(
    r"\b(?:Mme|Mlle|Madame|Monsieur|Mrs|Mr|M\.|Patiente?|Dr\.?|Docteur|Doctor) (?:[A-ZÉÈ]\. ?)?"
    r"[A-ZÉÈÀÂ](?:[a-zéèêëàâîïôûç'-]{2,}|[A-ZÉÈ'-]{2,})\b"
)
_COUNTED: Final = re.compile(
    r"(?<![\w.,%])(\d{1,2}) (?:nouveaux |nouvelles |jeunes |autres |new |other )?"
    r"(patients?|patientes?|cas|cases?|sujets?|subjects?|personnes?|people|persons?|femmes?|hommes?|women|men|"
    r"enfants?|children|décès|deaths?|participants?|malades?|individus?|individuals?|garçons?|filles?|boys|girls)\b",
    re.I,
)
_ONE: Final = re.compile(
    r"\b(un seul|une seule|a single|only one) (patiente?|cas|case|sujet|subject|personne|person)\b", re.I
)
_EQUALS: Final = re.compile(r"(?<!\w)n\s*=\s*(\d{1,3}(?:[ \u00a0\u202f]\d{3})*)(?![\d.,]*\d)", re.I)
_OUT_OF: Final = re.compile(r"(?<![\d/.,])(\d{1,6}) ?/ ?(\d{2,7})(?![\d/])")


def personal(text: str) -> Iterator[str]:
    """Words of ours for what `text` holds; certain forms only."""
    if any(_is_nir(match) for match in _NIR.finditer(text)):
        yield "social-security number"
    if _PHONE.search(text):
        yield "telephone number"
    if "@" in text and _EMAIL.search(text):
        yield "e-mail address"
    if _BORN.search(text):
        yield "date of birth"


def titled_name(text: str) -> bool:
    return bool(_TITLED.search(text))


def _is_nir(match: re.Match[str]) -> bool:
    """With its key, which must fit; without, only when written in groups, as nothing else is."""
    number = "".join(match.groups("")[:6]).replace("2A", "19").replace("2B", "18")
    if match[7] is None:
        return match[0].count(" ") >= 5
    return 97 - int(number) % 97 == int(match[7])


def counted(text: str, *, code: bool = False) -> Iterator[int]:
    """The counts of people that a sentence tells; `code`: where `n = 3` sets a variable."""
    for pattern in (_COUNTED,) if code else (_COUNTED, _EQUALS):
        yield from (
            int(re.sub(r"\D", "", match[1]))
            for match in pattern.finditer(text)
            if not _PER_HUNDRED.match(text, match.end())
        )
    if _ONE.search(text):
        yield 1


_PER_HUNDRED: Final = re.compile(
    r"\s*(?:sur|pour|in|per|out of|/)\s*10{1,5}\b(?! ?\d)|\s*(?:sur|pour|in|per)\s*1[ \u00a0\u202f,]000\b",
    re.I,
)


def fractions(text: str) -> Iterator[tuple[int, int]]:
    """« 7/230 », but neither dates nor 12/12."""
    for match in _OUT_OF.finditer(text):
        part, whole = int(match[1]), int(match[2])
        if 0 < part < whole and not (part <= 31 and 1900 <= whole <= 2100):
            yield part, whole
