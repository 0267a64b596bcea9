"""A code list, and the same list with one code more: who has the rare one.

The neighbour suspects a rare disease, so rare that in the cell nobody else can have it.
"""

from __future__ import annotations

from functools import partial

import pytest

from tests.attacks.arena import BLUR, Score
from tests.attacks.population import CELL, COINS, RARE, bits, seen


def one_code_more(a, people, turned):
    p, d = seen("patients"), seen("diagnoses")
    score = Score(0, 0)
    for turn, rare in enumerate(RARE):
        victims, common = people.victims(turn), list(COINS[2 * turn : 2 * turn + 2])

        def rows(codes, p=p, d=d):
            joined = d.filter(d.cisp2.isin(codes)).join(p, "patient_id")
            return joined.group_by(CELL).agg(n=joined.count())

        questions = [rows([*common, rare]), rows(common)]
        answers = [a.cells(question) for question in (questions[::-1] if turned else questions)]
        more, less = answers[::-1] if turned else answers
        score += a.mark(more - less - 0.5, bits(victims, rare))
    return score


ATTACKS = {f"list{', turned' if t else ''}": partial(one_code_more, turned=t) for t in (False, True)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing
