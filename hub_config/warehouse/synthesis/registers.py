"""The registers: centres, GPs, patients, exports, objections."""

from __future__ import annotations

from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import (
    NEVER,
    Coded,
    Columns,
    Days,
    Ints,
    Numbers,
    month_starts,
    months,
    stream,
)
from hub_config.warehouse.synthesis.knowledge import Centre
from hub_config.warehouse.synthesis.practices import Practices
from hub_config.warehouse.synthesis.scene import Scene
from hub_config.warehouse.synthesis.traps import OBJECTION_RATE, RULES, Rule, rule_index

OWN_GP_RATE: Final = 0.82
_SEXES: Final = ("F", "M")
_BANDS: Final = (*(f"{a:02d}-{a + 9:02d}" for a in range(0, 90, 10)), "90+")
_SOFTWARE: Final = ("Logiciel A", "Logiciel B", "Logiciel C")
_DEATHS: Final = ("practice", "snds", "unknown")
_DEATH_SHARES: Final = (0.8, 0.15, 0.05)


def list_centres(practices: Practices, centres: list[Centre]) -> Columns:
    known = {centre.code: centre for centre in centres}
    own = [known[code] for code in practices.centres]
    return {
        "centre_id": _words([centre.code for centre in own]),
        "region": _words([centre.region for centre in own]),
        "label": _words([centre.label for centre in own]),
        "region_label": _words([centre.region_label for centre in own]),
    }


def list_physicians(practices: Practices) -> Columns:
    return {
        "physician_no": np.arange(len(practices)),
        "centre_id": Coded(practices.centre, practices.centres),
        "sex": Coded((~practices.female).astype(np.int64), _SEXES),
        "age_band": _bands(practices.age),
    }


def list_patients(scene: Scene) -> Columns:
    """Ages are in completed years by month of birth, at the reference date or at death."""
    people, rng = scene.people, scene.rng("patients")
    until = np.minimum(people.death, scene.last_day)
    age = (months(until) - months(people.birth)) // 12
    other = rng.random(len(people)) >= OWN_GP_RATE
    return {
        **scene.whose(np.arange(len(people)), people.practice),
        "sex": Coded((~people.female).astype(np.int64), _SEXES),
        "birth_month": Days(month_starts(people.birth)),
        "age": age,
        "age_band": _bands(age),
        "death_month": Days(np.where(people.death >= NEVER, NEVER, month_starts(people.death))),
        "death_source": Coded(_death_sources(scene), _DEATHS),
        "registration": Coded(other.astype(np.int64), ("declared", "other")),
        "dq_code": Coded(people.duplicate * rule_index(Rule.POSSIBLE_DUPLICATE), RULES),
    }


def _death_sources(scene: Scene) -> Ints:
    people = scene.people
    source = scene.rng("death sources").choice(len(_DEATHS), len(people), p=_DEATH_SHARES)
    return np.where(people.death < NEVER, source, -1)


def list_exports(practices: Practices, source: str) -> Columns:
    """What each practice sent: one export, or one a software."""
    changed = np.flatnonzero(practices.gap_first < NEVER)
    practice = np.concatenate([np.arange(len(practices)), changed])
    second = np.arange(len(practice)) >= len(practices)
    ends = np.where(practices.gap_first < NEVER, practices.gap_first - 1, practices.last)[practice]
    first = np.where(second, practices.gap_last[practice] + 1, practices.first[practice])
    last = np.where(second, practices.last[practice], ends)
    order = np.lexsort((first, practice))
    return {
        "source": Coded.constant(source, len(practice)),
        "physician_no": practice[order],
        "centre_id": Coded(practices.centre[practice[order]], practices.centres),
        "exported_on": Days(last[order]),
        "software": Coded((practice % len(_SOFTWARE) + second)[order] % len(_SOFTWARE), _SOFTWARE),
        "first_event": Days(first[order]),
        "last_event": Days(last[order]),
    }


def list_objections(seed: int, patients: int, practices: Practices, last_day: int) -> Columns:
    """One patient in a thousand, and the GPs who withdrew, with all of their patients."""
    rng = stream(seed, "objections")
    chosen = np.sort(rng.choice(patients, max(1, round(patients * OBJECTION_RATE)), replace=False))
    withdrawn = np.flatnonzero(practices.withdrawn)
    patient = np.concatenate([chosen, np.full(len(withdrawn), -1)])
    physician = np.concatenate([np.full(len(chosen), -1), withdrawn])
    recorded = [last_day - rng.integers(0, 900, len(chosen)), practices.last[withdrawn] + 1]
    return {
        "patient_no": Numbers(patient, patient < 0),
        "physician_no": Numbers(physician, physician < 0),
        "recorded_on": Days(np.concatenate(recorded)),
    }


def _bands(age: Ints) -> Coded:
    return Coded(np.clip(age // 10, 0, len(_BANDS) - 1), _BANDS)


def _words(words: list[str]) -> Coded:
    return Coded(np.arange(len(words)), words)
