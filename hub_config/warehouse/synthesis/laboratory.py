"""Laboratory results: blood samples, what each asks for, and values that follow age, sex and disease.

French laboratories still report in grams and milligrams: the raw value is in their unit, the harmonised one
is converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import (
    NEVER,
    Coded,
    Columns,
    Flags,
    Floats,
    Ints,
    Numbers,
    Texts,
    day,
    stacked,
)
from hub_config.warehouse.synthesis.knowledge import Analyte
from hub_config.warehouse.synthesis.presets import Kind
from hub_config.warehouse.synthesis.scene import Scene
from hub_config.warehouse.synthesis.traps import (
    INR_CASES,
    MISSING_PHYSICIAN_RATE,
    NOT_NUMERIC_TEXTS,
    RULES,
    TRAPS,
    Rule,
    caught,
    first_true,
    rule_index,
)
from hub_config.warehouse.synthesis.treating import VITAMIN_K_ANTAGONISTS, Treatments

INR_SHARE: Final = 0.01
CONVENTIONAL_RATE: Final = 0.55  # results reported in the older unit, where there is one
INR_UNIT: Final = "{INR}"
_SAMPLES_BY_AGE: Final = ((0, 0.1), (15, 0.25), (30, 0.7), (50, 1.2), (70, 2.2), (90, 2.4), (110, 2.4))
# Who is asked for what more, or less, than others: analyte → disease → factor.
_MORE: Final = {
    "hba1c": {"T90": 38.0, "T89": 40.0},
    "uacr": {"T90": 15.0, "T89": 16.0, "U99": 8.0},
    "tsh": {"T86": 2.5},
    "psa": {"Y85": 1.5, "Y77": 2.5},
    "uric_acid": {"T92": 3.0},
    "ferritin": {"B80": 3.0},
}
# Screening has its ages: analyte → (sex or none, from, to).
_ONLY: Final = {"psa": ("M", 45, 85), "fit": (None, 50, 75), "hpv": ("F", 30, 66)}
_FIRST_DAYS: Final = {"hpv": day(date(2020, 1, 1)), "fit": day(date(2015, 5, 1))}


@dataclass(frozen=True)
class _Results:
    """Rows in the making. `value` is NaN where set aside; `raw` is in the older unit where `conventional`."""

    person: Ints
    days: Ints
    analyte: Ints
    value: Floats
    raw: Floats
    conventional: Flags
    rule: Ints


def analyse(scene: Scene, treatments: Treatments) -> Columns:
    """Exactly the plan's laboratory results: one in a hundred an INR."""
    rng = scene.rng("laboratory")
    total = scene.block.part(scene.plan.rows[Kind.LAB_RESULTS])
    inr = round(total * INR_SHARE)
    results = stacked([*_panels(scene, rng, total - inr), _clotting(scene, rng, treatments, inr)])
    return _columns(scene, rng, results)


# --- samples ---


def _panels(scene: Scene, rng: np.random.Generator, total: int) -> Iterator[_Results]:
    """Samples enough for `total` results, then the excess dropped at random."""
    analytes = scene.knowledge.analytes
    samples = total // 8 + 1
    while True:
        person, days = _samples(scene, rng, samples)
        asked = [_asked(scene, rng, analyte, person, days) for analyte in analytes]
        found = sum(len(rows) for rows in asked)
        if found >= total:
            break
        samples = int(samples * max(1.02, 1.02 * total / max(found, 1)))
    effects = {name: rng.standard_normal(len(scene.people)) for name in sorted({a.effect for a in analytes})}
    for place, (analyte, rows) in enumerate(zip(analytes, _dropped(rng, asked, found - total), strict=True)):
        yield _results(scene, rng, place, analyte, person[rows], days[rows], effects)


def _samples(scene: Scene, rng: np.random.Generator, number: int) -> tuple[Ints, Ints]:
    """Who gives blood and when: within each person's contacts, in proportion to time, age and illness."""
    people, contacts = scene.people, scene.contacts
    years = (contacts.last - contacts.first + 30) / 365.25
    middle = (contacts.first + contacts.last) // 2
    rate = np.interp(people.age_at(np.arange(len(people)), middle), *np.transpose(_SAMPLES_BY_AGE))
    ill = (people.onset <= middle).sum(axis=0)
    weights = years * rate * (1 + 0.15 * ill)
    counts = rng.multinomial(number, weights / weights.sum())
    person = np.repeat(np.arange(len(people)), counts)
    clock = scene.practices.clock
    return person, clock.draw(rng, people.practice[person], contacts.first[person], contacts.last[person])


def _asked(scene: Scene, rng: np.random.Generator, analyte: Analyte, person: Ints, days: Ints) -> Ints:
    """The samples that ask for `analyte`."""
    chance = np.full(len(person), analyte.share)
    for disease, factor in _MORE.get(analyte.analyte, {}).items():
        ill = scene.people.onset_of(disease)[person] <= days
        chance = np.where(ill, np.maximum(chance, analyte.share * factor), chance)
    if analyte.analyte in _ONLY:
        chance = chance * _eligible(scene, analyte.analyte, person, days)
    return np.flatnonzero(rng.random(len(person)) < chance)


def _eligible(scene: Scene, analyte: str, person: Ints, days: Ints) -> Flags:
    sex, low, high = _ONLY[analyte]
    age = scene.people.age_at(person, days)
    right_sex = scene.people.female[person] == (sex == "F") if sex else np.ones(len(person), bool)
    opened = _FIRST_DAYS.get(analyte, 0)
    return np.asarray((age >= low) & (age < high) & right_sex & (days >= opened))


def _dropped(rng: np.random.Generator, asked: Sequence[Ints], excess: int) -> list[Ints]:
    sizes = np.cumsum([len(rows) for rows in asked])
    kept = np.ones(int(sizes[-1]), bool)
    kept[rng.choice(int(sizes[-1]), excess, replace=False, shuffle=False)] = False
    return [rows[keep] for rows, keep in zip(asked, np.split(kept, sizes[:-1]), strict=True)]


# --- values ---


def _results(
    scene: Scene,
    rng: np.random.Generator,
    place: int,
    analyte: Analyte,
    person: Ints,
    days: Ints,
    effects: dict[str, Floats],
) -> _Results:
    value = _values(scene, rng, analyte, person, days, effects)
    conventional = (rng.random(len(person)) < CONVENTIONAL_RATE) & (analyte.unit != analyte.raw_unit)
    raw = np.where(conventional, np.round(value * analyte.raw_factor, analyte.raw_digits), value)
    value = np.where(conventional, np.round(raw / analyte.raw_factor, 2), value)
    return _spoil(
        rng,
        _Results(
            person,
            days,
            np.full(len(person), place),
            value,
            raw,
            conventional,
            np.where(conventional, rule_index(Rule.UNIT_CONVERTED), 0),
        ),
    )


def _values(
    scene: Scene,
    rng: np.random.Generator,
    analyte: Analyte,
    person: Ints,
    days: Ints,
    effects: dict[str, Floats],
) -> Floats:
    """Harmonised values: a level by sex and age, the person's own, the disease's, and the day's."""
    if analyte.analyte == "hpv":
        return (rng.random(len(person)) < 0.12).astype(float)
    people = scene.people
    own = effects[analyte.effect] if analyte.effect else rng.standard_normal(len(people))
    level = np.where(people.female[person], analyte.female, analyte.male)
    level = np.log(np.maximum(level, 1e-6)) if analyte.log else level
    level = level + analyte.ages * (people.age_at(person, days) - 45)
    level += analyte.loading * analyte.between * own[person]
    level += analyte.within * rng.standard_normal(len(person))
    for shift in scene.knowledge.shifts:
        if shift.analyte == analyte.analyte:
            moved = rng.random(len(people)) < shift.share
            level += shift.shift * (moved[person] & (people.onset_of(shift.disease)[person] <= days))
    return np.round(
        np.clip(np.exp(level) if analyte.log else level, analyte.low, analyte.high), analyte.digits
    )


def _spoil(rng: np.random.Generator, results: _Results) -> _Results:
    """Results beyond belief, and results without a unit."""
    wild = caught(rng, results.raw > 0, Rule.OUT_OF_RANGE)
    no_unit = caught(rng, ~results.conventional & ~wild, Rule.UNIT_MISSING)
    rule = np.where(wild, rule_index(Rule.OUT_OF_RANGE), results.rule)
    return _Results(
        results.person,
        results.days,
        results.analyte,
        np.where(wild, np.nan, results.value),
        np.where(wild, results.raw * 1e4, results.raw),
        results.conventional,
        np.where(no_unit, rule_index(Rule.UNIT_MISSING), rule),
    )


# --- INR ---


def _clotting(scene: Scene, rng: np.random.Generator, treatments: Treatments, number: int) -> _Results:
    """INR of those on a vitamin-K antagonist, and a few of people who take none."""
    person, days, on_drug = _treated_days(scene, rng, treatments, number)
    own = rng.normal(0.0, 0.12, len(scene.people))[person]
    value = np.where(
        on_drug, np.exp(np.log(2.45) + own + rng.normal(0, 0.22, number)), rng.normal(1.02, 0.05, number)
    )
    value = np.round(np.clip(value, 0.8, 12), 2)
    wild = caught(rng, np.ones(number, bool), Rule.INR_OUT_OF_RANGE)
    wild |= first_true(~wild)
    absurd = np.where(np.cumsum(wild) % 2 == 1, *INR_CASES)
    rule = np.select(
        [wild, ~on_drug], [rule_index(Rule.INR_OUT_OF_RANGE), rule_index(Rule.INR_NO_ANTICOAGULANT)], 0
    )
    return _Results(
        person,
        days,
        np.full(number, len(scene.knowledge.analytes)),
        np.where(wild, np.nan, value),
        np.where(wild, absurd, value),
        np.zeros(number, bool),
        rule,
    )


def _treated_days(
    scene: Scene, rng: np.random.Generator, treatments: Treatments, number: int
) -> tuple[Ints, Ints, Flags]:
    contacts, practice = scene.contacts, scene.people.practice
    start = np.maximum(treatments.first_day(VITAMIN_K_ANTAGONISTS), contacts.first)
    exposure = np.where(start < contacts.last, contacts.last - start, 0).astype(float)
    untreated = start >= NEVER
    young = untreated & (np.abs(scene.people.age_at(np.arange(len(start)), contacts.last) - 27) < 8)
    on_drug = (rng.random(number) >= TRAPS[Rule.INR_NO_ANTICOAGULANT].rate) & (exposure.sum() > 0)
    among = np.where(young.any(), young, untreated).astype(float)
    person = np.where(on_drug, _pick(rng, exposure, number), _pick(rng, among, number))
    first = np.where(on_drug, start[person], contacts.first[person])
    return person, scene.practices.clock.draw(rng, practice[person], first, contacts.last[person]), on_drug


def _pick(rng: np.random.Generator, weights: Floats, number: int) -> Ints:
    if weights.sum() <= 0:
        weights = np.ones(len(weights))
    return rng.choice(len(weights), number, p=weights / weights.sum())


# --- rows ---


def _columns(scene: Scene, rng: np.random.Generator, results: _Results) -> Columns:
    order = np.lexsort((results.analyte, results.days, results.person))
    r = _Results(*(getattr(results, field.name)[order] for field in fields(_Results)))
    text = caught(rng, r.rule == 0, Rule.NOT_NUMERIC)
    no_unit = text | (r.rule == rule_index(Rule.UNIT_MISSING))
    analytes = scene.knowledge.analytes
    value = np.where(text, np.nan, r.value)
    physician = np.where(rng.random(len(order)) < MISSING_PHYSICIAN_RATE, -1, scene.people.practice[r.person])
    units = [*(a.unit for a in analytes), INR_UNIT]
    raw_units = [*units, *(a.raw_unit for a in analytes), INR_UNIT]
    notes = np.where(text, rng.integers(0, len(NOT_NUMERIC_TEXTS), len(order)), -1)
    return {
        **scene.of_people(r.person, r.days),
        **scene.whose(r.person, physician),
        "analyte": Coded(r.analyte, [*(a.analyte for a in analytes), "inr"]),
        "value": Numbers(value, np.isnan(value)),
        "unit": Coded(r.analyte, units),
        "value_raw": Texts(r.raw, Coded(notes, NOT_NUMERIC_TEXTS)),
        "unit_raw": Coded(np.where(no_unit, -1, r.analyte + r.conventional * len(units)), raw_units),
        "dq_code": Coded(np.where(text, rule_index(Rule.NOT_NUMERIC), r.rule), RULES),
    }
