"""Biometrics: weight, height and BMI on one day, blood pressure, and the rest; with their traps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import (
    Coded,
    Columns,
    Flags,
    Floats,
    Ints,
    Numbers,
    Texts,
    stacked,
)
from hub_config.warehouse.synthesis.presets import Kind
from hub_config.warehouse.synthesis.sampling import heaviest
from hub_config.warehouse.synthesis.scene import Scene
from hub_config.warehouse.synthesis.traps import (
    BIRTH_WEIGHT_CASE,
    METRES_CASE,
    MILLIMETRES_CASE,
    RULES,
    Rule,
    caught,
    first_true,
    rule_index,
)

MEASURES: Final = ("weight", "height", "bmi", "sbp", "dbp", "heart_rate", "waist", "head", "temperature")
_UNITS: Final = ("kg", "cm", "kg/m2", "mm[Hg]", "mm[Hg]", "/min", "cm", "cm", "Cel")
_W, _H, _BMI, _SBP, _DBP = range(5)
_BAD_BMI: Final = rule_index(Rule.BMI_BAD_HEIGHT)
_ALONE: Final = ("weight", "heart_rate", "waist", "temperature")
_ALONE_SHARES: Final = (0.66, 0.22, 0.05, 0.07)

# Middle of the range by age, our own round figures (years, girls, boys).
_HEIGHTS: Final = (
    (0, 49.5, 50), (0.5, 66, 68), (1, 74, 76), (2, 86, 88), (4, 102, 103), (6, 115, 116), (8, 127, 128),
    (10, 138, 138), (12, 151, 149), (14, 160, 164), (16, 163, 173), (18, 164, 176), (60, 162, 175),
    (90, 156, 169), (110, 154, 167),
)  # fmt: skip
_BMIS: Final = (
    (0, 13.0, 13.2), (0.5, 17.0, 17.3), (2, 16.3, 16.5), (6, 15.5, 15.6), (10, 17.0, 16.9),
    (14, 19.8, 19.5), (18, 21.8, 22.0), (30, 23.4, 24.6), (50, 25.4, 26.6), (70, 26.2, 27.0),
    (90, 24.2, 25.0), (110, 23.0, 24.0),
)  # fmt: skip


@dataclass(frozen=True)
class _Body:
    """What each person is apart from age: standing over the middle height and BMI."""

    height: Floats
    bmi: Floats
    pressure: Floats


@dataclass(frozen=True)
class _Rows:
    """Rows in the making: consultation, measure, harmonised value (NaN where set aside), raw value, rule."""

    places: Ints
    measure: Ints
    value: Floats
    raw: Floats
    rule: Ints


def measure(scene: Scene) -> Columns:
    """Exactly the plan's biometrics: a quarter in weight-height-BMI sets, near half in blood pressures."""
    rng = scene.rng("biometrics")
    total = scene.block.part(scene.plan.rows[Kind.BIOMETRICS])
    body = _bodies(scene, rng)
    sets, pressures = int(total * 0.27 / 3), int(total * 0.46 / 2)
    measured = _measured(scene)
    together = (_sets(scene, rng, body, sets, measured), _pressures(scene, rng, body, pressures, measured))
    sure = _first_measures(scene, together, measured)
    alone = _alone(scene, rng, body, total - 3 * sets - 2 * pressures, measured, sure)
    return _columns(scene, stacked((*together, alone)))


@dataclass(frozen=True)
class _Measured:
    """Who has a biometry, where the plan fixes how many: a flag for each person of the block."""

    chosen: Flags
    rng: np.random.Generator

    def weigh(self, weights: Floats, person: Ints) -> Floats:
        return weights * self.chosen[person]


def _measured(scene: Scene) -> _Measured | None:
    """Patients with more consultations are measured sooner."""
    if scene.plan.measured is None:
        return None
    rng = scene.rng("measured patients")
    often = np.bincount(scene.contacts.person, minlength=len(scene.people))
    chosen = np.zeros(len(scene.people), bool)
    chosen[heaviest(rng, np.sqrt(often) * (often > 0), scene.block.part(scene.plan.measured))] = True
    return _Measured(chosen, rng)


def _first_measures(scene: Scene, parts: Sequence[_Rows], measured: _Measured | None) -> Ints:
    """A consultation of everybody who is to be measured and was not yet."""
    if measured is None:
        return np.empty(0, np.int64)
    person = scene.contacts.person
    missing = measured.chosen.copy()
    for part in parts:
        missing[person[part.places]] = False
    shuffled = measured.rng.permutation(np.flatnonzero(missing[person]))
    return np.sort(shuffled[np.unique(person[shuffled], return_index=True)[1]])


def _choose(
    scene: Scene, rng: np.random.Generator, weights: Floats, number: int, measured: _Measured | None
) -> Ints:
    if measured is not None:
        weights = measured.weigh(weights, scene.contacts.person)
    return heaviest(rng, weights, number)


def _bodies(scene: Scene, rng: np.random.Generator) -> _Body:
    people, n = scene.people, len(scene.people)
    heavy = sum(
        (people.onset_of(disease) <= scene.last_day) * share
        for disease, share in (("T82", 0.30), ("T90", 0.11), ("K86", 0.05), ("D97", 0.06))
    )
    return _Body(
        height=rng.normal(0, 0.038, n),
        bmi=rng.normal(-0.05, 0.11, n) + heavy,
        pressure=rng.normal(0, 8, n),
    )


def _sets(
    scene: Scene, rng: np.random.Generator, body: _Body, number: int, measured: _Measured | None
) -> _Rows:
    """Weight, height and BMI of the same day; children more often."""
    age = scene.contacts.age
    weights = np.interp(age, (0, 2, 6, 16, 18, 110), (12, 6, 4, 3, 1, 1))
    places = _choose(scene, rng, weights, number, measured)
    height = _height(scene, rng, body, places)
    weight = _weight(scene, rng, body, places, height)
    exported, weight, rule = _spoil_heights(rng, scene.contacts.age[places], height, weight)
    bmi = np.round(weight / (exported / 100) ** 2, 2)
    sound = np.zeros(number, np.int64)
    return stacked(
        (
            _Rows(places, sound + _W, weight, weight, sound),
            _Rows(places, sound + _H, _harmonised_height(exported, rule), exported, rule),
            _Rows(
                places, sound + _BMI, np.where(rule > 0, np.nan, bmi), bmi, np.where(rule > 0, _BAD_BMI, 0)
            ),
        )
    )


def _spoil_heights(
    rng: np.random.Generator, age: Floats, height: Floats, weight: Floats
) -> tuple[Floats, Floats, Ints]:
    """Heights as exported, weights, and the rule that must fire: metres or millimetres in a field of
    centimetres, children far too tall, and the two published rows."""
    everyone = np.ones(len(height), bool)
    tall = caught(rng, age < 18, Rule.HEIGHT_ZSCORE)
    metres = caught(rng, everyone, Rule.HEIGHT_IN_METRES)
    millimetres = caught(rng, everyone & ~metres, Rule.HEIGHT_IN_MILLIMETRES)
    teenager = (age >= 12) & (age < 16) & ~metres & ~millimetres & ~tall
    one = first_true(teenager & (np.abs(height - 155) < 6))
    other = first_true(teenager & (np.abs(height - 143.5) < 8) & ~one)
    weight = np.select([one, other], [METRES_CASE[0], MILLIMETRES_CASE[0]], weight)
    conditions = [one, other, metres, millimetres, tall]
    exported = np.select(
        conditions,
        [METRES_CASE[1], MILLIMETRES_CASE[1], np.round(height / 100, 2), height * 10, np.round(height * 1.3)],
        height,
    )
    rules = (
        Rule.HEIGHT_IN_METRES,
        Rule.HEIGHT_IN_MILLIMETRES,
        Rule.HEIGHT_IN_METRES,
        Rule.HEIGHT_IN_MILLIMETRES,
        Rule.HEIGHT_ZSCORE,
    )
    return exported, weight, np.select(conditions, [rule_index(rule) for rule in rules], 0)


def _harmonised_height(exported: Floats, rule: Ints) -> Floats:
    """In centimetres; none where no unit explains the value."""
    cases = {
        Rule.HEIGHT_IN_METRES: np.round(exported * 100),
        Rule.HEIGHT_IN_MILLIMETRES: exported / 10,
        Rule.HEIGHT_ZSCORE: np.full(len(exported), np.nan),
    }
    return np.select([rule == rule_index(r) for r in cases], list(cases.values()), exported)


def _pressures(
    scene: Scene, rng: np.random.Generator, body: _Body, number: int, measured: _Measured | None
) -> _Rows:
    contacts, people = scene.contacts, scene.people
    weights = np.interp(contacts.age, (0, 14, 18, 50, 80, 110), (0.01, 0.05, 1, 2, 3, 3))
    places = _choose(scene, rng, weights, number, measured)
    person, age = contacts.person[places], contacts.age[places]
    raised = np.where(people.onset_of("K86")[person] <= contacts.days[places], 16.0, 0.0)
    level = body.pressure[person] + raised
    sbp = np.clip(np.round(100 + 0.34 * age + level + rng.normal(0, 9, number)), 70, 260)
    dbp = np.clip(np.round(66 + 0.10 * age + 0.45 * level + rng.normal(0, 6, number)), 35, 150)
    wrong = caught(rng, np.ones(number, bool), Rule.OUT_OF_RANGE)
    sound = np.zeros(number, np.int64)
    rule = np.where(wrong, rule_index(Rule.OUT_OF_RANGE), 0)
    return stacked(
        (
            _Rows(places, sound + _SBP, np.where(wrong, np.nan, sbp), np.where(wrong, sbp * 10, sbp), rule),
            _Rows(places, sound + _DBP, dbp, dbp, sound),
        )
    )


def _alone(
    scene: Scene, rng: np.random.Generator, body: _Body, number: int, measured: _Measured | None, sure: Ints
) -> _Rows:
    """Single measures, those at `sure` first: mostly a weight; a head circumference before 2 years."""
    weights = np.interp(scene.contacts.age, (0, 2, 18, 110), (6, 2, 1, 1))
    places = np.concatenate([sure, _choose(scene, rng, weights, number - len(sure), measured)])
    age = scene.contacts.age[places]
    kinds = np.array([MEASURES.index(name) for name in _ALONE])
    kind = kinds[rng.choice(len(_ALONE), number, p=_ALONE_SHARES)]
    kind = np.where((age < 2) & (rng.random(number) < 0.5), MEASURES.index("head"), kind)
    kind = np.where((age < 18) & (kind == MEASURES.index("waist")), _W, kind)
    height = _height(scene, rng, body, places)
    weight = _weight(scene, rng, body, places, height)
    noise = rng.standard_normal(number)
    levels = {
        "weight": weight,
        "heart_rate": np.round(np.interp(age, (0, 2, 10, 18, 110), (130, 110, 85, 73, 72)) + 9 * noise),
        "waist": np.round(88 + 40 * body.bmi[scene.contacts.person[places]] + 4 * noise),
        "head": np.round(np.interp(age, (0, 0.5, 1, 2), (35, 43, 46, 48.5)) + 0.9 * noise, 1),
        "temperature": np.round(37.4 + 0.8 * noise, 1),
    }
    value = np.select([kind == MEASURES.index(name) for name in levels], list(levels.values()))
    return _carry_birth_weights(rng, age, _Rows(places, kind, value, value, np.zeros(number, np.int64)))


def _carry_birth_weights(rng: np.random.Generator, age: Floats, rows: _Rows) -> _Rows:
    child = (rows.measure == _W) & (age >= 1) & (age < 10)
    case = first_true(child & (age >= 6) & (age < 7))
    carried = caught(rng, child, Rule.BIRTH_WEIGHT_CARRIED) | case
    birth = np.round(rng.normal(3.3, 0.45, len(age)), 2)
    raw = np.select([case, carried], [BIRTH_WEIGHT_CASE, birth], rows.raw)
    rule = np.where(carried, rule_index(Rule.BIRTH_WEIGHT_CARRIED), rows.rule)
    return replace(rows, value=np.where(carried, np.nan, rows.value), raw=raw, rule=rule)


def _by_age_and_sex(scene: Scene, places: Ints, knots: tuple[tuple[float, float, float], ...]) -> Floats:
    years, girls, boys = np.transpose(knots)
    age = scene.contacts.age[places]
    female = scene.people.female[scene.contacts.person[places]]
    return np.asarray(np.where(female, np.interp(age, years, girls), np.interp(age, years, boys)))


def _height(scene: Scene, rng: np.random.Generator, body: _Body, places: Ints) -> Floats:
    middle = _by_age_and_sex(scene, places, _HEIGHTS)
    own = 1 + body.height[scene.contacts.person[places]]
    return np.asarray(np.round(middle * own + rng.normal(0, 0.6, len(places))))


def _weight(scene: Scene, rng: np.random.Generator, body: _Body, places: Ints, height: Floats) -> Floats:
    middle = _by_age_and_sex(scene, places, _BMIS)
    own = body.bmi[scene.contacts.person[places]]
    bmi = middle * np.exp(own + rng.normal(0, 0.03, len(places)))
    return np.clip(np.round(bmi * (height / 100) ** 2, 1), 2.0, 250.0)


def _columns(scene: Scene, rows: _Rows) -> Columns:
    order = np.lexsort((rows.measure, rows.places))
    inherited = {**scene.at_consultations(rows.places[order])}
    del inherited["consultation_id"]
    measure, raw, value = rows.measure[order], rows.raw[order], rows.value[order]
    return {
        **inherited,
        "measure": Coded(measure, MEASURES),
        "value": Numbers(value, np.isnan(value)),
        "unit": Coded(measure, _UNITS),
        "value_raw": Texts(raw),
        "unit_raw": Coded(measure, _UNITS),
        "dq_code": Coded(rows.rule[order], RULES),
    }
