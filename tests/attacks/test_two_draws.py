"""The same people asked for in one project after the other: each project draws its own limits.

A limit is blurred, and the draw sticks to the people and to the project, so that strangers can't tell by
equal numbers that their groups are the same. But who belongs to many projects would see many draws for one
group, and the first that shows it says that enough people are in it: eleven known ones, and the victim if
ill. So what was withheld from a member stays withheld in all their projects, and what was shown stays as it
was shown. Strangers who collude do see several draws; how far that carries is printed.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.attacks.arena import ONE_ANSWER, Defence, Score
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300, of 48 GPs
PROJECTS = 8
TURNS = 4


def chosen(people, known, turn):
    """Of each cell: so many known people and a victim, no two of one GP; others at each turn."""
    found = []
    for _, cell in people.known.groupby(KEYS):
        apart = cell.iloc[turn::TURNS].drop_duplicates("physician_no")
        found.append((apart.iloc[[0]], apart.iloc[1 : 1 + known]))
    return pd.concat([v for v, _ in found]), pd.concat([crowd for _, crowd in found])


def in_many(a, people, known, askers):
    """Positive where any of the projects shows the cell."""
    score = Score(0, 0)
    names = [f"these-{number}" for number in range(PROJECTS)]
    for number, name in enumerate(names):
        a.join(name, askers[number % len(askers)])
    for turn, secret in enumerate(SECRETS[:TURNS]):
        victims, crowd = chosen(people, known, turn)
        p = seen("patients")
        p = p.filter(is_one_of(p, crowd) | (is_one_of(p, victims) & having(p, secret)))
        question, any_shown = p.group_by(KEYS).agg(n=p.patient_id.nunique()), False
        for number, name in enumerate(names):
            frame = a.ask(question, user=askers[number % len(askers)], project=name)
            shown = frame.set_index(KEYS)["n"].reindex(pd.MultiIndex.from_frame(victims[KEYS]))
            any_shown |= shown.notna().to_numpy()
        score += a.mark(np.where(any_shown, 1.0, -1.0), bits(victims, secret))
    return score


KNOWN = (11, 14)
ATTACKS = {f"{n} known": partial(in_many, known=n, askers=("mallory",)) for n in KNOWN}
STRANGERS = partial(in_many, known=11, askers=tuple(f"mallory{n}" for n in range(PROJECTS)))


def test_tells_more_without_the_ledger(play):
    assert play(ATTACKS["11 known"], Defence.MEMORY).interval()[0] > ONE_ANSWER


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_tells_no_more_than_one_answer(play, attack):
    assert play(attack).is_within(ONE_ANSWER)


def test_strangers_see_as_many_draws_as_they_are(play):
    assert play(STRANGERS).rate < 0.9
