"""Patients of two practices, and one of a third: is it shown, now that three GPs stand behind it?

"At least three GPs" is a limit like any other: who chooses known patients of exactly two GPs, and the victim,
of a third, if ill, sees by the mark whether the victim is there. Also with known patients of the third GP
beside, at the number where the chance to be shown rises most.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.attacks.arena import ONE_ANSWER, Defence, Score
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

KEYS = ["centre_id", "sex"]  # 12 cells of 500, 8 GPs each
OF_EACH = 26  # known patients of either practice: all other limits are met whatever is drawn
NEEDED, TELLING = 0, 3  # known patients of the third GP


def practices(people, third):
    """Of each cell: known patients of two GPs, `third` of another one, and a victim of that one."""
    found = []
    for _, cell in people.known.groupby(KEYS):
        gps = cell["physician_no"].value_counts().index
        some = [cell[cell["physician_no"] == gp] for gp in gps[:3]]
        if min(len(some[0]), len(some[1])) >= OF_EACH and len(some[2]) > third:
            crowd = [some[0].head(OF_EACH), some[1].head(OF_EACH), some[2].iloc[1 : 1 + third]]
            found.append((some[2].iloc[[0]], pd.concat(crowd)))
    return pd.concat([v for v, _ in found]), pd.concat([crowd for _, crowd in found])


def counted(a, people, third):
    """Positive where the cell is shown: the victim is ill, and there."""
    score, (victims, crowd) = Score(0, 0), practices(people, third)
    for turn, secret in enumerate(SECRETS):
        name = f"mallory{turn}"  # each question in a project of its own: no memory helps
        a.join(name, name)
        p = seen("patients")
        p = p.filter(is_one_of(p, crowd) | (is_one_of(p, victims) & having(p, secret)))
        frame = a.ask(p.group_by(KEYS).agg(n=p.patient_id.nunique()), user=name, project=name)
        score += a.mark(is_shown(frame, victims), bits(victims, secret))
    return score


def is_shown(frame, victims):
    shown = frame.set_index(KEYS)["n"].reindex(pd.MultiIndex.from_frame(victims[KEYS])).notna()
    return np.where(shown, 1.0, -1.0)


ATTACKS = {f"{n} known": partial(counted, third=n) for n in (NEEDED, TELLING)}


def test_succeeds_where_gps_are_counted_exactly(play):
    assert play(ATTACKS["0 known"], Defence.LIMITS).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_tells_no_more_than_one_noisy_number(play, attack):
    assert play(attack).is_within(ONE_ANSWER)
