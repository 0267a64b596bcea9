"""The quality rules and what they rest on, as data: what each looks for, why, and on whose word.

`rules.toml` is the one registry. The warehouse applies it while a snapshot is made
(`hub_config.warehouse.quality`), the workspace explains it, the reference page is drawn from it. A rule's
`dq_code` is a code of the catalogue: several rules may share one. Pure: reads this package's files only.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Final

FINE: Final = "ok"

__all__ = ["FINE", "Effect", "Plausible", "Rule", "load_height_limits", "load_plausible", "load_rules"]


class Effect(StrEnum):
    """What a rule does to a row it fires on. None touches what was exported."""

    CORRECTS = "corrects"  # the harmonised value is put right
    SETS_ASIDE = "sets_aside"  # the harmonised value is emptied
    MARKS = "marks"  # the row bears the code, nothing else changes
    COUNTS = "counts"  # counted in quality.json: rows bear nothing


@dataclass(frozen=True)
class Rule:
    """`kinds` are the measures or analytes it is asked of; none: of all."""

    name: str
    dq_code: str
    effect: Effect
    tables: tuple[str, ...]
    what_fr: str
    what_en: str
    why_fr: str
    why_en: str
    source: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plausible:
    """Inclusive bounds of a measure or analyte in `unit`, from `from_months` to before `to_months` of age
    (None: no end). `source` is "facts" (published with the dashboards) or "own": round numbers of ours, wide
    on purpose, so that only what no body has is set aside. Those of weights before 10 years and of heights
    are wider than what the WHO flags as biologically implausible: weight for age under -6 or over +5 standard
    deviations, length or height for age beyond 6 (WHO Anthro; WHO and UNICEF, Recommendations for data
    collection, analysis and reporting on anthropometric indicators in children under 5 years old, 2019)."""

    table: str
    kind: str
    unit: str
    from_months: int
    to_months: int | None
    low: float
    high: float
    source: str

    def covers(self, months: int) -> bool:
        return self.from_months <= months and (self.to_months is None or months < self.to_months)


@cache
def load_rules() -> Mapping[str, Rule]:
    """Every rule by its name, in the order they are asked."""
    document = tomllib.loads((files(__package__) / "rules.toml").read_text(encoding="utf-8"))
    rules = [_rule(fields) for fields in document["rules"]]
    if len({rule.name for rule in rules}) != len(rules):
        raise ValueError("a quality rule stands in rules.toml twice")
    return MappingProxyType({rule.name: rule for rule in rules})


@cache
def load_plausible() -> tuple[Plausible, ...]:
    """The table of plausibility, in the order of the file: a kind's ages follow one another without a gap."""
    return tuple(
        Plausible(
            table=row["table"],
            kind=row["kind"],
            unit=row["unit"],
            from_months=int(row["from_months"]),
            to_months=int(row["to_months"]) if row["to_months"] else None,
            low=float(row["low"]),
            high=float(row["high"]),
            source=row["source"],
        )
        for row in _rows("plausible.csv")
    )


@cache
def load_height_limits() -> Mapping[tuple[str, int], tuple[float, float]]:
    """The heights (cm) that are believed, by sex ("M", "F") and completed months of age from 0 to 227.

    Our own round numbers, even centimetres at some twenty ages and straight lines between: never narrower
    than 4 standard deviations about the median of the WHO Child Growth Standards (2006) and growth reference
    (de Onis et al., Bull World Health Organ 2007;85:660-7) of a child a month younger or older, since births
    are known to the month, and up to 4 cm wider. The WHO's tables are not here, nor can they be worked out
    from these limits: it keeps its rights in them (its publications are CC BY-NC-SA 3.0 IGO, its R packages
    with the tables GPL 3), under which this project can't pass them on.
    """
    knots: dict[str, list[tuple[int, float, float]]] = {}
    for row in _rows("height_for_age.csv"):
        knots.setdefault(row["sex"], []).append(
            (int(row["age_months"]), float(row["low"]), float(row["high"]))
        )
    return MappingProxyType(
        {
            (sex, months): _between(one, other, months)
            for sex, ages in knots.items()
            for one, other in pairwise(ages)
            for months in range(one[0], other[0])
        }
    )


def _between(
    one: tuple[int, float, float], other: tuple[int, float, float], months: int
) -> tuple[float, float]:
    """On the straight lines, to the millimetre."""
    share = (months - one[0]) / (other[0] - one[0])
    _, low, high = (round(a + share * (b - a), 1) for a, b in zip(one, other, strict=True))
    return low, high


def _rule(fields: dict[str, object]) -> Rule:
    effect, tables = Effect(str(fields.pop("effect"))), fields.pop("tables")
    kinds = fields.pop("kinds", ())
    return Rule(effect=effect, tables=_names(tables), kinds=_names(kinds), **_texts(fields))


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("tables and kinds of a quality rule are lists of names")
    return tuple(str(each) for each in value)


def _texts(fields: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in fields.items()}


def _rows(name: str) -> list[dict[str, str]]:
    with (files("p4dp_sdk.catalogue.reference") / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
