"""What one cell hides, its neighbours and their sum tell.

The group is split in two by something known of everybody, the victim put in neither half; the halves are
shown, and so is the whole: subtract. In linked tables the whole comes from another question, in hierarchical
ones from the level above. Cox, "Suppression methodology and statistical disclosure control", JASA 75 (1980)
377–385.
"""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pytest

from tests.attacks.arena import BLUR, Score
from tests.attacks.population import BANDS, COINS, REGION, SECRETS, bits, having, is_one_of, marked, seen

WIDE = ["centre_id", "age_band"]  # 60 cells of 100
PARTS = ("left", "right")


def halves(p, victims, coin):
    """left, right by the coin; the victims in a class of their own."""
    sorted_ = marked(p, [coin])
    part = ibis.cases((is_one_of(p, victims), "victim"), (sorted_[coin], PARTS[0]), else_=PARTS[1])
    return sorted_.mutate(part=part)


def linked(a, people, whole_first):
    """The whole from one question, the halves from another."""
    score = Score(0, 0)
    for turn in range(3):
        victims, secret = people.victims(turn, WIDE), SECRETS[turn]
        p = seen("patients")
        ill = p.filter(having(p, secret))
        whole = ill.group_by(WIDE).agg(n=ill.patient_id.nunique())
        split = halves(ill, victims, COINS[turn]).group_by([*WIDE, "part"])
        parts = split.agg(n=lambda t: t.patient_id.nunique())
        first = a.cells(whole, WIDE) if whole_first else None
        shown = a.ask(parts)
        summed = shown[shown["part"].isin(PARTS)].groupby(WIDE)["n"].sum(min_count=2)
        total = a.cells(whole, WIDE) if first is None else first
        score += a.mark(total - summed.to_numpy(float, na_value=np.nan) - 0.5, bits(victims, secret))
    return score


def hierarchical(a, people, whole_first):
    """The whole is a region, its two centres the halves; the victim's centre is asked for without them."""
    keys = ["region", "sex", "age_band"]
    score = Score(0, 0)
    for turn in range(3):
        secret, p = SECRETS[turn], seen("patients")
        victims = people.victims(turn).assign(region=lambda f: f["centre_id"].map(REGION))
        victims = victims[victims["centre_id"].isin(["C2", "C4", "C6"])].sort_values(keys)
        ill = p.filter(having(p, secret))
        others = ill.filter(~is_one_of(ill, victims))
        below = others.group_by("centre_id", "sex", "age_band").agg(n=lambda t: t.patient_id.nunique())
        placed = ill.join(seen("centres"), "centre_id")
        above = placed.group_by(keys).agg(n=placed.patient_id.nunique())
        first = a.cells(above, keys) if whole_first else None
        shown = a.ask(below)
        shown["region"] = shown["centre_id"].map(REGION)
        summed = shown.groupby(keys)["n"].sum(min_count=2).to_numpy(float, na_value=np.nan)
        total = a.cells(above, keys) if first is None else first
        score += a.mark(total - summed - 0.5, bits(victims, secret))
    return score


def bands(a, people, whole_first):
    """The whole is all ages, its halves the bands; the victim's own band leaves them out."""
    keys = ["centre_id", "sex"]
    score = Score(0, 0)
    for turn in range(8):
        victims, secret, p = people.victims(turn, keys), SECRETS[turn], seen("patients")
        ill = p.filter(having(p, secret))
        whole = ill.group_by(keys).agg(n=ill.patient_id.nunique())
        others = ill.filter(~is_one_of(ill, victims))
        parts = others.group_by([*keys, "age_band"]).agg(n=lambda t: t.patient_id.nunique())
        first = a.cells(whole, keys) if whole_first else None
        shown = a.ask(parts)
        summed = shown.groupby(keys)["n"].sum(min_count=len(BANDS)).to_numpy(float, na_value=np.nan)
        total = a.cells(whole, keys) if first is None else first
        score += a.mark(total - summed - 0.5, bits(victims, secret))
    return score


ATTACKS = {
    f"{attack.__name__}, {'whole' if whole_first else 'parts'} first": partial(
        attack, whole_first=whole_first
    )
    for attack in (linked, hierarchical, bands)
    for whole_first in (True, False)
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing
