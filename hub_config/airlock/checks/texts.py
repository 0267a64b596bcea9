"""What a finding means, in French and English: what is there, why it matters, how to mend it.

    say(finding, "fr").remedy

Blanks are filled from the finding's params, which are counts and words of ours, never a value of the file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, Literal

from hub_config.airlock.checks.inside.reasons import Reason
from hub_config.airlock.checks.words import documents, form, groups, params, proofs, quarantine
from hub_config.airlock.checks.words.words import Words
from hub_config.governance.releases.findings import Finding, Place, Rule

__all__ = ["WORDS", "Language", "Words", "say", "where", "why_quarantined"]

Language = Literal["fr", "en"]

WORDS: Final[Mapping[Rule, Mapping[Language, Words]]] = {
    **groups.WORDS,
    **form.WORDS,
    **documents.WORDS,
    **proofs.WORDS,
}


def say(finding: Finding, language: Language) -> Words:
    """The words of `finding`, its blanks filled."""
    words = WORDS[finding.rule][language]
    blanks = defaultdict(lambda: "…", {k: _filled(v, language) for k, v in finding.params.items()})
    what, why, remedy = (text.format_map(blanks) for text in (words.what, words.why, words.remedy))
    more = finding.params.get("more")
    return Words(what if more is None else f"{what} {_MORE[language] % more}", why, remedy)


def _filled(value: str | int, language: Language) -> str:
    if isinstance(value, int):
        return str(value)
    return params.FRENCH.get(value, value) if language == "fr" else value


_MORE: Final[Mapping[Language, str]] = {
    "fr": "(et %s autres endroits)",
    "en": "(and %s more places)",
}


def why_quarantined(reason: Reason, language: Language) -> Words:
    return quarantine.WORDS[reason][language]


def where(place: Place | None, language: Language) -> str:
    """« feuille 2, ligne 14, colonne 3 »; empty where a finding is about the whole file."""
    if place is None:
        return ""
    told = [
        f"{word} {number}"
        for word, number in zip(_PLACES[language], _numbers(place), strict=True)
        if number is not None
    ]
    return ", ".join([*told, *([place.what] if place.what else [])])


_PLACES: Final[Mapping[Language, tuple[str, ...]]] = {
    "fr": ("feuille", "page", "cellule", "ligne", "ligne", "colonne"),
    "en": ("sheet", "page", "cell", "row", "line", "column"),
}


def _numbers(place: Place) -> tuple[int | None, ...]:
    return (place.sheet, place.page, place.cell, place.row, place.line, place.column)
