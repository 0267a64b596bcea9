"""Leave out more than "few": the victim and a dozen known others, so that the answers are not near.

Known others are counted back in: |S| = |S without K| + |K|. Each set K gives a look at the group with the
victim or without; means of many looks wear the noise down. Asghar & Kaafar, PoPETs 2020(2); for the ledger's
radius, see ADR 0009, rule 4.

The jitter of the radius is attacked too: whether an answer *was* near ("rounded to an earlier answer") tells,
with K of 10 to 15, whether the victim was one more. Advantages are printed by question.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.attacks.arena import BLUR, Score, after
from tests.attacks.population import SECRETS, bits, is_one_of, marked, pads, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300, 150 ill
ASKED = SECRETS[:5]
PAIRS = 12


def looks(a, people, victims, months, without):
    """What a look at each cell and secret says of the whole group: shown, plus the known ones left out; the
    second frame, where it was said to be rounded to an earlier answer; the third, how many were left out."""
    p = seen("patients")
    kept = p.filter(~p.birth_month.isin(months))
    kept = marked(kept.filter(~is_one_of(kept, victims)) if without else kept, ASKED)
    question = kept.group_by(KEYS).agg(**{s: kept.patient_id.nunique(where=kept[s]) for s in ASKED})
    frame, disclosure = a.answer(question)
    shown = frame.set_index(KEYS)[list(ASKED)].astype(float)
    left = people.people[people.people["birth_month"].isin(months)].drop(victims.index, errors="ignore")
    size = left.groupby(KEYS)[list(ASKED)].sum().reindex(shown.index, fill_value=0)
    return shown + size, snapped(shown, disclosure), size


def snapped(shown, disclosure):
    said = pd.DataFrame(False, shown.index, shown.columns)
    for secret in shown.columns:
        for label in disclosure.measures[secret].snapped_labels:
            key = dict(zip(disclosure.key_columns, label, strict=True))
            said.loc[tuple(key[k] for k in KEYS), secret] = True
    return said


def by_value(a, people, number):
    """`number` looks with the victims, as many without; those of people whom a pad took are not used."""
    victims = people.victims(0, KEYS)
    sums = {True: [], False: []}
    for i, months in enumerate(pads(a.dice, 2 * number)):
        without = bool(i % 2)
        guess, rounded, _ = looks(a, people, victims, months, without)
        gone = victims["birth_month"].isin(months).to_numpy()[:, None] & (not without)
        sums[without].append(np.where(gone | rounded.to_numpy(), np.nan, guess.to_numpy()))
    more, less = (mean(sums[without]) for without in (False, True))
    return marked_all(a, victims, more - less - 0.5)


def mean(looked):
    """Of what could be used; NaN of nothing."""
    used = ~np.isnan(looked)
    return np.where(used.any(axis=0), np.nansum(looked, axis=0) / np.maximum(used.sum(axis=0), 1), np.nan)


def by_jitter(a, people, number):
    """Asked first: everybody. Then without the victims and a pad: near, or not any more?"""
    victims = people.victims(0, KEYS)
    looks(a, people, victims, [], False)
    evidence = np.zeros((20, len(ASKED)))
    for months in pads(a.dice, number):
        _, rounded, size = looks(a, people, victims, months, True)
        near = np.clip((16 - size.to_numpy()) / 6, 0, 1), np.clip((15 - size.to_numpy()) / 6, 0, 1)
        well, ill = (np.where(rounded.to_numpy(), chance, 1 - chance) for chance in near)
        evidence += np.log(np.maximum(ill, 1e-3)) - np.log(np.maximum(well, 1e-3))
    return marked_all(a, victims, evidence)


def marked_all(a, victims, evidence):
    score = Score(0, 0)
    for column, secret in enumerate(ASKED):
        score += a.mark(evidence[:, column], bits(victims, secret))
    return score


def once(a, people):
    return by_value(a, people, 1)


def often(a, people):
    return by_value(a, people, PAIRS)


def ruler(a, people):
    return by_jitter(a, people, PAIRS)


def test_succeeds_without_noise_and_ledger(play):
    assert play(once, *BLUR).succeeds


def test_one_padded_pair_tells_no_more_than_one_look(play):
    assert play(once).is_within(after(1))


def test_many_pairs_are_as_many_looks_at_most(play):
    """A pair has twice the variance of a look."""
    assert play(often).is_within(after(PAIRS / 2))


def test_the_jitter_tells_less_than_the_numbers_would(play):
    assert play(ruler).is_within(after(PAIRS))
