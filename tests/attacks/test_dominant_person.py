"""A cell that is withheld because of one person tells that they are there.

Forty known people with one to three visits each, and one who comes twice a day, if ill: were dominance judged
on what everybody adds, the cell would be withheld with the one and shown without. So in a draft who stands
out is cut down first, and dominance is judged on what is left: the cell is shown in both cases. Of
suppression as a signal: Francis et al., "Diffix: high-utility database anonymization", APF 2017.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.attacks.arena import ONE_ANSWER, Defence, Score
from tests.attacks.population import HEAVY, SECRETS, bits, having, is_one_of, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300, six heavy in each
CROWD = 40


def visits(rows):
    return rows.group_by(KEYS).agg(n=rows.count())


def sum_of_visits(rows):
    each = rows.group_by("patient_id", *KEYS).agg(visits=rows.count())
    return each.group_by(KEYS).agg(n=each.visits.sum())


def marked(a, people, question):
    """Negative where the cell is shown: nobody in it stands out."""
    known = people.known
    heavy = known[known.index // 120 == HEAVY].groupby(KEYS).head(1)
    crowd = known[known["visits"] <= 3].groupby(KEYS).head(CROWD)
    score = Score(0, 0)
    for turn, secret in enumerate(SECRETS):
        name = f"mallory{turn}"  # no memory helps
        a.join(name, name)
        p = seen("patients")
        p = p.filter(is_one_of(p, crowd) | (is_one_of(p, heavy) & having(p, secret)))
        rows = seen("consultations").select("patient_id", "consultation_id").join(p, "patient_id")
        frame = a.ask(question(rows), user=name, project=name).set_index(KEYS)["n"]
        shown = frame.reindex(pd.MultiIndex.from_frame(heavy[KEYS])).notna()
        score += a.mark(np.where(shown, -1.0, 1.0), bits(heavy, secret))
    return score


ATTACKS = {question.__name__: partial(marked, question=question) for question in (visits, sum_of_visits)}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_where_dominance_is_judged_on_all_rows(play, attack):
    assert play(attack, Defence.LIMITS).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_within(ONE_ANSWER)
