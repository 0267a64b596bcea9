"""A measure, declared: who or what is counted, under which conditions, in which window, on whose authority.

A measure computes nothing. Its `population` says in Ibis what one unit is and which conditions it meets, on
tables that may be those of a project, a person's own, or a test's; `compile` makes the one question of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from p4dp_sdk.indicators.window import Window
from p4dp_sdk.locale import Language, language

if TYPE_CHECKING:
    import ibis.expr.types as ir

Tables = Any  # tables by name, as attributes: `ws.tables`, `ws.me`, a namespace of a test's own
Population = Callable[[Tables, Window], "ir.Table"]
Words = tuple[str, str]  # in French, in English


class Unit(StrEnum):
    """What is counted, and so what a denominator is a number of."""

    PATIENT = "patient"  # distinct patients, as they were at the end of the window
    CONSULTATION = "consultation"  # consultations whose date lies in the window
    ROW = "row"  # rows (diagnoses, prescriptions, results) whose date lies in the window


@dataclass(frozen=True)
class Measure:
    """One indicator.

    `population(tables, window)` gives the units: one row a patient or an event, with `patient_id`, and where
    it can `sex`, `birth_month`, `centre_id` (events: `date`), and the boolean columns named below. A
    condition that is NULL is not met.

    `denominator` names the condition of those who are counted (None: all); `numerators` give each share's
    name and the condition its units meet beside the denominator's; without any, the measure only counts.
    `missing` names the condition of those of whom it is not known: a class apart, inside of no share.
    `window` is how many months before the reference date are looked at (None: the whole record). `quality`
    lists the rules of the quality layer that the measure needs. `keys` are further columns to divide by.
    `per` is what a share is said for: 1, or 100,000 of a rate.
    """

    id: str
    label_fr: str
    label_en: str
    explanation_fr: str
    explanation_en: str
    unit: Unit
    window: int | None
    population: Population
    source: str
    denominator: str | None = None
    numerators: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    quality: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    labels: Mapping[str, Words] = field(default_factory=dict)
    limits_fr: str = ""
    limits_en: str = ""
    per: int = 1

    @property
    def label(self) -> str:
        return self.label_en if language() is Language.ENGLISH else self.label_fr

    def name_of(self, column: str) -> str:
        """What people read for a numerator, the denominator or a key of this measure."""
        french, english = self.labels.get(column, (column, column))
        return english if language() is Language.ENGLISH else french


@dataclass(frozen=True)
class Dashboard:
    """Measures that are looked at together, in this order."""

    id: str
    label_fr: str
    label_en: str
    measures: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.label_en if language() is Language.ENGLISH else self.label_fr
