"""Turn the victim's value into NULL, if ill: then count what is there.

The table looks like everybody's. Two measures side by side in one answer are enough: rows, and values that
are not NULL. (ACRO counts rows, not values: Green, Ritchie & Smith, "ACRO: automatic checking of research
outputs", 2023.)
"""

from __future__ import annotations

from functools import partial

import ibis
import pytest

from tests.attacks.arena import BLUR, Defence, Score
from tests.attacks.population import CELL, SECRETS, bits, having, is_one_of, seen


def masked(p, victims, secret):
    hidden = is_one_of(p, victims) & having(p, secret)
    return p.mutate(there=ibis.ifelse(hidden, ibis.null("int32"), p.age))


def in_one_answer(a, people):
    score = Score(0, 0)
    for turn, secret in enumerate(SECRETS[:2]):
        victims = people.victims(turn)
        p = masked(seen("patients"), victims, secret)
        frame = a.ask(p.group_by(CELL).agg(everybody=p.count(), there=p.there.count())).sort_values(CELL)
        missing = (frame["everybody"] - frame["there"]).to_numpy(float, na_value=float("nan"))
        score += a.mark(missing - 0.5, bits(victims, secret))
    return score


def in_two_answers(a, people, turned):
    def pair(victims, secret):
        p = masked(seen("patients"), victims, secret)
        everybody, there = p.group_by(CELL).agg(n=p.count()), p.group_by(CELL).agg(n=p.there.count())
        return everybody, there

    return a.differencing(people, pair, turns=2, turned=turned)


ATTACKS = {
    "one answer": in_one_answer,
    "two answers": partial(in_two_answers, turned=False),
    "two answers, turned": partial(in_two_answers, turned=True),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_primary_rules_noise_and_ledger(play, attack):
    assert play(attack, Defence.PRIMARY, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing
