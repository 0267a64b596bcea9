"""What the synthesis believes of general practice, read from `knowledge/`: one frozen value a line.

All of it is invented to look plausible. It is no estimate of anything, and no line describes a person.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator, TypeAdapter

from hub_config.warehouse.synthesis.arrays import Floats

OLDEST: Final = 100  # ages above count as this one

_Optional = BeforeValidator(lambda text: text or None)
MaybeDate = Annotated[date | None, _Optional]
MaybeCode = Annotated[str | None, _Optional]


@dataclass(frozen=True)
class Disease:
    """A logistic curve of lifetime onset: `female` and `male` are its plateaus, `mid` and `width` are years;
    a person one standard deviation more frail has it `frailty` years earlier."""

    code: str
    female: float
    male: float
    mid: float
    width: float
    frailty: float


@dataclass(frozen=True)
class Event:
    """A coded event: how often, at which ages and months, in whom. `rows` is preset A's (or a weight)."""

    code: str
    rows: int
    ages: str
    sex: MaybeCode
    season: str
    disease: MaybeCode
    since: MaybeDate = None
    label: str = ""


@dataclass(frozen=True)
class Drug:
    """A lasting treatment: `share` of those with the disease take it, renewed at `renewal` of contacts."""

    atc: str
    disease: str
    share: float
    renewal: float
    large: float
    since: MaybeDate


@dataclass(frozen=True)
class AcuteDrug:
    cisp2: str
    atc: str
    share: float
    days: int


@dataclass(frozen=True)
class Analyte:
    """A result: level by sex, spread between and within persons (of logarithms where `log`), drift by year of
    age. Analytes that share an `effect` go together. `share` of blood samples ask for it."""

    analyte: str
    female: float
    male: float
    between: float
    within: float
    ages: float
    log: bool
    digits: int
    low: float
    high: float
    effect: str
    loading: float
    unit: str
    raw_unit: str
    raw_factor: float
    raw_digits: int
    share: float


@dataclass(frozen=True)
class Shift:
    """`share` of those with the disease have the analyte moved by `shift` (of logarithms where it is one)."""

    analyte: str
    disease: str
    shift: float
    share: float


@dataclass(frozen=True)
class PastEvent:
    kind: str
    cisp2: str
    rows: int
    ages: str
    sex: MaybeCode
    status: str


@dataclass(frozen=True)
class Centre:
    code: str
    label: str
    region: str
    region_label: str


@dataclass(frozen=True)
class Profiles:
    """Relative frequencies by year of age (0 to OLDEST) and by month; how much a season's size varies."""

    ages: Mapping[str, Floats]
    seasons: Mapping[str, Floats]
    epidemic: Mapping[str, float]


@dataclass(frozen=True)
class Knowledge:
    diseases: list[Disease]
    diagnoses: list[Event]
    reasons: list[Event]
    procedures: list[Event]
    vaccines: list[Event]
    chronic_drugs: list[Drug]
    acute_drugs: list[AcuteDrug]
    analytes: list[Analyte]
    shifts: list[Shift]
    past_events: list[PastEvent]
    centres: list[Centre]
    profiles: Profiles


def load_knowledge() -> Knowledge:
    """Everything in `knowledge/`. A malformed line is an error that names its field."""
    return Knowledge(
        diseases=TypeAdapter(list[Disease]).validate_python(_lines("diseases")),
        diagnoses=_events("diagnoses"),
        reasons=_events("reasons"),
        procedures=_events("procedures"),
        vaccines=_events("vaccines"),
        chronic_drugs=TypeAdapter(list[Drug]).validate_python(_lines("chronic_drugs")),
        acute_drugs=TypeAdapter(list[AcuteDrug]).validate_python(_lines("acute_drugs")),
        analytes=TypeAdapter(list[Analyte]).validate_python(_lines("analytes")),
        shifts=TypeAdapter(list[Shift]).validate_python(_lines("analyte_shifts")),
        past_events=TypeAdapter(list[PastEvent]).validate_python(_lines("histories")),
        centres=TypeAdapter(list[Centre]).validate_python(_lines("centres")),
        profiles=_profiles(),
    )


def _events(name: str) -> list[Event]:
    return TypeAdapter(list[Event]).validate_python(_lines(name))


def _profiles() -> Profiles:
    fields = tomllib.loads(_text("profiles.toml"))
    years = np.arange(OLDEST + 1)
    ages = {name: np.interp(years, *np.transpose(knots)) for name, knots in fields["ages"].items()}
    seasons = {name: np.array(months, float) for name, months in fields["seasons"].items()}
    return Profiles(ages, seasons, fields["epidemic"])


def _lines(name: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(_text(f"{name}.csv").splitlines()))


def _text(name: str) -> str:
    return (files(__package__) / "knowledge" / name).read_text(encoding="utf-8")
