"""Shift the window by a day, and subtract: what was recorded on that day.

The neighbour knows on which day the victim saw the GP; the diagnosis is the secret. Dinur & Nissim's subset
queries, with time as the selector; the temporal case in Hundepool et al., Statistical Disclosure Control
(Wiley 2012), § 5.
"""

from __future__ import annotations

from functools import partial

import pytest

from tests.attacks.arena import BLUR, Score
from tests.attacks.population import CELL, SECRETS, bits, either, seen


def one_day_more(a, people, turned):
    """In every cell, up to the day before the victim's visit and up to that day."""
    score = Score(0, 0)
    for turn, secret in enumerate(SECRETS[:2]):
        visited = people.dates[secret]
        late = people.known[visited[people.known.index] > "2018-06-01"]
        victims = late.groupby(CELL).nth(turn).sort_values(CELL)
        questions = [window(victims, visited, secret, until) for until in (True, False)]
        answers = [
            a.ask(question).set_index(CELL)["n"] for question in (questions[::-1] if turned else questions)
        ]
        until, before = answers[::-1] if turned else answers
        shown = (until - before).reindex([tuple(v) for v in victims[CELL].to_numpy()])
        score += a.mark(shown.to_numpy(float, na_value=float("nan")) - 0.5, bits(victims, secret))
    return score


def window(victims, visited, secret, until):
    d, p = seen("diagnoses"), seen("patients")
    rows = d.filter(d.cisp2 == secret).join(p, "patient_id")
    ends = [
        (rows.centre_id == v.centre_id)
        & (rows.sex == v.sex)
        & (rows.age_band == v.age_band)
        & ((rows.date <= visited[i].date()) if until else (rows.date < visited[i].date()))
        for i, v in victims.iterrows()
    ]
    return rows.filter(either(ends)).group_by(CELL).agg(n=lambda t: t.patient_id.nunique())


ATTACKS = {f"window{', turned' if t else ''}": partial(one_day_more, turned=t) for t in (False, True)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing
