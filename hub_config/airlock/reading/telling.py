"""A reading, from the relation that a definition comes to: its phrases with their letters. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub_config.airlock.reading.meaning import require
from hub_config.airlock.reading.relations import Relation, own_names, told_rows
from hub_config.airlock.reading.speech import Speech
from hub_config.airlock.reading.terms import Terms

_LONGEST_SAID: Final = 8_000


@dataclass(frozen=True)
class Said:
    """A column of the table: its name as asked, and what it says; or a letter, and what it stands for."""

    name: str
    what: str


@dataclass(frozen=True)
class Reading:
    """`rows`: which table's rows, and what stands beside each; `only`: which of them; `terms`: what letters
    stand for; `kept`: which lines of the result are shown; `order`: how they are sorted."""

    measures: tuple[Said, ...]
    keys: tuple[Said, ...]
    rows: str
    only: tuple[str, ...]
    kept: tuple[str, ...]
    order: tuple[str, ...]
    first: int | None
    terms: tuple[Said, ...] = ()


def told(relation: Relation, speech: Speech, terms: Terms) -> Reading:
    require(relation.counted)
    columns = [(name, lazy.meaning) for name, lazy in relation.columns.items()]
    rows, only = told_rows(relation, speech), tuple(dict.fromkeys(relation.only))
    said = [rows, *only, *relation.kept, *relation.order, *(meaning.said for _, meaning in columns)]
    letters = terms.lettered(said)

    def words(phrase: str) -> str:
        return letters.read(own_names(relation, phrase), speech.of)

    said_of = [(Said(name, words(meaning.said)), meaning.measure) for name, meaning in columns]
    reading = Reading(
        measures=tuple(one for one, measure in said_of if measure),
        keys=tuple(one for one, measure in said_of if not measure),
        rows=words(rows),
        only=tuple(map(words, only)),
        kept=tuple(map(words, relation.kept)),
        order=tuple(map(words, relation.order)),
        first=relation.first,
        terms=tuple(Said(letter, what) for letter, what in letters.terms(speech.of)),
    )
    require(_length(reading) <= _LONGEST_SAID)
    return reading


def _length(reading: Reading) -> int:
    columns = (*reading.measures, *reading.keys, *reading.terms)
    return sum(map(len, reading.only)) + sum(len(one.what) for one in columns)
