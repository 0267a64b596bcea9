"""One person's rows in a count or a sum: who has many of them adds many, if they are in it at all.

The attacker asks for rows of which the victim has many and everybody else one or few: all diagnoses of the
victim, beside one diagnosis of the others. Noise made for one row a person does not cover that; and noise
that grows with the rows of whoever has most tells by its size whether they are there. So who stands out is
cut down to the others first. Known helpers who have many rows, too, make the victim stand out less. Dwork,
McSherry, Nissim & Smith, "Calibrating noise to sensitivity in private data analysis", TCC 2006; for the leak
of noise that follows the data, Nissim, Raskhodnikova & Smith, STOC 2007. One question; everybody else is
known.
"""

from __future__ import annotations

from functools import partial

import pandas as pd
import pytest

from tests.attacks.arena import Defence, Score, after
from tests.attacks.population import COINS, SECRETS, bits, having, is_one_of, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300


def counted(rows):
    return rows.group_by(KEYS).agg(n=rows.count())


def summed(rows):
    """How many rows each patient has, summed."""
    each = rows.group_by("patient_id", *KEYS).agg(rows=rows.count())
    return each.group_by(KEYS).agg(n=each.rows.sum())


def all_of_one(a, people, question, helpers):
    score = Score(0, 0)
    codes = [*SECRETS, *COINS]
    for turn, (secret, common) in enumerate(zip(SECRETS, COINS, strict=False)):
        victims = people.victims(turn % 4, KEYS)
        known = people.known.drop(victims.index).groupby(KEYS).tail(helpers)
        known = known if helpers else known.iloc[:0]
        d, p = seen("diagnoses"), seen("patients")
        there = p.filter(~is_one_of(p, victims) | having(p, secret))
        rows = d.select("patient_id", "cisp2").join(there, "patient_id")
        whole = pd.concat([victims, known])
        rows = rows.filter(is_one_of(rows, whole) | (rows.cisp2 == common))
        shown = a.cells(question(rows), KEYS)
        others = people.people.drop(whole.index).groupby(KEYS)[common].sum().to_numpy()
        others = others + (known.groupby(KEYS)[codes].sum().sum(axis=1).to_numpy() if helpers else 0)
        score += a.mark(shown - others - victims[codes].sum(axis=1).to_numpy() / 2, bits(victims, secret))
    return score


ATTACKS = {
    f"{question.__name__}, {n} helpers": partial(all_of_one, question=question, helpers=n)
    for question in (counted, summed)
    for n in (0, 2)
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_where_noise_is_for_one_row_each(play, attack):
    assert play(attack, Defence.OWN_NOISE).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_tells_no_more_than_the_noise_of_the_heaviest(play, attack):
    """Its deviation is the victim's own rows."""
    assert play(attack).is_within(after(1, noise=1.0))
