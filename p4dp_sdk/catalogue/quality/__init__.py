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
    (None: no end). `source` is "who" (WHO growth standards and reference, z of -6 to +5, rounded outwards),
    "facts" (published with the dashboards) or "own": wide on purpose, so that only what no body has is set
    aside."""

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
    """The heights (cm) at 4 standard deviations under and over the median, by sex ("M", "F") and completed
    months of age from 0 to 227: the lower one of a child a month younger, the upper one of a child a month
    older, since births are known to the month. WHO Child Growth Standards (2006) before 5 years, WHO growth
    reference (de Onis et al., Bull World Health Organ 2007;85:660-7) from there on; L is 1: M (1 + S z).
    """
    return MappingProxyType(
        {
            (row["sex"], int(row["age_months"])): (float(row["low"]), float(row["high"]))
            for row in _rows("height_for_age.csv")
        }
    )


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
