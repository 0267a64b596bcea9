"""Consultations: as many as the plan says, spread over people by age, sex, illness and time present."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import Coded, Flags, Floats, Ints, day, stream
from hub_config.warehouse.synthesis.people import YEAR, People
from hub_config.warehouse.synthesis.practices import Practices
from hub_config.warehouse.synthesis.presets import Block

COLLEAGUE_RATE: Final = 0.03  # consultations held by another GP of the centre
_TYPES: Final = ("office", "home", "remote", "phone", "nursing_home", "admin", "unknown")
_VISITS_A_YEAR: Final = (
    (0, 8.0),
    (2, 5.0),
    (6, 2.6),
    (15, 2.4),
    (30, 3.3),
    (50, 4.2),
    (70, 6.2),
    (85, 8.5),
    (110, 8.5),
)
_REMOTE_FROM: Final = day(date(2018, 9, 15))


@dataclass(frozen=True)
class Contacts:
    """One row a consultation, by person then date; `first` and `last` bound each person's activity."""

    person: Ints
    days: Ints
    physician: Ints
    type: Coded
    age: Floats
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.person)


def consult(block: Block, total: int, people: People, practices: Practices, seed: int) -> Contacts:
    """`total` consultations, one at least for each person when there are enough."""
    rng = stream(seed, "contacts", block.number)
    counts = _counts(rng, total, people, practices)
    person = np.repeat(np.arange(len(people)), counts)
    days = practices.clock.draw(rng, people.practice[person], people.entry[person], people.exit[person])
    days = sort_within(person, days)
    age = people.age_at(person, days)
    own = people.practice[person]
    elsewhere = rng.random(len(person)) < COLLEAGUE_RATE
    physician = np.where(elsewhere, practices.colleagues(rng, own), own)
    first, last = _activity(person, days, people)
    return Contacts(person, days, physician, _types(rng, age, days), age, first, last)


def sort_within(person: Ints, days: Ints) -> Ints:
    """The days, sorted for each person; `person` is sorted already."""
    key = (person << 32) | days
    key.sort()
    return key & 0xFFFFFFFF


def _counts(rng: np.random.Generator, total: int, people: People, practices: Practices) -> Ints:
    sure = min(1, total // len(people))
    weights = _expected(rng, people, practices)
    return sure + rng.multinomial(total - sure * len(people), weights / weights.sum())


def _expected(rng: np.random.Generator, people: People, practices: Practices) -> Floats:
    """Visits expected of each person: time present × visits a year at that age × illness × a factor."""
    clock = practices.clock
    present = clock.before(people.practice, people.exit + 1) - clock.before(people.practice, people.entry)
    middle = (people.entry + people.exit) // 2
    age = np.maximum((middle - people.birth) / YEAR, 0.0)
    rate = np.interp(age, *np.transpose(_VISITS_A_YEAR))
    rate *= np.where(people.female & (age > 15) & (age < 60), 1.3, 1.0)
    ill = (people.onset <= middle).sum(axis=0)
    return np.asarray(present * rate * (1 + 0.12 * ill) * rng.gamma(2.5, 0.4, len(people)))


def _types(rng: np.random.Generator, age: Floats, days: Ints) -> Coded:
    luck = rng.random(len(age))
    index = np.zeros(len(age), np.int64)
    home = np.interp(age, (0, 65, 80, 90), (0.01, 0.03, 0.15, 0.30))
    index[luck < home] = _TYPES.index("home")
    index[_between(luck, home, np.where(age > 82, 0.10, 0.0))] = _TYPES.index("nursing_home")
    index[_between(luck, 0.5, np.where(days >= _REMOTE_FROM, 0.05, 0.0))] = _TYPES.index("remote")
    index[_between(luck, 0.6, 0.03)] = _TYPES.index("phone")
    index[_between(luck, 0.7, 0.03)] = _TYPES.index("admin")
    index[_between(luck, 0.8, 0.02)] = _TYPES.index("unknown")
    return Coded(index, _TYPES)


def _between(luck: Floats, low: Floats | float, width: Floats | float) -> Flags:
    return np.asarray((luck >= low) & (luck < low + width))


def _activity(person: Ints, days: Ints, people: People) -> tuple[Ints, Ints]:
    """First and last contact; the day of entry for a person without any."""
    starts = np.searchsorted(person, np.arange(len(people)), side="left")
    ends = np.searchsorted(person, np.arange(len(people)), side="right")
    none = starts == ends
    padded = np.append(days, 0)
    return np.where(none, people.entry, padded[starts]), np.where(none, people.entry, padded[ends - 1])
