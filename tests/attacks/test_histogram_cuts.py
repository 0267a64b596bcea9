"""Classes of a histogram, cut right below somebody's value and then right above it.

What the lower class gains is those of that very value: known, but for the victim, whose diagnosis is the
secret. Both classes of both histograms are used. The cuts are the asker's to choose, one for each group.
"""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from tests.attacks.arena import BLUR, Score
from tests.attacks.population import SECRETS, bits, either, having, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300
STEP = 0.05  # values come in tenths


def histogram(a, rows, victims, by):
    below = either(
        [
            (rows.sex == v.sex) & (rows.age_band == v.age_band) & (rows.value < round(v.weight + by, 2))
            for v in victims.itertuples()
        ]
    )
    classes = rows.mutate(part=ibis.cases((below, "low"), else_="high"))
    frame = a.ask(classes.group_by([*KEYS, "part"]).agg(n=classes.patient_id.nunique()))
    return frame.set_index([*KEYS, "part"])["n"].astype(float).unstack("part")


def neighbours(a, people, turns=4):
    score, weights = Score(0, 0), seen("biometrics").filter(seen("biometrics").measure == "weight")
    middle = people.known[people.known["weight"].between(65, 85)]
    for turn, secret in enumerate(SECRETS[:turns]):
        victims = middle.groupby(KEYS).nth(turn).sort_values(KEYS)
        p = seen("patients")
        rows = weights.select("patient_id", "value").join(p.filter(having(p, secret)), "patient_id")
        less, more = (histogram(a, rows, victims, by) for by in (-STEP, STEP))
        gained = pd.concat([more["low"] - less["low"], less["high"] - more["high"]], axis=1).mean(axis=1)
        known = [same(people, victim, secret) for victim in victims.itertuples()]
        order = pd.MultiIndex.from_frame(victims[KEYS])
        score += a.mark(gained.reindex(order).to_numpy() - np.array(known) - 0.5, bits(victims, secret))
    return score


def same(people, victim, secret):
    """Known others of the victim's cell and value who have it."""
    rest = people.people.drop(victim.Index)
    there = (rest["sex"] == victim.sex) & (rest["age_band"] == victim.age_band)
    return int((there & (rest["weight"] == victim.weight) & rest[secret]).sum())


@pytest.mark.parametrize("out", [BLUR], ids=["two cuts"])
def test_succeeds_without_noise_and_ledger(play, out):
    assert play(neighbours, *out).succeeds


@pytest.mark.parametrize("out", [()], ids=["two cuts"])
def test_fails(play, out):
    assert play(neighbours, *out).is_guessing
