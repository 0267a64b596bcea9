"""Noise as the signal: ask for the group, and for the group without "the victim, if ill".

If the victim is well both are the same people, and sticky noise says so by being the same; if ill, it
changes. Clones of the question (other harmless conditions, other record sets) repeat the test. Gadotti,
Houssiau, Rocher, Livshits & de Montjoye, "When the signal is in the noise: exploiting Diffix's sticky
noise", USENIX Security 2019.

What the gateway says of its own doing is a signal of the same kind: "rounded to an earlier answer".
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.attacks.arena import Defence, Score
from tests.attacks.population import CELL, SECRETS, bits, having, is_one_of, per_cell, seen

CLONES = 3


def clones(p, victims, secret, number):
    """The group, with some known others left out; and without those of the victims who are ill."""
    ages = [10 * band + number for band in range(10)]  # one year of each age band
    known = victims["age"].isin(ages).to_numpy()
    group = p.filter(having(p, "R74"), ~p.age.isin(ages)) if number else p.filter(having(p, "R74"))
    secretly_ill = is_one_of(group, victims) & having(group, secret)
    return known & (number > 0), per_cell(group), per_cell(group.filter(~secretly_ill))


def by_value(a, people):
    """Different numbers once: ill."""
    score, p = Score(0, 0), seen("patients")
    for turn, secret in enumerate(SECRETS[:2]):
        victims = people.victims(turn)
        member = bits(victims, "R74")
        differs = np.zeros(len(victims), dtype=bool)
        for number in range(CLONES):
            _, group, without = clones(p, victims, secret, number)
            one, other = a.cells(group), a.cells(without)
            differs |= (one != other) & ~(np.isnan(one) & np.isnan(other))
        guess = np.where(differs, 1.0, -1.0)[member]
        score += a.mark(guess, bits(victims, secret)[member])
    return score


def by_mark(a, people):
    """Said to be rounded to an earlier answer: ill."""
    score, p = Score(0, 0), seen("patients")
    for turn, secret in enumerate(SECRETS[:2]):
        victims = people.victims(turn)
        member = bits(victims, "R74")
        _, group, without = clones(p, victims, secret, 0)
        a.cells(group)
        _, disclosure = a.answer(without)
        said = disclosure.measures["n"]
        order = list(disclosure.key_columns) or CELL
        snapped = {tuple(label) for label in said.snapped_labels}
        guess = np.array([1.0 if tuple(v[order]) in snapped else -1.0 for _, v in victims.iterrows()])
        score += a.mark(guess[member], bits(victims, secret)[member])
    return score


def test_succeeds_without_the_ledger(play):
    """Whatever the noise."""
    assert play(by_value, Defence.MEMORY).succeeds


@pytest.mark.parametrize("attack", [by_value, by_mark], ids=["value", "mark"])
def test_fails(play, attack):
    assert play(attack).is_guessing
