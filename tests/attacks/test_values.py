"""A value instead of a bit: by differences of means times counts, and by quantiles between known people.

The secret is whether the victim's HbA1c is above 7 %. (a) mean × n with the victim less mean × n without.
(b) The median of a group made of known low and known high values, with the victim in the middle. (c) The
extreme quantile. Brankovic & Giggins, "Statistical database security", in Security, Privacy and Trust (2007)
167–181.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.attacks.arena import Defence, Refused, Score
from tests.attacks.population import CELL, is_one_of, seen

LINE = 7.0
TURNS = 2


def measured(people_table):
    labs = seen("lab_results")
    values = labs.select("patient_id", "analyte", "value")
    return values.filter(values.analyte == "hba1c").join(people_table, "patient_id")


def truth(victims):
    return (victims["hba1c"] > LINE).to_numpy(bool)


def mean_times_n(a, people):
    score = Score(0, 0)
    for turn in range(TURNS):
        victims = people.victims(turn)
        totals = []
        for without in (False, True):
            rows = measured(seen("patients"))
            rows = rows.filter(~is_one_of(rows, victims)) if without else rows
            asked = rows.group_by(CELL).agg(mean=rows.value.mean(), n=rows.patient_id.nunique())
            frame = a.ask(asked).sort_values(CELL)
            totals.append((frame["mean"] * frame["n"]).to_numpy(float, na_value=np.nan))
        score += a.mark(totals[0] - totals[1] - LINE, truth(victims))
    return score


def sums(a, people):
    score = Score(0, 0)
    for turn in range(TURNS):
        victims = people.victims(turn)
        heard = []
        for without in (False, True):
            rows = measured(seen("patients"))
            rows = rows.filter(~is_one_of(rows, victims)) if without else rows
            heard.append(a.cells(rows.group_by(CELL).agg(n=rows.value.sum())))
        score += a.mark(heard[0] - heard[1] - LINE, truth(victims))
    return score


def median_between(a, people):
    """Lows and highs in equal number, so far as the attacker can tell: the middle is the victim's."""
    score = Score(0, 0)
    for turn in range(TURNS):
        victims = people.victims(turn)
        rows = measured(seen("patients"))
        rows = rows.filter((rows.value < 6.5) | (rows.value > 7.5) | is_one_of(rows, victims))
        score += a.mark(a.cells(rows.group_by(CELL).agg(n=rows.value.median())) - LINE, truth(victims))
    return score


def alone_at_the_top(a, people):
    """Only lows, and the victim: the largest value is theirs."""
    score = Score(0, 0)
    for turn in range(TURNS):
        victims = people.victims(turn)
        rows = measured(seen("patients"))
        rows = rows.filter((rows.value < 6.0) | is_one_of(rows, victims))
        question = rows.group_by(CELL).agg(n=rows.value.quantile(1.0))
        score += a.mark(a.cells(question) - LINE, truth(victims))
    return score


def guarded(attack):
    """A refusal tells nothing."""

    def run(a, people):
        try:
            return attack(a, people)
        except Refused:
            victims = [people.victims(turn) for turn in range(TURNS)]
            return sum((a.mark(np.zeros(len(v)), truth(v)) for v in victims), Score(0, 0))

    return run


ATTACKS = {"mean times n": mean_times_n, "sums": sums, "top": alone_at_the_top}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_where_no_rule_holds(play, attack):
    assert play(guarded(attack), Defence.RULES).succeeds


@pytest.mark.parametrize("attack", [*ATTACKS.values(), median_between], ids=[*ATTACKS, "median"])
def test_fails(play, attack):
    assert play(guarded(attack)).is_guessing
