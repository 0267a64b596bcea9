"""Two geographies that don't nest cut out the people between their borders.

A territory of one's own: centre C2 and, of the next centre, one person. Against centre C2 as the catalogue
has it, that is the person. Duke-Williams & Rees, "Can census offices publish statistics for more than one
small area geography?", Int. J. Geographical Information Science 12 (1998) 579–605.
"""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pytest

from tests.attacks.arena import BLUR, Score
from tests.attacks.population import CELL, SECRETS, bits, having, is_one_of, per_cell, seen

NEXT = {"C1": "C2", "C3": "C4", "C5": "C6"}
KEYS = ["place", "sex", "age_band"]


def across_the_border(a, people, turned):
    """The victims, of odd centres, are counted with the even one beside."""
    score = Score(0, 0)
    for turn in range(3):
        victims, secret, p = people.victims(turn), SECRETS[turn], seen("patients")
        known = victims[victims["centre_id"].isin(NEXT)].sort_values(CELL)
        ill = p.filter(having(p, secret))
        moved = is_one_of(ill, known)
        claimed = [(moved & (ill.centre_id == own), beside) for own, beside in NEXT.items()]
        official = [(ill.centre_id == beside, beside) for beside in NEXT.values()]
        questions = [
            per_cell(ill.mutate(place=ibis.cases(*claimed, *official, else_="elsewhere")), KEYS),
            per_cell(ill.mutate(place=ibis.cases(*official, else_="elsewhere")), KEYS),
        ]
        answers = [_even(a.ask(question)) for question in (questions[::-1] if turned else questions)]
        mine, catalogues = answers[::-1] if turned else answers
        score += a.mark(mine - catalogues - 0.5, bits(known, secret))
    return score


def _even(frame):
    frame = frame[frame["place"].isin(NEXT.values())].sort_values(KEYS)
    return frame["n"].to_numpy(float, na_value=np.nan)


ATTACKS = {f"border{', turned' if t else ''}": partial(across_the_border, turned=t) for t in (False, True)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing
