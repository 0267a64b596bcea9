"""The interns' log: consultations with one GP in five, from problem to result; one intern's are published.

The published intern is number 1. With every other trainer interns follow each other, one a semester.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from hub_config.warehouse.synthesis.arrays import Coded, Columns, Ints, day
from hub_config.warehouse.synthesis.coding import Coding
from hub_config.warehouse.synthesis.presets import Kind, apportion
from hub_config.warehouse.synthesis.scene import Scene

Words = npt.NDArray[np.str_]

FIRST_DAY: Final = day(date(2014, 11, 1))
TRAINER_EVERY: Final = 5
PUBLISHED_INTERN: Final = 1
_SEMESTER: Final = 182  # days
# One intern's own problems, as published: those of the largest practice's.
OWN: Final = MappingProxyType(
    {
        "R74": 507, "R77": 253, "R75": 226, "H71": 204, "R76": 148, "L87": 119, "R80": 117, "SC": 112,
        "L03": 111, "D73": 111, "R78": 102, "K86": 96, "U71": 94, "R81": 86, "L99": 67, "H72": 65,
        "S88": 61, "L86": 56, "H81": 56, "H70": 53,
    }
)  # fmt: skip
_COMPETENCES: Final = (
    "biomedical", "relational", "preventive", "coordination", "continuity", "emergency", "professionalism",
)  # fmt: skip
_LEVELS: Final = ("novice", "intermediate", "competent")
_SUPERVISION: Final = ("direct", "joint", "indirect", "autonomous")
_PROCEDURES: Final = ("31", "34", "45", "50", "58", "66", "67")
_REASONS: Final = ("29", "30", "31", "50")
_RESULTS: Final = ("50", "60", "63")


def log_training(scene: Scene, diagnoses: Coding) -> Columns:
    """Exactly the plan's rows: the published intern's, then others', about diagnoses of the day."""
    rng = scene.rng("training log")
    total = scene.block.part(scene.plan.rows[Kind.TRAINING_LOG])
    own = apportion(round(sum(OWN.values()) * scene.plan.intern), list(OWN.values()))
    problem = rng.permutation(np.repeat(list(OWN), [scene.block.part(rows) for rows in own])[:total])
    places = _some(rng, _recent(scene, np.arange(len(scene.contacts)), own=True), len(problem))
    rest = _some(rng, _recent(scene, diagnoses.places, own=False), total - len(problem))
    others, rest = np.array(diagnoses.codes)[diagnoses.code[rest]], diagnoses.places[rest]
    intern = np.concatenate([np.full(len(places), PUBLISHED_INTERN), _interns(scene, rest)])
    logged = np.concatenate([places, rest]), np.concatenate([problem, others])
    return {**_columns(scene, rng, *logged), "intern_no": intern[np.argsort(logged[0], kind="stable")]}


def _interns(scene: Scene, places: Ints) -> Ints:
    """Who was with the trainer in the semester of each consultation."""
    semester = np.clip((scene.contacts.days[places] - FIRST_DAY) // _SEMESTER, 0, None)
    semesters = max(1, (scene.last_day - FIRST_DAY) // _SEMESTER + 1)
    physician = scene.contacts.physician[places]
    return PUBLISHED_INTERN + 1 + physician * semesters + np.minimum(semester, semesters - 1)


def _recent(scene: Scene, places: Ints, *, own: bool) -> Ints:
    """Which of the consultations at `places` are recent and with a trainer; all, where there is none."""
    physician = scene.contacts.physician[places]
    theirs = physician == scene.practices.largest
    trained = theirs if own else ~theirs & (physician % TRAINER_EVERY == 1)
    recent = np.flatnonzero(trained & (scene.contacts.days[places] >= FIRST_DAY))
    return recent if len(recent) else np.arange(len(places))


def _some(rng: np.random.Generator, pool: Ints, number: int) -> Ints:
    return rng.choice(pool, number, replace=number > len(pool))


def _columns(scene: Scene, rng: np.random.Generator, places: Ints, problem: Words) -> Columns:
    order = np.argsort(places, kind="stable")
    problem, n = problem[order].astype("U3"), len(order)
    chapter = np.where(problem == "SC", "A", problem.astype("U1"))
    followed = np.where(rng.random(n) < 0.7, problem, np.char.add(chapter, rng.choice(_RESULTS, n)))
    return {
        **scene.at_consultations(places[order]),
        "cisp2": _coded(problem),
        "reason": _coded(np.char.add(chapter, rng.choice(_REASONS, n))),
        "result": _coded(followed),
        "procedure": _coded(np.char.add(chapter, rng.choice(_PROCEDURES, n))),
        **_competences(rng, n),
        "level": Coded(rng.choice(len(_LEVELS), n, p=(0.3, 0.5, 0.2)), _LEVELS),
        "supervision": Coded(rng.choice(len(_SUPERVISION), n, p=(0.25, 0.25, 0.35, 0.15)), _SUPERVISION),
    }


def _competences(rng: np.random.Generator, rows: int) -> Columns:
    """Three different ones each; the third is often left out."""
    ranked = np.argsort(rng.random((rows, len(_COMPETENCES))), axis=1)
    third = np.where(rng.random(rows) < 0.4, -1, ranked[:, 2])
    chosen = (ranked[:, 0], ranked[:, 1], third)
    return {f"competence_{place}": Coded(index, _COMPETENCES) for place, index in enumerate(chosen, 1)}


def _coded(words: Words) -> Coded:
    codes, index = np.unique(words, return_inverse=True)
    return Coded(index, [str(code) for code in codes])
