"""Which exported text is kept, as SQL: only what a closed grammar accepts. Pure text in, text out.

A measurement's raw text is a number or one of a few words; a raw unit is one that the catalogue, its
synonyms or the mapping know; a vaccine's label consists of known words. Of any other text the row keeps
`WITHHELD`, which says no more than that something stood there. `WITHHELD` is no word of any export.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Final

from hub_config.warehouse.schema import literal
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Column, Role

WITHHELD: Final = "[…]"
# Seven digits before the decimal sign hold every count of cells; a telephone number, a social security
# number, a professional's number or a date without signs have eight or more.
NUMBER: Final = r"([<>≤≥]=?|=)?\s?[+-]?(\d{1,7}([.,]\d{0,17})?|[.,]\d{1,17})([eE][+-]?\d{1,3})?"
_ABSENT: Final = ("absence", "absent", "indetectable", "negatif", "negative", "nul")
_RESULTS: Final = frozenset((*_ABSENT, "normal", "positif", "positive", "presence", "present", "traces"))
_SOFTWARE: Final = r"software-[a-p]{8}"


def keeps_text(column: Column) -> bool:
    """Whether any text could be stored in it: no code system says which it may hold."""
    return column.dtype == "string" and column.codes is None and column.role is not Role.EVENT


def kept(column: str, text: str, words: Collection[str] = ()) -> str:
    """The SQL value `text` of a column that keeps text, or `WITHHELD`; null stays null. `words` are units
    that the mapping knows."""
    return (
        f"CASE WHEN {text} IS NULL OR {is_kept(column, text, words)} THEN {text} ELSE {literal(WITHHELD)} END"
    )


def is_kept(column: str, text: str, words: Collection[str] = ()) -> str:
    """The SQL condition that `text` may be kept in `column`; of an unknown column nothing may."""
    match column:
        case "value_raw":
            return _any(
                f"regexp_full_match(trim({text}), {literal(NUMBER)})", _one_of(_plain(text), _RESULTS)
            )
        case "unit_raw":
            return _any(f"{text} = ''", _one_of(f"trim({text})", {*known_units(), *words}))
        case "label_raw":
            return (
                f"len(list_filter(regexp_split_to_array({_plain(text)}, '[^a-z0-9]+'), w -> w <> '' "
                f"AND NOT regexp_full_match(w, '\\d{{1,2}}') AND w NOT IN ({_listed(vaccine_words())}))) = 0 "
                f"AND length(regexp_replace({text}, '\\D', '', 'g')) <= 4 "  # no telephone, no day
                f"AND regexp_full_match({_plain(text)}, '[ -~°®™’–]*')"  # no letters or digits but ours
            )
        case "software":
            return f"regexp_full_match({text}, {literal(_SOFTWARE)})"
        case _:
            return "false"


@cache
def known_units() -> frozenset[str]:
    """UCUM codes of the catalogue, and how laboratories write them."""
    synonyms = files("p4dp_sdk.catalogue.reference") / "unit_synonyms.csv"
    with synonyms.open(encoding="utf-8") as file:
        written = {cell for row in csv.DictReader(file) for cell in (row["written"], row["ucum"])}
    return frozenset(written | {code.code for code in load_catalogue().code_systems["unit"].codes})


@cache
def vaccine_words() -> frozenset[str]:
    text = (files("hub_config.warehouse.privacy") / "vaccine_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _plain(text: str) -> str:
    return f"lower(strip_accents(trim({text})))"


def _one_of(text: str, words: Collection[str]) -> str:
    return f"{text} IN ({_listed(words)})"


def _listed(words: Collection[str]) -> str:
    return ", ".join(literal(word) for word in sorted(words))


def _any(*conditions: str) -> str:
    return f"({' OR '.join(conditions)})"
