"""The data traps of the published dashboards, planted on purpose: what share of which rows, and the rule.

Every trap keeps the raw value. Where the rule knows the remedy (a height in metres) the harmonised value is
right; else it is empty. The rates are the documentation: tests hold the data to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import Flags


class Rule(StrEnum):
    """Codes of the catalogue's `dq_code`."""

    OK = "ok"
    UNIT_CONVERTED = "unit_converted"
    UNIT_MISSING = "unit_missing"
    HEIGHT_IN_METRES = "height_in_metres"
    HEIGHT_IN_MILLIMETRES = "height_in_millimetres"
    BMI_BAD_HEIGHT = "bmi_bad_height"
    HEIGHT_ZSCORE = "height_zscore"
    BIRTH_WEIGHT_CARRIED = "birth_weight_carried"
    OUT_OF_RANGE = "out_of_range"
    INR_OUT_OF_RANGE = "inr_out_of_range"
    INR_NO_ANTICOAGULANT = "inr_no_anticoagulant"
    NOT_NUMERIC = "not_numeric"
    YEAR_PRECISION = "year_precision"
    EMPTY_VACCINATION = "empty_vaccination"
    DOSE_NOTE = "dose_note"
    POSSIBLE_DUPLICATE = "possible_duplicate"


@dataclass(frozen=True)
class Trap:
    rate: float
    of: str  # the rows it is a share of


TRAPS: Final = MappingProxyType(
    {
        Rule.HEIGHT_IN_METRES: Trap(0.004, "heights"),
        Rule.HEIGHT_IN_MILLIMETRES: Trap(0.001, "heights"),
        Rule.HEIGHT_ZSCORE: Trap(0.003, "heights before 18"),
        Rule.BIRTH_WEIGHT_CARRIED: Trap(0.004, "weights from 1 to 10 years"),
        Rule.OUT_OF_RANGE: Trap(0.0005, "blood pressures and laboratory results"),
        Rule.INR_OUT_OF_RANGE: Trap(0.01, "INR"),
        Rule.INR_NO_ANTICOAGULANT: Trap(0.06, "INR"),
        Rule.NOT_NUMERIC: Trap(0.002, "laboratory results"),
        Rule.UNIT_MISSING: Trap(0.005, "laboratory results"),
        Rule.EMPTY_VACCINATION: Trap(7_146 / 49_370, "vaccinations"),
        Rule.DOSE_NOTE: Trap(0.005, "vaccinations"),
        Rule.YEAR_PRECISION: Trap(0.06, "vaccinations"),
    }
)
MISSING_PHYSICIAN_RATE: Final = 0.001  # laboratory results that came without their GP
OBJECTION_RATE: Final = 0.001  # patients; every withdrawn practice's GP objects for all of its own

# Published rows, planted once each: (weight, height as exported, BMI as the software computed it).
METRES_CASE: Final = (51.0, 1.55, 212_278.88)
MILLIMETRES_CASE: Final = (64.9, 1_435.0, 0.32)
BIRTH_WEIGHT_CASE: Final = 3.58  # at 6 years
INR_CASES: Final = (0.00, 0.23)
NOT_NUMERIC_TEXTS: Final = ("<0,5", "négatif", "voir CR", "hémolysé", "en cours")
DOSE_NOTES: Final = (
    "3 covid et dtp à 25 ans (non",
    "à jour selon carnet",
    "dtp ? à revoir",
    "refus grippe, covid fait",
    "rappel fait au travail",
)

RULES: Final = tuple(rule.value for rule in Rule)


def rule_index(rule: Rule) -> int:
    """The place of `rule` in RULES; that of OK is 0."""
    return RULES.index(rule)


def caught(rng: np.random.Generator, among: Flags, rule: Rule) -> Flags:
    """The rows, among those eligible, that fall into the trap of `rule`."""
    return among & (rng.random(len(among)) < TRAPS[rule].rate)


def first_true(flags: Flags) -> Flags:
    """Only the first of the true places: where a published row is planted."""
    chosen = np.zeros(len(flags), bool)
    chosen[np.flatnonzero(flags)[:1]] = True
    return chosen
