"""Which consultations an event falls on: by age, sex and month, or among those who have its disease.

Exact numbers are asked for and given. A cell is a sex, a year of age and a month of the calendar; inside a
cell the consultations lie in random order, and an event takes the next ones from a random place: none twice,
while there are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import Floats, Ints, day, months, stream
from hub_config.warehouse.synthesis.contacts import Contacts
from hub_config.warehouse.synthesis.knowledge import OLDEST, Event, Profiles
from hub_config.warehouse.synthesis.people import People

_ATTEMPTS: Final = 10


class Seasons:
    """Weight of each month of the calendar, by season: the month's own, times its winter's size."""

    def __init__(self, profiles: Profiles, first: date, last: date, seed: int) -> None:
        self._first_month, last_month = months(np.array([day(first), day(last)]))
        self._months = np.arange(self._first_month, last_month + 1)
        rng = stream(seed, "epidemics")
        winters = (self._months + 6) // 12  # from July to June
        sizes = rng.standard_normal(200)[winters - winters[0]]
        self._weights: dict[str, Floats] = {
            name: weights[self._months % 12] * np.exp(profiles.epidemic.get(name, 0.0) * sizes)
            for name, weights in profiles.seasons.items()
        }

    def __len__(self) -> int:
        return len(self._months)

    def weights(self, season: str, since: date | None) -> Floats:
        weights = self._weights[season]
        if since is None:
            return weights
        return np.asarray(weights * (self._months > months(np.array([day(since)]))[0]))

    def place(self, days: Ints) -> Ints:
        """Each day's month, counted from the calendar's first."""
        return np.asarray(months(days) - self._first_month)


class Sampler:
    """Draws consultations for events. One a block; it draws from its own stream, in the order it is asked."""

    def __init__(
        self,
        contacts: Contacts,
        people: People,
        seasons: Seasons,
        ages: Mapping[str, Floats],
        rng: np.random.Generator,
    ) -> None:
        self._contacts, self._people, self._seasons, self._ages, self._rng = (
            contacts,
            people,
            seasons,
            ages,
            rng,
        )
        self._month = seasons.place(contacts.days)
        self._age = np.minimum(contacts.age, OLDEST).astype(np.int64)
        self._sex = people.female[contacts.person].astype(np.int64)
        cell = (self._sex * (OLDEST + 1) + self._age) * len(seasons) + self._month
        shuffled = rng.permutation(len(contacts))
        self._order = shuffled[np.argsort(cell[shuffled], kind="stable")]
        self._sizes = np.bincount(cell, minlength=2 * (OLDEST + 1) * len(seasons))
        self._starts = np.cumsum(self._sizes) - self._sizes

    def draw(self, event: Event, number: int) -> Ints:
        """`number` consultations for `event`, as their places. Repeats one only when too few fit."""
        if event.disease is None:
            return _distinct(lambda missing: self._from_cells(event, missing), number)
        sick = self._people.onset_of(event.disease)[self._contacts.person] <= self._contacts.days
        pool = np.flatnonzero(sick)
        return self._from_pool(event, pool, number) if len(pool) else self._from_cells(event, number)

    def _from_cells(self, event: Event, number: int) -> Ints:
        if number == 0:
            return np.empty(0, np.int64)
        cumulated = np.cumsum(self._sizes * self._cell_weights(event))
        if cumulated[-1] <= 0:  # nobody fits, in a tiny snapshot: anybody will do
            cumulated = np.cumsum(self._sizes).astype(float)
        aims = np.sort(self._rng.random(number)) * cumulated[-1]
        cells = np.searchsorted(cumulated, aims, side="right")
        first_of_cell = np.searchsorted(cells, cells, side="left")
        place = np.arange(number) - first_of_cell
        start = (self._rng.random(len(self._sizes)) * self._sizes).astype(np.int64)
        return np.asarray(self._order[self._starts[cells] + (start[cells] + place) % self._sizes[cells]])

    def _cell_weights(self, event: Event) -> Floats:
        by_age = np.multiply.outer(_sexes(event.sex), self._ages[event.ages])
        return np.multiply.outer(by_age, self._seasons.weights(event.season, event.since)).ravel()

    def _from_pool(self, event: Event, pool: Ints, number: int) -> Ints:
        weights = self._seasons.weights(event.season, event.since)[self._month[pool]]
        weights = weights * self._ages[event.ages][self._age[pool]] * _sexes(event.sex)[self._sex[pool]]
        kept = min(number, len(pool))
        chosen = pool[heaviest(self._rng, weights, kept)]
        return np.concatenate([chosen, self._rng.choice(pool, number - kept)])


def _distinct(draw: Callable[[int], Ints], number: int) -> Ints:
    """`number` places of what `draw` draws, each once while a few attempts find new ones."""
    chosen = _each_once(draw(number))
    for _ in range(_ATTEMPTS):
        if len(chosen) == number:
            return chosen
        chosen = _each_once(np.concatenate([chosen, draw(number - len(chosen))]))
    return np.concatenate([chosen, draw(number - len(chosen))])


def _each_once(places: Ints) -> Ints:
    """Sorted, without repetitions; sorting beats NumPy's own hashing here."""
    ordered = np.sort(places)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def heaviest(rng: np.random.Generator, weights: Floats, number: int) -> Ints:
    """`number` places drawn without replacement in proportion to `weights` (Efraimidis and Spirakis 2006)."""
    keys = rng.exponential(size=len(weights)) / np.maximum(weights, 1e-12)
    if number >= len(weights):
        return np.arange(len(weights))
    return np.sort(np.argpartition(keys, number)[:number])


def _sexes(sex: str | None) -> Floats:
    """Weights of men and women."""
    return np.array([sex != "F", sex != "M"], float)
