"""How values, comparisons and measures are said in French and in English. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlglot.expressions as sge

from hub_config.web.texts import Language
from p4dp_sdk.catalogue import Code, Role


@dataclass(frozen=True)
class Speech:
    """`quoted` holds a label; `functions` and `parts` say measures and parts of dates, `%s` is of what;
    `over` says which rows a measure goes over; `days` says measures of dates."""

    language: Language
    day: str
    quoted: str
    among: str
    between: str
    absent: str
    present: str
    both: str
    either: str
    neither: str
    differs: str
    when: str
    otherwise: str
    blank: str
    where: str
    beside: str
    of: str
    over: str
    patients: str
    rows: str
    distinct: str
    quantile: str
    descending: str
    ascending: str
    same: str
    same_of: str
    people: str
    groups: str
    distinct_rows: str
    also: str
    either_of: str
    pairs: str
    further: str
    patient: str
    present_in: Mapping[Role, str]
    absent_from: Mapping[Role, str]
    lacks: str
    unless: str
    only_if: str
    one_if: str
    some: str
    starts: str
    or_else: str
    least: str
    greatest: str
    first: str
    last: str
    functions: Mapping[type[sge.Expr], str]
    parts: Mapping[str, str]
    days: Mapping[type[sge.Expr], str]
    starts_of: Mapping[str, str]
    between_days: Mapping[str, str]
    lengths: Mapping[str, str]

    def date(self, literal: str) -> str:
        """Raises ValueError for a day that there is not."""
        return date.fromisoformat(literal).strftime(self.day)


FRENCH: Final = Speech(
    language="fr",
    day="%d/%m/%Y",
    quoted="« %s »",
    among="%s parmi %s",
    between="%s de %s à %s",
    absent="%s non renseigné",
    present="%s renseigné",
    both=" et ",
    either=" ou ",
    neither="sauf (%s), sans ce qui n’est pas renseigné",
    differs="%s ≠ %s, sans ce qui n’est pas renseigné",
    when="%s si %s",
    otherwise="sinon %s",
    blank="sinon non renseigné",
    where="%s où %s",
    beside="%s, avec %s",
    of=" [%s]",
    over="%s (sur les lignes de %s)",
    patients="nombre de patients distincts",
    rows="nombre de lignes de %s",
    distinct="nombre de valeurs distinctes de %s",
    quantile="quantile %s de %s",
    descending="%s, décroissant",
    ascending="%s, croissant",
    same="%s du même patient",
    same_of="%s de mêmes %s",
    people="patients de %s",
    groups="groupes distincts (%s) de %s",
    distinct_rows="combinaisons distinctes (%s) de %s",
    also="%s et %s réunis",
    either_of="%s ou %s",
    patient="patient",
    pairs="chaque ligne de %s avec chaque ligne de %s du même patient",
    further=" ; ",
    present_in={Role.PATIENT: "patient présent dans %s", Role.EVENT: "consultation présente dans %s"},
    absent_from={Role.PATIENT: "patient absent de %s"},
    lacks="sauf (%s)",
    unless="sauf (%s), en gardant ce qui n’est pas renseigné",
    only_if="(%s) et renseigné",
    one_if="1 si (%s), sinon 0",
    some="au moins une ligne de %s où %s",
    starts="%s commence par %s",
    or_else=", ou à défaut ",
    least="le plus petit de : %s (sans ce qui n’est pas renseigné)",
    greatest="le plus grand de : %s (sans ce qui n’est pas renseigné)",
    first="%s de la première ligne dans l’ordre : %s",
    last="%s de la dernière ligne dans l’ordre : %s",
    functions={
        sge.Min: "plus petite valeur de %s",
        sge.Max: "plus grande valeur de %s",
        sge.Count: "nombre de lignes où %s est renseigné",
        sge.Sum: "somme de %s",
        sge.Avg: "moyenne de %s",
        sge.Median: "médiane de %s",
        sge.StddevSamp: "écart-type de %s",
        sge.Variance: "variance de %s",
    },
    parts={"YEAR": "année de %s", "QUARTER": "trimestre de %s", "MONTH": "mois de %s"},
    days={sge.Min: "plus ancienne valeur de %s", sge.Max: "plus récente valeur de %s"},
    starts_of={
        "WEEK": "lundi de la semaine de %s",
        "MONTH": "premier jour du mois de %s",
        "QUARTER": "premier jour du trimestre de %s",
        "YEAR": "premier jour de l’année de %s",
    },
    between_days={
        "DAY": "jours de %s à %s",
        "MONTH": "mois de calendrier de %s à %s",
        "YEAR": "années de calendrier de %s à %s",
    },
    lengths={"DAY": "jours", "WEEK": "semaines", "MONTH": "mois", "YEAR": "ans"},
)

ENGLISH: Final = Speech(
    language="en",
    day="%Y-%m-%d",
    quoted="“%s”",
    among="%s among %s",
    between="%s from %s to %s",
    absent="%s unknown",
    present="%s known",
    both=" and ",
    either=" or ",
    neither="except (%s), without what is unknown",
    differs="%s ≠ %s, without what is unknown",
    when="%s if %s",
    otherwise="else %s",
    blank="else unknown",
    where="%s where %s",
    beside="%s, with %s",
    of=" [%s]",
    over="%s (over the rows of %s)",
    patients="number of distinct patients",
    rows="number of rows of %s",
    distinct="number of distinct values of %s",
    quantile="quantile %s of %s",
    descending="%s, descending",
    ascending="%s, ascending",
    same="%s of the same patient",
    same_of="%s of the same %s",
    people="patients of %s",
    groups="distinct groups (%s) of %s",
    distinct_rows="distinct combinations (%s) of %s",
    also="%s and %s together",
    either_of="%s or %s",
    patient="patient",
    pairs="each row of %s with each row of %s of the same patient",
    further="; ",
    present_in={Role.PATIENT: "patient present in %s", Role.EVENT: "consultation present in %s"},
    absent_from={Role.PATIENT: "patient absent from %s"},
    lacks="except (%s)",
    unless="except (%s), keeping what is unknown",
    only_if="(%s) and known",
    one_if="1 if (%s), else 0",
    some="at least one row of %s where %s",
    starts="%s starts with %s",
    or_else=", or failing that ",
    least="the smallest of: %s (without what is unknown)",
    greatest="the greatest of: %s (without what is unknown)",
    first="%s of the first row in the order: %s",
    last="%s of the last row in the order: %s",
    functions={
        sge.Min: "smallest value of %s",
        sge.Max: "greatest value of %s",
        sge.Count: "number of rows where %s is known",
        sge.Sum: "sum of %s",
        sge.Avg: "mean of %s",
        sge.Median: "median of %s",
        sge.StddevSamp: "standard deviation of %s",
        sge.Variance: "variance of %s",
    },
    parts={"YEAR": "year of %s", "QUARTER": "quarter of %s", "MONTH": "month of %s"},
    days={sge.Min: "earliest value of %s", sge.Max: "latest value of %s"},
    starts_of={
        "WEEK": "Monday of the week of %s",
        "MONTH": "first day of the month of %s",
        "QUARTER": "first day of the quarter of %s",
        "YEAR": "first day of the year of %s",
    },
    between_days={
        "DAY": "days from %s to %s",
        "MONTH": "calendar months from %s to %s",
        "YEAR": "calendar years from %s to %s",
    },
    lengths={"DAY": "days", "WEEK": "weeks", "MONTH": "months", "YEAR": "years"},
)

COMPARISONS: Final[Mapping[type[sge.Expr], str]] = {
    sge.EQ: "=",
    sge.GT: ">",
    sge.GTE: "≥",
    sge.LT: "<",
    sge.LTE: "≤",
}
ARITHMETIC: Final[Mapping[type[sge.Expr], str]] = {
    sge.Add: "+",
    sge.Sub: "−",
    sge.Mul: "×",
    sge.Div: "÷",
}


def speech(language: Language) -> Speech:
    return FRENCH if language == "fr" else ENGLISH


def labels(language: Language) -> Callable[[Code], str]:
    return (lambda code: code.label_fr) if language == "fr" else (lambda code: code.label_en)
