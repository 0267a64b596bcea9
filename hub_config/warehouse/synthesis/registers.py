"""The registers: centres, GPs, patients, observation periods, objections."""

from __future__ import annotations

from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import (
    NEVER,
    Coded,
    Columns,
    Days,
    Flags,
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

ACTIVE_DAYS: Final = 730  # seen in the last two years of exports: still under observation at their end
OWN_GP_RATE: Final = 0.82
_SEXES: Final = ("F", "M")
_BANDS: Final = (*(f"{a:02d}-{a + 9:02d}" for a in range(0, 90, 10)), "90+")
_REASONS: Final = ("last_export", "software_gap", "inactive", "death", "withdrawal")


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
        "registration": Coded(other.astype(np.int64), ("declared", "other")),
        "dq_code": Coded(people.duplicate * rule_index(Rule.POSSIBLE_DUPLICATE), RULES),
    }


def observe(scene: Scene) -> Columns:
    """One period a patient, two where a change of software lies between contacts."""
    people, contacts, practices = scene.people, scene.contacts, scene.practices
    person = np.arange(len(people))
    end, reason = _ends(scene)
    gap_first, gap_last = practices.gap_first[people.practice], practices.gap_last[people.practice]
    split = (contacts.first < gap_first) & (end > gap_last)
    rows = np.concatenate([person, person[split]])
    before = np.where(split, gap_first - 1, end)
    start = np.concatenate([contacts.first, gap_last[split] + 1])
    why = np.concatenate([np.where(split, _REASONS.index("software_gap"), reason), reason[split]])
    order = np.lexsort((start, rows))
    columns = dict(scene.of_people(rows[order], start[order]))
    del columns["date"]
    return {
        **columns,
        "start_date": Days(start[order]),
        "end_date": Days(np.concatenate([before, end[split]])[order]),
        "end_reason": Coded(why[order], _REASONS),
    }


def _ends(scene: Scene) -> tuple[Ints, Ints]:
    """When and why observation ends: at the last export for the active, else at death or the last contact."""
    people, contacts = scene.people, scene.contacts
    export = scene.practices.last[people.practice]
    active = (contacts.last >= export - ACTIVE_DAYS) & (people.exit >= export)
    dead: Flags = people.death < NEVER
    left = scene.practices.withdrawn[people.practice]
    end = np.select([dead, active], [people.death, export], contacts.last)
    reasons = [_REASONS.index(reason) for reason in ("death", "withdrawal", "last_export")]
    return end, np.select([dead, active & left, active], reasons, _REASONS.index("inactive"))


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
