"""What in a text has the form of personal data, and what it says of small groups. Pure, linear in time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hub_config.airlock.checks.inside.disclosure.written import WORDS

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
_WORDED: Final = re.compile(
    r"(?<![\w-])(?<!environ )(?<!moins )(?<!moins de )(?<!plus de )(?<!at least )(?<!than )(?<!under )"
    r"(deux|trois|quatre|cinq|six|sept|huit|neuf|dix|two|three|four|five|seven|eight|nine|ten) "
    r"(?:nouveaux |nouvelles |jeunes |autres |new |other )?"
    r"(?:patients|patientes|femmes|hommes|women|men|enfants|children|décès|deaths|participants|participantes|"
    r"malades|garçons|filles|girls|boys|subjects|nourrissons|infants)\b",
    re.I,
)
_CONDITION: Final = re.compile(
    r"(?<![\w.,%/-])(\d{1,2}) (?:VIH|HIV|SIDA|AIDS|SLA|VHC|VHB|HCV|HBV|décédée?s|hospitalisée?s|diabétiques|"
    r"diabetics|fumeurs|fumeuses|smokers|séropositi(?:fs|ves)|perdus de vue|lost to follow-up|suicides)"
    r"\b(?![-/])"
)
_EVENT: Final = re.compile(r"(?<![\w.,%/-])(\d{1,2}) (?:AVC|IDM|TVP|EP|IVG|SEP|BPCO|COPD|TSA|IRC)\b(?!\s*\d)")
_EXCEPT: Final = re.compile(
    r"\b(?:tou(?:te)?s|all|everyone|everybody)\b[^.;:\d]{0,60}?\b(?:sauf|hormis|excepté|à l'exception de|but|"
    r"except|apart from)\s+(?:les |the |for )?(\d{1,2}|"
    + "|".join(each for each in WORDS if WORDS[each])
    + r")\b(?! ?[%.,/]\d)"
    r"(?!\s*(?:centres?|variables?|mod[eè]les?|questions?|items?|mois|months|years|ans)\b)",
    re.I,
)
_AMONG: Final = re.compile(
    r"(?:\b(?:parmi|sur|chez|among|of|in)\s+(?:les |the |nos |ces |our |these )?|\b(?P<sign>[nN])\s*=\s*)"
    r"(?P<of>\d{1,3}(?:[ \u00a0\u202f,]\d{3})+|\d{2,7})(?![\d%]|[.,]\d| ?%)",
    re.I,
)
_PERCENT: Final = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,4})?)[ \u00a0\u202f]?%")
_NO_SHARE: Final = re.compile(
    r"(?:\bIC|\bCI|intervalle\w*|confiance|confidence|seuil|alpha|puissance|power|level|baisse|hausse|augment\w+|"
    r"r[ée]du\w+|diminu\w+|increase\w*|decrease\w*|risque)\W{0,3}(?:\w+ ){0,3}$",
    re.I,
)
_MEASURED: Final = re.compile(
    r"HbA1c|glyqu|FEVG|éjection|ejection|saturation|SpO2|hématocrite|variation", re.I
)
_SENTENCE_END: Final = re.compile(r"[.!?;](?=\s|$)")
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
    for pattern in (_COUNTED, _CONDITION) if code else (_COUNTED, _CONDITION, _EQUALS):
        yield from (
            int(re.sub(r"\D", "", match[1]))
            for match in pattern.finditer(text)
            if not _PER_HUNDRED.match(text, match.end())
        )
    yield from (WORDS[match[1].lower()] for match in _WORDED.finditer(text))
    if _ONE.search(text):
        yield 1


def events(text: str) -> Iterator[int]:
    """« 3 AVC »: of so many people, or so many of one."""
    yield from (int(match[1]) for match in _EVENT.finditer(text))


def excepted(text: str) -> Iterator[int]:
    """« Tous sauf 4 »."""
    for match in _EXCEPT.finditer(text):
        yield WORDS.get(match[1].lower()) or int(match[1])


@dataclass(frozen=True)
class ToldShare:
    """A percentage behind the number it is of. `sure`: the sentence says « parmi », and names no measure in
    percent."""

    percent: float
    decimals: int
    of: int
    sure: bool


def shares(text: str) -> Iterator[ToldShare]:
    """« Parmi 1 000 patients, 0,4 % »: each percentage with the last whole before it in its sentence."""
    wholes = list(_AMONG.finditer(text)) if "%" in text else []
    for at, whole in enumerate(wholes):
        following = wholes[at + 1].start() if at + 1 < len(wholes) else len(text)
        end = _SENTENCE_END.search(text, whole.end(), following)
        stretch = text[whole.end() : end.start() if end else following]
        for match in _PERCENT.finditer(stretch):
            before = stretch[max(0, match.start() - 40) : match.start()]
            if not _NO_SHARE.search(before) and not re.match(r"\s*(?:IC|CI)\b", stretch[match.end() :]):
                _, _, decimals = match[1].replace(",", ".").partition(".")
                yield ToldShare(
                    percent=float(match[1].replace(",", ".")),
                    decimals=len(decimals),
                    of=int(re.sub(r"\D", "", whole["of"])),
                    sure=whole["sign"] is None and not _MEASURED.search(stretch[: match.end()]),
                )


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
