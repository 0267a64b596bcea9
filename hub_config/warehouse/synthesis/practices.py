"""Practices: who they are, when their exports were good, and how their activity runs through the calendar.

A practice's observed time runs from its first good export to its last; a change of software leaves a gap, and
a few practices are silent for some months without one. The clock turns "this much of the practice's activity"
into a date: more on Mondays and in winter, none in a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import NEVER, Flags, Floats, Ints, day, month_starts, stream

GAP_RATE: Final = 0.35  # practices that changed software, and lost the months between
SILENT_RATE: Final = 0.06  # practices that recorded nothing for some months; one at least
WITHDRAWN_RATE: Final = 0.02  # practices that withdrew, with their patients; one at least
GROWTH: Final = 0.02  # a year
_WEEKDAYS: Final = (1.25, 1.05, 0.95, 1.0, 1.1, 0.45, 0.02)
_MONTHS: Final = (1.12, 1.10, 1.06, 0.98, 0.95, 0.97, 0.85, 0.70, 1.02, 1.08, 1.07, 1.10)
_LOCKDOWN: Final = (date(2020, 3, 17), date(2020, 5, 10), 0.65)

_Days = tuple[Ints, Ints]  # of each practice, the first and the last


class Clock:
    """Cumulated activity of each practice, by day."""

    def __init__(self, activity: Floats, origin: int) -> None:
        """`activity` is practices × days, from day `origin`."""
        self._origin = origin
        self._days = activity.shape[1]
        self._before = np.zeros((activity.shape[0], self._days + 1))
        np.cumsum(activity, axis=1, out=self._before[:, 1:])
        self._stride = float(self._before[:, -1].max()) + 1.0
        self._flat = (self._before + self._stride * np.arange(activity.shape[0])[:, None]).ravel()

    def before(self, practice: Ints, days: Ints) -> Floats:
        """Activity of the practice before each day."""
        return np.asarray(self._before[practice, np.clip(days - self._origin, 0, self._days)])

    def date_at(self, practice: Ints, activity: Floats) -> Ints:
        """The day on which the practice's cumulated activity passes `activity`."""
        place = np.searchsorted(self._flat, activity + self._stride * practice, side="right") - 1
        return np.asarray(self._origin + np.clip(place - practice * (self._days + 1), 0, self._days - 1))

    def draw(self, rng: np.random.Generator, practice: Ints, first: Ints, last: Ints) -> Ints:
        """A day for each row, from `first` to `last` included, as the practice's activity goes."""
        low, high = self.before(practice, first), self.before(practice, last + 1)
        days = self.date_at(practice, low + rng.random(len(practice)) * (high - low))
        return np.clip(days, first, last)


@dataclass(frozen=True)
class Practices:
    """One GP a practice. Days are inclusive; `gap_first` and `silent_first` are NEVER where there is none."""

    centres: tuple[str, ...]
    centre: Ints
    female: Flags
    age: Ints
    weight: Floats
    first: Ints
    last: Ints
    gap_first: Ints
    gap_last: Ints
    silent_first: Ints
    silent_last: Ints
    withdrawn: Flags
    clock: Clock

    def __len__(self) -> int:
        return len(self.centre)

    @property
    def largest(self) -> int:
        return int(np.argmax(self.weight))

    def colleagues(self, rng: np.random.Generator, practice: Ints) -> Ints:
        """A random GP of the same centre for each row (the GPs of a centre are numbered in a row)."""
        sizes = np.bincount(self.centre)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        centre = self.centre[practice]
        return starts[centre] + (rng.random(len(practice)) * sizes[centre]).astype(np.int64)


def found_practices(physicians: Mapping[str, int], first: date, last: date, seed: int) -> Practices:
    """The practices of a snapshot whose calendar runs from `first` to `last`."""
    rng = stream(seed, "practices")
    n = sum(physicians.values())
    weight = rng.lognormal(0.0, 0.35, n)
    withdrawn = np.zeros(n, bool)
    withdrawn[np.argsort(weight)[: max(1, round(n * WITHDRAWN_RATE))]] = True
    starts, ends = _exports(rng, n, day(first), day(last), withdrawn)
    gap_first, gap_last = _gaps(rng, starts, ends)
    silent_first, silent_last = _silences(stream(seed, "silence"), starts, ends, gap_first, gap_last)
    return Practices(
        centres=tuple(physicians),
        centre=np.repeat(np.arange(len(physicians)), list(physicians.values())),
        female=rng.random(n) < 0.45,
        age=np.clip(rng.normal(51, 10, n), 31, 72).astype(np.int64),
        weight=weight,
        first=starts,
        last=ends,
        gap_first=gap_first,
        gap_last=gap_last,
        silent_first=silent_first,
        silent_last=silent_last,
        withdrawn=withdrawn,
        clock=Clock(
            _activity(first, last, (starts, ends), (gap_first, gap_last), (silent_first, silent_last)),
            day(first),
        ),
    )


def _exports(rng: np.random.Generator, n: int, first: int, last: int, withdrawn: Flags) -> tuple[Ints, Ints]:
    """First and last good export: they join over the first half of the calendar, one on its first day."""
    starts = first + (rng.random(n) ** 1.3 * 0.5 * (last - first)).astype(np.int64)
    starts[np.argmin(starts)] = first
    left = first + (rng.uniform(0.80, 0.93, n) * (last - first)).astype(np.int64)
    return starts, np.where(withdrawn, left, last)


def _gaps(rng: np.random.Generator, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    has_gap = rng.random(len(starts)) < GAP_RATE
    length = rng.integers(60, 270, len(starts))
    gap_first = starts + 365 + (rng.random(len(starts)) * (ends - starts - 730 - length)).astype(np.int64)
    return np.where(has_gap, gap_first, NEVER), np.where(has_gap, gap_first + length, NEVER)


def _silences(
    rng: np.random.Generator, starts: Ints, ends: Ints, gap_first: Ints, gap_last: Ints
) -> tuple[Ints, Ints]:
    """Three to seven whole months, away from the ends and from any change of software."""
    n = len(starts)
    begins = month_starts(
        starts + 400 + (rng.random(n) * np.maximum(ends - starts - 1000, 1)).astype(np.int64)
    )
    stops = month_starts(begins + 32 * rng.integers(3, 8, n)) - 1
    apart = (gap_first >= NEVER) | (stops < gap_first - 100) | (begins > gap_last + 100)
    fits = apart & (stops < ends - 200)
    chosen = rng.permutation(n)
    chosen = chosen[fits[chosen]][: max(1, round(n * SILENT_RATE))]
    silent = np.zeros(n, bool)
    silent[chosen] = True
    return np.where(silent, begins, NEVER), np.where(silent, stops, NEVER)


def _activity(first: date, last: date, exports: _Days, *closed: _Days) -> Floats:
    """Within the exports, and outside what is `closed`."""
    days = np.arange(day(first), day(last) + 1)
    good = _within(days, exports)
    for each in closed:
        good &= ~_within(days, each)
    return good * _calendar(first, len(days))


def _within(days: Ints, bounds: _Days) -> Flags:
    return np.asarray((days >= bounds[0][:, None]) & (days <= bounds[1][:, None]))


def _calendar(first: date, length: int) -> Floats:
    return np.array([_business(first, first + timedelta(days=n)) for n in range(length)])


def _business(first: date, today: date) -> float:
    """How busy a practice is on `today`."""
    start, end, share = _LOCKDOWN
    lockdown = share if start <= today <= end else 1.0
    growth = (1 + GROWTH) ** ((today - first).days / 365.25)
    return float(_WEEKDAYS[today.weekday()] * _MONTHS[today.month - 1] * lockdown * growth)
