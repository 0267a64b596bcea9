"""Ask the same thing again and again, and take the mean: fresh noise averages out.

The attacker knows everybody of the cell but the victim, so one true number would do. Asked once, sticky noise
leaves what one look at a noisy number tells, and asking again tells nothing more. Denning, "Secure
statistical databases with random sample queries", ACM TODS 5 (1980) 291–315.

"The same thing" may be written in many ways: joined, semi-joined, negated twice, with conditions that hold of
everybody.
"""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np
import pytest

from tests.attacks.arena import FORGETFUL, Score, after
from tests.attacks.population import CELL, SECRETS, bits, having, marked, per_cell, seen

TIMES, AGAIN = 32, 8  # to wear fresh noise down; to see that sticky noise is not
WIDE = ["sex", "age_band"]  # 20 cells of 300
CONDITIONAL = 8  # among the ways


def again(a, people, times=TIMES):
    p = marked(seen("patients"), SECRETS[:6])
    counts = {secret: p.patient_id.nunique(where=p[secret]) for secret in SECRETS[:6]}
    question = p.group_by(WIDE).agg(**counts)
    heard = [a.ask(question).sort_values(WIDE) for _ in range(times)]
    numbers = {s: [frame[s].to_numpy(float, na_value=np.nan) for frame in heard] for s in counts}
    return sum_up(a, people, numbers, WIDE)


def rewritten(a, people):
    secret = SECRETS[3]
    return sum_up(a, people, {secret: [a.cells(way) for way in ways(secret)]}, CELL)


def ways(secret):
    """One question, written differently."""
    p, d = seen("patients"), seen("diagnoses")
    ill = d.filter(d.cisp2 == secret)
    yield per_cell(p.filter(having(p, secret)))
    yield per_cell(p.semi_join(ill, "patient_id"))
    yield per_cell(p.filter(~~having(p, secret)))
    yield per_cell(p.filter(~(~having(p, secret))))
    yield per_cell(ill.join(p, "patient_id"))
    yield per_cell(p.join(ill.select("patient_id").distinct(), "patient_id"))
    each = ill.group_by("patient_id").agg(times=ill.count())
    yield per_cell(p.join(each.filter(each.times > 0), "patient_id"))
    yield p.filter(having(p, secret)).group_by(CELL).agg(n=lambda t: t.count())
    yield p.mutate(ill=having(p, secret)).group_by(CELL).agg(n=lambda t: t.patient_id.nunique(where=t.ill))
    for years in range(TIMES - 9):
        yield per_cell(p.filter(having(p, secret), p.age < 120 + years))


def sum_up(a, people, heard, keys):
    """The mean of what was heard, less everybody else."""
    score, victims = Score(0, 0), people.victims(0, keys)
    for secret, numbers in heard.items():
        cells = people.people.groupby(keys)[secret].sum().to_numpy()
        others = cells - bits(victims, secret)
        score += a.mark(np.mean(numbers, axis=0) - others - 0.5, bits(victims, secret))
    return score


ATTACKS = {"again": again, "rewritten": rewritten}
FOR_REAL = {"again": partial(again, times=AGAIN), "rewritten": rewritten}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_with_fresh_noise(play, attack):
    assert play(attack, *FORGETFUL).succeeds


@pytest.mark.parametrize("attack", FOR_REAL.values(), ids=FOR_REAL)
def test_tells_no_more_than_one_look(play, attack):
    assert play(attack).is_within(after(1))


def test_equal_questions_get_equal_answers(enter, people):
    """Of a conditional count others are left out than of a filtered one, so it may be withheld apart."""
    with enter() as a:
        answers = [a.cells(way) for way in islice(ways(SECRETS[4]), 12)]
    conditional = answers.pop(CONDITIONAL)
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])
    both = ~np.isnan(conditional) & ~np.isnan(answers[0])
    np.testing.assert_array_equal(conditional[both], answers[0][both])
