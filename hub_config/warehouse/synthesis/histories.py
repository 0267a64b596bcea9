"""History: past events and the running history; tobacco, alcohol and drugs as mentions with a status.

A mention is not an exposure: "no" and former use are recorded too. Past events follow the diseases people
have; an acute event (K75, K90) leaves its later code (K76, K91) behind.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import (
    NEVER,
    Coded,
    Columns,
    Flags,
    Floats,
    Ints,
    month_starts,
    stacked,
    year_starts,
)
from hub_config.warehouse.synthesis.knowledge import PastEvent
from hub_config.warehouse.synthesis.presets import Kind, apportion
from hub_config.warehouse.synthesis.scene import Scene

DISEASE_SHARE: Final = 0.55  # of the rows that are not about dependence
YEAR_RATE: Final = 0.12  # rows whose date is a year, written as its first of January
MONTH_RATE: Final = 0.05
UNDATED_RATE: Final = 0.01
KINDS: Final = (
    "medical", "surgical", "family", "allergy", "gynaecological", "tobacco", "alcohol", "drugs", "lifestyle",
)  # fmt: skip
STATUSES: Final = ("active", "resolved", "current", "former", "no", "unknown")
_PRECISIONS: Final = ("day", "month", "year", "unknown")
_RECORDS: Final = ("antecedent", "historique")
# Acute events by the code a history keeps of them.
_LATER: Final = {"K75": "K76", "K90": "K91"}


@dataclass(frozen=True)
class _Dependence:
    """`mentioned` of all people have a mention, users `odds` times as likely; `current` and `former` are
    shares of what is said of users."""

    kind: str
    cisp2: str
    mentioned: float
    odds: float
    current: float
    former: float


_DEPENDENCES: Final = (
    _Dependence("tobacco", "P17", 10_840 / 63_180, 4.0, 0.62, 0.30),
    _Dependence("alcohol", "P15", 2_467 / 63_180, 15.0, 0.60, 0.25),
    _Dependence("drugs", "P19", 427 / 63_180, 30.0, 0.65, 0.25),
)


@dataclass(frozen=True)
class _Rows:
    person: Ints
    kind: Ints
    code: Ints
    status: Ints


def recall(scene: Scene) -> Columns:
    """Exactly the plan's antecedents and historique rows."""
    rng = scene.rng("history")
    past, running = (scene.block.part(scene.plan.rows[kind]) for kind in (Kind.ANTECEDENTS, Kind.HISTORIQUE))
    codes = _codes(scene)
    mentions = stacked([_mentions(scene, rng, each, codes) for each in _DEPENDENCES])
    mentions = _Rows(*(getattr(mentions, field.name)[: past + running] for field in fields(_Rows)))
    others = past + running - len(mentions.person)
    known = _known_diseases(scene, rng, codes, round(others * DISEASE_SHARE))
    rest = _past_events(scene, rng, codes, others - len(known.person))
    rows = stacked([mentions, known, rest])
    antecedent = rng.permutation(past + running) < past
    return _columns(scene, rng, rows, np.where(antecedent, 0, 1), codes)


def _codes(scene: Scene) -> list[str]:
    named = {event.cisp2 for event in scene.knowledge.past_events} | set(scene.people.diseases)
    return sorted(named | {each.cisp2 for each in _DEPENDENCES})


def _mentions(scene: Scene, rng: np.random.Generator, dependence: _Dependence, codes: list[str]) -> _Rows:
    """Users are mentioned more often than others; what is said of them follows what they are."""
    users = scene.people.onset_of(dependence.cisp2) <= scene.contacts.last
    grown = scene.people.age_at(np.arange(len(users)), scene.contacts.last) >= 13
    weights = np.where(users, dependence.odds, 1.0) * grown
    number = round(len(users) * dependence.mentioned)
    person = _people(rng, weights, number)
    luck = rng.random(number)
    said = np.select(
        [luck < dependence.current, luck < dependence.current + dependence.former],
        [STATUSES.index("current"), STATUSES.index("former")],
        STATUSES.index("unknown"),
    )
    unused = np.where(luck < 0.9, STATUSES.index("no"), STATUSES.index("former"))
    status = np.where(users[person], said, unused)
    kind = np.full(number, KINDS.index(dependence.kind))
    return _Rows(person, kind, np.full(number, codes.index(dependence.cisp2)), status)


def _known_diseases(scene: Scene, rng: np.random.Generator, codes: list[str], number: int) -> _Rows:
    """Diseases that people have by their last contact, each once, as many as there are up to `number`."""
    people = scene.people
    disease, person = np.nonzero(people.onset <= scene.contacts.last)
    dependence = [people.diseases.index(each.cisp2) for each in _DEPENDENCES]
    pregnancy = people.diseases.index("W85")
    kept = ~np.isin(disease, [*dependence, pregnancy])
    disease, person = disease[kept], person[kept]
    chosen = np.sort(rng.permutation(len(disease))[:number])
    disease, person = disease[chosen], person[chosen]
    written = np.array([codes.index(_LATER.get(code, code)) for code in people.diseases])
    status = np.where(rng.random(len(person)) < 0.85, STATUSES.index("active"), STATUSES.index("unknown"))
    return _Rows(person, np.full(len(person), KINDS.index("medical")), written[disease], status)


def _past_events(scene: Scene, rng: np.random.Generator, codes: list[str], number: int) -> _Rows:
    events = scene.knowledge.past_events
    parts = [
        _past_event(scene, rng, event, codes, rows)
        for event, rows in zip(events, apportion(number, [event.rows for event in events]), strict=True)
    ]
    return stacked(parts)


def _past_event(
    scene: Scene, rng: np.random.Generator, event: PastEvent, codes: list[str], number: int
) -> _Rows:
    people = scene.people
    age = np.minimum(people.age_at(np.arange(len(people)), scene.contacts.last), 100).astype(np.int64)
    weights = scene.knowledge.profiles.ages[event.ages][age]
    if event.sex:
        weights = weights * (people.female == (event.sex == "F"))
    return _Rows(
        _people(rng, weights, number),
        np.full(number, KINDS.index(event.kind)),
        np.full(number, codes.index(event.cisp2)),
        np.full(number, STATUSES.index(event.status)),
    )


def _people(rng: np.random.Generator, weights: Floats, number: int) -> Ints:
    total = weights.sum()
    return rng.choice(len(weights), number, p=weights / total if total > 0 else None)


def _columns(scene: Scene, rng: np.random.Generator, rows: _Rows, record: Ints, codes: list[str]) -> Columns:
    contacts, people = scene.contacts, scene.people
    days = scene.practices.clock.draw(
        rng, people.practice[rows.person], contacts.first[rows.person], contacts.last[rows.person]
    )
    days, precision = _blur(scene, rng, days)
    order = np.lexsort((rows.code, days, rows.person))
    return {
        **scene.of_people(rows.person[order], days[order]),
        "record": Coded(record[order], _RECORDS),
        "kind": Coded(rows.kind[order], KINDS),
        "cisp2": Coded(rows.code[order], codes),
        "status": Coded(rows.status[order], STATUSES),
        "date_precision": Coded(precision[order], _PRECISIONS),
    }


def _blur(scene: Scene, rng: np.random.Generator, days: Ints) -> tuple[Ints, Ints]:
    """Dates as they were written: to the day, the month, the year, or not at all."""
    luck = rng.random(len(days))
    year: Flags = luck < YEAR_RATE
    month: Flags = ~year & (luck < YEAR_RATE + MONTH_RATE)
    undated: Flags = luck >= 1 - UNDATED_RATE
    blurred = np.select([year, month, undated], [year_starts(days), month_starts(days), NEVER], days)
    precision = np.select([month, year, undated], [1, 2, 3], 0)
    return np.maximum(blurred, scene.first_day), precision
