"""Noise of bounded support, seen through many record sets: means, and the extremes that no noise passes.

The attacker knows everybody but the victim and asks for ever other groups with the victim in them: each
answer is the secret bit under noise of its own. After enough of them the largest is the bound itself. Asghar
& Kaafar, PoPETs 2020(2) 358–378.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.attacks.arena import BLUR, Score, after
from tests.attacks.population import COINS, SECRETS, bits, marked, seen

KEYS = ["sex", "age_band"]
ASKED = SECRETS[:5]
FEW, MANY = 1, 12


def means(a, people, sets):
    """The victims' halves along so many coins, less the known others."""
    victims, everybody = people.victims(0, KEYS), people.people
    others = everybody.drop(victims.index)
    evidence = []
    for coin in COINS[:sets]:
        p = marked(seen("patients"), [*ASKED, coin])
        counts = {secret: p.patient_id.nunique(where=p[secret]) for secret in ASKED}
        shown = a.ask(p.group_by([*KEYS, coin]).agg(**counts)).set_index([*KEYS, coin])[list(ASKED)]
        known = others.groupby([*KEYS, coin])[list(ASKED)].sum()
        wanted = [(*v[KEYS], v[coin]) for _, v in victims.iterrows()]
        evidence.append((shown.astype(float) - known).loc[wanted].to_numpy() - 0.5)
    total = np.nansum(evidence, axis=0)
    score = Score(0, 0)
    for column, secret in enumerate(ASKED):
        score += a.mark(total[:, column], bits(victims, secret))
    return score


@pytest.mark.parametrize("sets", [FEW, MANY])
def test_succeeds_without_noise_and_ledger(play, sets):
    assert play(partial(means, sets=sets), *BLUR).succeeds


def test_one_set_is_one_look(play):
    assert play(partial(means, sets=FEW)).is_within(after(1))


def test_many_sets_are_as_many_looks_at_most(play):
    """Sets of people that are far from each other have noise of their own: it wears down as noise does."""
    assert play(partial(means, sets=MANY)).is_within(after(MANY))
