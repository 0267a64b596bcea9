"""The people of a block: age, sex, practice, presence, death, and when each disease begins in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from hub_config.warehouse.synthesis.arrays import NEVER, Flags, Floats, Ints, stream
from hub_config.warehouse.synthesis.knowledge import Disease
from hub_config.warehouse.synthesis.practices import Practices
from hub_config.warehouse.synthesis.presets import Block

DUPLICATE_RATE: Final = (
    0.003  # people known under two sources: the second is another patient of another practice
)
YEAR: Final = 365.25

# Share of the people of each age at the reference date (age, weight), and of those who have died by then.
_PYRAMID: Final = (
    (0, 9), (5, 11), (15, 12), (22, 10), (35, 13), (50, 13.5), (60, 13), (70, 11), (78, 7),
    (86, 4), (94, 1), (102, 0),
)  # fmt: skip
_DEAD: Final = ((0, 0.001), (50, 0.005), (65, 0.03), (75, 0.09), (85, 0.25), (95, 0.6), (110, 0.9))


@dataclass(frozen=True)
class People:
    """The practice may see them from `entry` to `exit` (inclusive); `onset` is diseases × people."""

    practice: Ints
    female: Flags
    birth: Ints
    entry: Ints
    exit: Ints
    death: Ints
    duplicate: Flags
    diseases: tuple[str, ...]
    onset: Ints

    def __len__(self) -> int:
        return len(self.practice)

    def onset_of(self, disease: str) -> Ints:
        """The first day of the disease in each person; NEVER where there is none."""
        return np.asarray(self.onset[self.diseases.index(disease)])

    def age_at(self, person: Ints, days: Ints) -> Floats:
        return np.maximum((days - self.birth[person]) / YEAR, 0.0)


def populate(
    block: Block, practices: Practices, diseases: list[Disease], seed: int, reference: int
) -> People:
    rng = stream(seed, "people", block.number)
    n = block.size
    practice = rng.choice(len(practices), n, p=practices.weight / practices.weight.sum())
    birth = _births(rng, n, reference)
    female = rng.random(n) < np.interp((reference - birth) / YEAR, (0, 60, 90), (0.50, 0.53, 0.66))
    duplicate = _duplicate(rng, len(practices), practice, female, birth, practices.last)
    entry, exit_, death = _presence(rng, practices, practice, birth, reference)
    onset = _onsets(rng, diseases, female, birth)
    return People(
        practice, female, birth, entry, exit_, death, duplicate, tuple(d.code for d in diseases), onset
    )


def _births(rng: np.random.Generator, n: int, reference: int) -> Ints:
    ages = np.arange(103)
    weights = np.interp(ages, *np.transpose(_PYRAMID))
    age = rng.choice(ages, n, p=weights / weights.sum())
    return np.asarray(reference - 1 - (age * YEAR + rng.random(n) * YEAR).astype(np.int64))


def _duplicate(
    rng: np.random.Generator, practices: int, practice: Ints, female: Flags, birth: Ints, last: Ints
) -> Flags:
    """Give some people a second record in another practice, in place; none born after the last export."""
    pairs = int(len(practice) * DUPLICATE_RATE / 2)
    one, other = rng.permutation(len(practice))[: 2 * pairs].reshape(2, pairs)
    practice[other] = np.where(
        practice[one] == practice[other], (practice[other] + 1) % practices, practice[other]
    )
    np.minimum(birth, last[practice] - 90, out=birth)
    birth[one] = birth[other] = np.minimum(birth[one], birth[other])
    female[other] = female[one]
    duplicate = np.zeros(len(practice), bool)
    duplicate[one] = duplicate[other] = True
    return duplicate


def _presence(
    rng: np.random.Generator, practices: Practices, practice: Ints, birth: Ints, reference: int
) -> tuple[Ints, Ints, Ints]:
    """Entry, exit and death. Six in ten stay to the practice's last export; an entry is a working day."""
    clock, n = practices.clock, len(practice)
    low = clock.before(practice, np.maximum(practices.first[practice], birth))
    high = clock.before(practice, practices.last[practice] + 1)
    came = low + np.where(rng.random(n) < 0.45, 0.0, rng.random(n) * 0.97) * (high - low)
    entry = clock.date_at(practice, came)
    left = clock.date_at(practice, came + rng.beta(1.2, 1.5, n) * (high - came))
    stays = rng.random(n) < 0.6
    exit_ = np.where(stays, practices.last[practice], left)
    dies = rng.random(n) < np.interp((reference - birth) / YEAR, *np.transpose(_DEAD))
    end_of_life = clock.date_at(practice, came + rng.beta(2.0, 1.0, n) * (high - came) * 0.999)
    exit_ = np.where(dies, end_of_life, exit_)
    return entry, np.maximum(exit_, entry), np.where(dies, np.maximum(end_of_life, entry), NEVER)


def _onsets(rng: np.random.Generator, diseases: list[Disease], female: Flags, birth: Ints) -> Ints:
    frailty = rng.standard_normal(len(birth))
    onset = np.empty((len(diseases), len(birth)), np.int64)
    for row, disease in enumerate(diseases):
        onset[row] = _onset(rng.random(len(birth)), disease, female, birth, frailty)
    return onset


def _onset(luck: Floats, disease: Disease, female: Flags, birth: Ints, frailty: Floats) -> Ints:
    """The logistic curve inverted: who is under its plateau has the disease from the age that passes them."""
    share = luck / np.maximum(np.where(female, disease.female, disease.male), 1e-12)
    spared = share >= 1.0
    inner = np.clip(share, 1e-6, 1 - 1e-6)
    age = disease.mid + disease.width * np.log(inner / (1 - inner)) - disease.frailty * frailty
    days = birth + (np.clip(age, 0.1, 120) * YEAR).astype(np.int64)
    return np.where(spared, NEVER, days)
