"""Diagnoses, reasons, procedures: codes on consultations, to the row; and how each came by its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import Coded, Columns, Ints, Numbers, day
from hub_config.warehouse.synthesis.knowledge import Event
from hub_config.warehouse.synthesis.presets import Kind, apportion
from hub_config.warehouse.synthesis.scene import Scene

NO_CODE: Final = "SC"
MANUAL_RATE: Final = 0.08  # GPs do not code: nearly all codes come afterwards, by machine
_SOURCES: Final = ("automatic", "manual", "none")
_VERSIONS: Final = ("auto-1", "auto-2", "none")
_SECOND_CODER: Final = day(date(2019, 1, 1))


@dataclass(frozen=True)
class Coding:
    """Codes on consultations: the consultations' places (sorted) and each row's place in `codes`."""

    places: Ints
    code: Ints
    codes: tuple[str, ...]


def code_diagnoses(scene: Scene) -> Coding:
    """As many as the plan says; else preset A's rows times its volume, for every code: the published top 20
    among them."""
    events = scene.knowledge.diagnoses
    if Kind.DIAGNOSES in scene.plan.rows:
        return _code(scene, events, _totals(scene, events, Kind.DIAGNOSES))
    return _code(scene, events, [max(1, round(event.rows * scene.plan.volume)) for event in events])


def code_reasons(scene: Scene) -> Coding:
    return _code(scene, scene.knowledge.reasons, _totals(scene, scene.knowledge.reasons, Kind.REASONS))


def code_procedures(scene: Scene) -> Coding:
    events = scene.knowledge.procedures
    return _code(scene, events, _totals(scene, events, Kind.PROCEDURES))


def coded_rows(scene: Scene, coding: Coding, purpose: str) -> Columns:
    """Diagnoses or reasons, with the source, version and confidence of each code."""
    return {**plain_rows(scene, coding), **_provenance(scene, coding, purpose)}


def plain_rows(scene: Scene, coding: Coding) -> Columns:
    return {**scene.at_consultations(coding.places), "cisp2": Coded(coding.code, coding.codes)}


def _totals(scene: Scene, events: Sequence[Event], kind: Kind) -> list[int]:
    return apportion(scene.plan.rows[kind], [event.rows for event in events])


def _code(scene: Scene, events: Sequence[Event], totals: Sequence[int]) -> Coding:
    drawn = [
        scene.sampler.draw(event, scene.block.part(total))
        for event, total in zip(events, totals, strict=True)
    ]
    places = np.concatenate(drawn)
    code = np.repeat(np.arange(len(events)), [len(part) for part in drawn])
    order = np.argsort(places, kind="stable")
    return Coding(places[order], code[order], tuple(event.code for event in events))


def _provenance(scene: Scene, coding: Coding, purpose: str) -> Columns:
    rng = scene.rng(f"coding of {purpose}")
    uncoded = coding.code == coding.codes.index(NO_CODE)
    manual = ~uncoded & (rng.random(len(uncoded)) < MANUAL_RATE)
    automatic = ~uncoded & ~manual
    second = scene.contacts.days[coding.places] >= _SECOND_CODER
    confidence = np.round(rng.beta(np.where(second, 9.0, 6.0), 2.0), 2)
    return {
        "coding_source": Coded(np.where(uncoded, 2, np.where(manual, 1, 0)), _SOURCES),
        "coding_version": Coded(np.where(automatic, np.where(second, 1, 0), 2), _VERSIONS),
        "coding_confidence": Numbers(confidence, ~automatic),
    }
