"""Split the group in two in many ways, add the halves, and take the mean of the sums.

Each split has noise of its own, and the group itself is never asked for. Done once with the victim and once,
along other splits, without. Sticky noise does not help: no record set comes twice. Asghar & Kaafar,
"Averaging attacks on bounded noise-based disclosure control algorithms", PoPETs 2020(2) 358–378.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.attacks.arena import BLUR, Score
from tests.attacks.population import COINS, SECRETS, bits, is_one_of, marked, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300


def halves(a, people, splits):
    """Half of the splits with the victims, the others without."""
    secrets = SECRETS[:4]
    score, victims = Score(0, 0), people.victims(0, KEYS)
    with_, without = [], []
    for number, coin in enumerate(COINS[:splits]):
        everybody = seen("patients")
        p = everybody.filter(~is_one_of(everybody, victims)) if number % 2 else everybody
        p = marked(p, [*secrets, coin])
        counts = {secret: p.patient_id.nunique(where=p[secret]) for secret in secrets}
        shown = a.ask(p.group_by([*KEYS, coin]).agg(**counts)).groupby(KEYS)[list(secrets)]
        (without if number % 2 else with_).append(shown.sum(min_count=2).astype(float))
    for secret in secrets:
        more, less = (np.mean([f[secret].to_numpy() for f in sums], axis=0) for sums in (with_, without))
        score += a.mark(more - less - 0.5, bits(victims, secret))
    return score


def few(a, people):
    return halves(a, people, 2)


def many(a, people):
    return halves(a, people, 16)


@pytest.mark.parametrize("attack", [few, many], ids=["one split each", "eight splits each"])
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", [few, many], ids=["one split each", "eight splits each"])
def test_fails(play, attack):
    assert play(attack).is_guessing
