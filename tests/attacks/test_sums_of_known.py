"""One sum over twenty people whom one knows, and the victim if ill: is the noise a ruler?

If the noise of a sum had a hole around zero (never less than half of the largest contribution), the sum of
what is known could not be shown near itself, and neither could the sum with the victim, who adds the most.
Where one can't be shown the other is: of ones, an odd answer would say twenty, and an even one twenty-one.
Beside parity, the plain guess: which of the two is nearer. Its bound is that of a count, Φ(1/2σ) = 0.60:
noise in units of what one person adds can't do better, and the unit must not tell who is there
(`test_heavy_rows`).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.attacks.arena import BLUR, Score, after
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

GROUP = ["sex", "age_band"]
KNOWN = 20


def friends(people, turn):
    victims = people.victims(turn, GROUP)
    others = people.known.drop(victims.index)
    p, secret = seen("patients"), SECRETS[turn]
    chosen = others.groupby(GROUP).head(KNOWN)
    return p.filter(is_one_of(p, chosen) | (is_one_of(p, victims) & having(p, secret))), victims, secret


def by_parity(shown):
    return np.where(np.isnan(shown), np.nan, 1 - 2 * (shown % 2))


def by_distance(shown):
    return shown - KNOWN - 0.5


def summed(a, people, read):
    score = Score(0, 0)
    for turn in range(len(SECRETS)):
        name = f"mallory{turn}"  # no memory helps
        a.join(name, name)
        some, victims, secret = friends(people, turn)
        each = some.group_by("patient_id", *GROUP).agg(one=some.count())
        shown = a.cells(each.group_by(GROUP).agg(n=each.one.sum()), GROUP, user=name, project=name)
        score += a.mark(read(shown), bits(victims, secret))
    return score


def parity(a, people):
    return summed(a, people, by_parity)


def distance(a, people):
    return summed(a, people, by_distance)


def test_succeeds_without_noise(play):
    assert play(distance, *BLUR).succeeds


@pytest.mark.parametrize("attack", [parity, distance], ids=["parity", "distance"])
def test_a_sum_of_ones_says_no_more_than_a_count(play, attack):
    assert play(attack).is_within(after(1))
