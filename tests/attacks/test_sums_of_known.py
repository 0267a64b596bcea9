"""One sum over twenty people whom one knows, and the victim if ill: is the noise a ruler?

If the noise of a sum had a hole around zero (never less than half of the largest contribution), the sum of
what is known could not be shown near itself, and neither could the sum with the victim, who adds the most.
Where one can't be shown the other is: of ones, an odd answer would say twenty, and an even one twenty-one.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.attacks.arena import Score, after
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

GROUP = ["sex", "age_band"]


def friends(people, turn):
    victims = people.victims(turn, GROUP)
    others = people.known.drop(victims.index)
    p, secret = seen("patients"), SECRETS[turn]
    chosen = others.groupby(GROUP).head(20)
    return p.filter(is_one_of(p, chosen) | (is_one_of(p, victims) & having(p, secret))), victims, secret


def parity(a, people, turn):
    some, victims, secret = friends(people, turn)
    each = some.group_by("patient_id", *GROUP).agg(one=some.count())
    shown = a.cells(each.group_by(GROUP).agg(n=each.one.sum()), GROUP)
    return a.mark(np.where(np.isnan(shown), np.nan, 1 - 2 * (shown % 2)), bits(victims, secret))


def test_a_sum_of_ones_says_no_more_than_a_count(play):
    score = sum((play(partial(parity, turn=turn)) for turn in range(3)), Score(0, 0))
    assert score.is_within(after(1))
