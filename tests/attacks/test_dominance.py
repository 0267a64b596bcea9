"""A total that is nearly all one person's tells their value.

In every cell somebody comes nearly every day; the other forty-nine come once to three times a year. The
secret is how often the one comes. Also by fan-out: rows of a join, one for each pair of visit and diagnosis,
weigh a patient many times. Hundepool et al., Statistical Disclosure Control (Wiley 2012), § 4.2.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.attacks.arena import BLUR, Defence, Refused, Score
from tests.attacks.population import CELL, HEAVY, seen

LINE = 1_000  # 900 and 100 of the others


def heavy(people):
    return people.people[people.people.index // 120 == HEAVY].sort_values(CELL)


def rows(a, people):
    c, p = seen("consultations"), seen("patients")
    visits = c.join(p, "patient_id")
    return judged(a, people, visits.group_by(CELL).agg(n=visits.count()), LINE)


def sums(a, people):
    """Each patient's number of visits, summed."""
    c, p = seen("consultations"), seen("patients")
    each = c.group_by("patient_id").agg(visits=c.count())
    joined = p.join(each, "patient_id")
    return judged(a, people, joined.group_by(CELL).agg(n=joined.visits.sum()), LINE)


def fan_out(a, people):
    """Every visit beside every diagnosis."""
    c, d, p = seen("consultations"), seen("diagnoses"), seen("patients")
    pairs = c.join(d.select("patient_id", "cisp2"), "patient_id").join(p, "patient_id")
    return judged(a, people, pairs.group_by(CELL).agg(n=pairs.count()), 16 * LINE)


def judged(a, people, question, line):
    try:
        shown = a.cells(question)
    except Refused:
        shown = np.full(120, np.nan)
    return a.mark(shown - line, heavy(people)["much"].to_numpy(bool))


@pytest.mark.parametrize("attack", [rows, sums], ids=["rows", "sums"])
def test_succeeds_without_dominance_rule(play, attack):
    assert play(attack, Defence.PRIMARY, *BLUR).succeeds


@pytest.mark.parametrize("attack", [rows, sums, fan_out], ids=["rows", "sums", "fan-out"])
def test_fails(play, attack):
    score: Score = play(attack)
    assert score.is_guessing
