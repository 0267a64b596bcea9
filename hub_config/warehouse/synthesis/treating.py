"""Prescriptions: lasting treatments renewed at consultations, short ones on the diagnosis, the usual rest.

A prescription is not a delivery. Drugs of one class for one disease exclude each other where their shares
allow it: a person takes one anticoagulant, one statin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import NEVER, Coded, Columns, Flags, Ints, day
from hub_config.warehouse.synthesis.coding import Coding
from hub_config.warehouse.synthesis.knowledge import Drug
from hub_config.warehouse.synthesis.presets import Kind
from hub_config.warehouse.synthesis.scene import Scene

VITAMIN_K_ANTAGONISTS: Final = "B01AA"
_PACKS: Final = ("standard", "large")
_USUAL: Final = (("N02BE01", 0.09, 7), ("M01AE01", 0.03, 6), ("A06AD15", 0.02, 20), ("R06AE07", 0.015, 10))


@dataclass(frozen=True)
class Treatments:
    """Who takes each lasting drug, and from which day: drugs × people."""

    drugs: Sequence[Drug]
    start: Ints

    def first_day(self, atc: str) -> Ints:
        """The first day of a drug whose code starts with `atc` in each person; NEVER where there is none."""
        rows = [row for row, drug in enumerate(self.drugs) if drug.atc.startswith(atc)]
        return np.asarray(np.min(self.start[rows], axis=0))


@dataclass(frozen=True)
class _Rows:
    places: Ints
    atc: str
    days: Ints
    large: Flags


def treat(scene: Scene) -> Treatments:
    """Allot the lasting drugs to those who have their disease."""
    rng = scene.rng("treatments")
    drugs = sorted(scene.knowledge.chronic_drugs, key=_class_of)
    start = np.empty((len(drugs), len(scene.people)), np.int64)
    row = 0
    for _, group in groupby(drugs, key=_class_of):
        for drug, taken in _allot(rng, list(group), len(scene.people)):
            since = day(drug.since) if drug.since else 0
            onset = np.maximum(scene.people.onset_of(drug.disease), since)
            start[row] = np.where(taken, onset, NEVER)
            row += 1
    return Treatments(drugs, start)


def prescribe(scene: Scene, treatments: Treatments, diagnoses: Coding) -> Columns:
    rng = scene.rng("prescriptions")
    parts = [
        *_renewals(scene, rng, treatments),
        *_for_diagnoses(scene, rng, diagnoses),
        *_usual(scene, rng),
    ]
    codes = sorted({part.atc for part in parts})
    places = np.concatenate([part.places for part in parts])
    atc = np.repeat([codes.index(part.atc) for part in parts], [len(part.places) for part in parts])
    _, kept = np.unique(
        places * len(codes) + atc, return_index=True
    )  # a drug once a consultation; sorts, too
    kept = _as_many_as_planned(scene, rng, kept)
    return {
        **scene.at_consultations(places[kept]),
        "atc": Coded(atc[kept], codes),
        "duration_days": np.concatenate([part.days for part in parts])[kept],
        "pack_size": Coded(np.concatenate([part.large for part in parts])[kept].astype(np.int64), _PACKS),
    }


def _as_many_as_planned(scene: Scene, rng: np.random.Generator, kept: Ints) -> Ints:
    """Of more rows than the plan's, so many at random; all, where it has no number."""
    if Kind.PRESCRIPTIONS not in scene.plan.rows:
        return kept
    number = scene.block.part(scene.plan.rows[Kind.PRESCRIPTIONS])
    return kept[np.sort(rng.choice(len(kept), min(number, len(kept)), replace=False, shuffle=False))]


def _class_of(drug: Drug) -> tuple[str, str]:
    return drug.disease, drug.atc[:3]


def _allot(rng: np.random.Generator, drugs: list[Drug], people: int) -> list[tuple[Drug, Flags]]:
    """One draw for all of a class where the shares fit into one, else one draw for each drug."""
    shares = np.array([drug.share for drug in drugs])
    if shares.sum() > 1:
        return [(drug, rng.random(people) < drug.share) for drug in drugs]
    choice = np.searchsorted(np.cumsum(shares), rng.random(people), side="right")
    return [(drug, choice == place) for place, drug in enumerate(drugs)]


def _renewals(scene: Scene, rng: np.random.Generator, treatments: Treatments) -> list[_Rows]:
    contacts = scene.contacts
    rows = []
    for drug, start in zip(treatments.drugs, treatments.start, strict=True):
        taking = np.flatnonzero(start[contacts.person] <= contacts.days)
        places = taking[rng.random(len(taking)) < drug.renewal]
        large = rng.random(len(places)) < drug.large
        rows.append(_Rows(places, drug.atc, np.where(large, 90, 30), large))
    return rows


def _for_diagnoses(scene: Scene, rng: np.random.Generator, diagnoses: Coding) -> list[_Rows]:
    rows = []
    for drug in scene.knowledge.acute_drugs:
        places = diagnoses.places[diagnoses.code == diagnoses.codes.index(drug.cisp2)]
        rows.append(_short(places[rng.random(len(places)) < drug.share], drug.atc, drug.days))
    return rows


def _usual(scene: Scene, rng: np.random.Generator) -> list[_Rows]:
    return [
        _short(np.flatnonzero(rng.random(len(scene.contacts)) < share), atc, days)
        for atc, share, days in _USUAL
    ]


def _short(places: Ints, atc: str, days: int) -> _Rows:
    return _Rows(places, atc, np.full(len(places), days), np.zeros(len(places), bool))
