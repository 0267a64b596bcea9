"""One thing has one name on every screen: wherever the English says it, the French says the one word for it.

Read are the pairs of all gettext catalogues, whichever language is the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FRENCH_SOURCE = ("p4dp-hub", "p4dp-web", "p4dp-airlock", "p4dp-register", "p4dp-desk")


@dataclass(frozen=True)
class Pair:
    where: str
    english: str
    french: str


def pairs() -> Iterator[Pair]:
    for path in sorted((*ROOT.glob("hub_config/*/locale/**/*.po"), *ROOT.glob("p4dp_sdk/locale/**/*.po"))):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and message.string:
                    ids, strings = _texts(message.id), _texts(message.string)
                    for one, other in zip(ids, strings, strict=False):
                        french_first = path.stem in FRENCH_SOURCE
                        yield Pair(path.stem, *_plain(*((other, one) if french_first else (one, other))))


def _texts(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]


def _plain(*texts: str) -> tuple[str, ...]:
    return tuple(text.replace("’", "'").replace("\N{NO-BREAK SPACE}", " ").lower() for text in texts)


NAMES = {
    # what the English says: how the French must then say it
    r"\bairlock": r"\bsas\b",
    r"\binbound airlock": r"sas d'entrée",
    r"\brequests? (of|for) release|\brelease requests?": r"demandes?\b",
    r"\bborn.safe": r"conformes? d'origine",
    r"\breproduced": r"reproduit",
    r"\bunverified|\bto be verified": r"à vérifier",
    r"\breviewers?\b": r"relecteur",
    r"\bto be mended": r"à corriger",
    r"\bfiles? (is |are )?put aside|\bquarantine": r"à l'écart",
    r"\brecall": r"rappel",
    r"\bfindings?\b": r"constat",
    r"\bwithheld": r"masqué",
    r"\bsecondary suppression": r"masquage complémentaire",
    r"\bcells?\b": r"cellule",
    r"\bdrafts?\b": r"brouillon",
    r"\bledger\b": r"mémoire des réponses",
    r"\bthe (\w+ )?grant\b": r"\bdroit",
    r"\bindividual data": r"données individuelles",
    r"\bsnapshots?\b": r"versions? figée",
    r"\bobjections?\b": r"opposition",
    r"\bwithdrawals?\b": r"retrait",
    r"\bindex dates?\b": r"inclusion",
    r"\bwashout\b": r"sans antécédent",
    r"\bflow chart": r"diagramme de flux",
    r"\bfollow-up": r"suivi",
    r"\blook-ahead": r"fuite temporelle",
    r"\bcode lists?": r"listes? de codes",
    r"\bactive list": r"file active",
    r"\bworkspaces?\b": r"\bespaces?\b",
    r"\bregister\b": r"registre",
    r"\baudit log": r"journal d'audit",
    r"\bgateway\b": r"passerelle",
    r"\bsandbox\b": r"bac à sable",
    r"\bnotebooks?\b": r"notebook",
    r"\bcommittee": r"comité|\bcse\b",
}


def astray(read: list[Pair]) -> list[str]:
    """The pairs whose French has another word than the glossary's."""
    return [
        f"{pair.where}: {pair.english} → {pair.french} (expected: {french})"
        for english, french in NAMES.items()
        for pair in read
        if re.search(english, pair.english) and not re.search(french, pair.french)
    ]


def test_one_thing_has_one_name() -> None:
    assert astray(list(pairs())) == []


def test_another_word_is_noticed() -> None:
    assert astray([Pair("p", "this notebook", "ce carnet")]) and astray([Pair("p", "a cell", "une case")])


@pytest.mark.parametrize("english", ["airlock", "reviewer", "snapshot", "notebook", "cell", "draft"])
def test_the_catalogues_speak_of_it(english: str) -> None:
    assert [pair for pair in pairs() if english in pair.english], "the glossary would hold of nothing"
