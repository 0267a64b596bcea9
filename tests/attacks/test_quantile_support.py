"""The bin of a quantile gets finer when one person joins it.

A quantile is read off the finest bin that holds enough patients. Who knows everybody's values chooses ten of
one bin, as many on either side as are needed, and the victim, of that bin too, unless ill: if the fine bin is
shown they are well. The values are known, the diagnosis is the secret.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from hub_config.gateway.rules import quantiles
from tests.attacks.arena import ONE_ANSWER, Defence, Score
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300
LOW, HIGH = 6.5, 7.5
SIDE = 25  # known people on either side
NEEDED, TELLING = 11, 15
TURNS = 6  # about 120 victims: right three times in four would be seen


def chosen(people, inside):
    """Of each cell: known people on either side of a bin, `inside` in it, and the victim, in it too."""
    found = []
    for _, cell in people.known.groupby(KEYS):
        bins = np.floor((cell["hba1c"] + 0.05 + 1e-9) / 0.2)
        crowd = bins[(cell["hba1c"] > LOW) & (cell["hba1c"] < HIGH)].value_counts()
        if crowd.empty or crowd.iloc[0] <= inside:
            continue
        mine = cell[bins == crowd.index[0]]
        below, above = cell[cell["hba1c"] < LOW].head(SIDE), cell[cell["hba1c"] > HIGH].head(SIDE)
        if len(below) == len(above) == SIDE:
            found.append((mine.iloc[[0]], pd.concat([mine.iloc[1 : inside + 1], below, above])))
    return found


def finer(a, people, inside):
    """Positive where the fine bin is not shown: the victim is ill."""
    score, labs = Score(0, 0), seen("lab_results").filter(seen("lab_results").analyte == "hba1c")
    found = chosen(people, inside)
    victims = pd.concat([victim for victim, _ in found])
    others = pd.concat([some for _, some in found])
    fine = np.floor((victims["hba1c"].to_numpy() + 0.05 + 1e-9) / 0.2) * 0.2 + 0.05
    for turn, secret in enumerate(SECRETS[:TURNS]):
        name = f"mallory{turn}"  # each question in a project of its own: no memory helps
        a.join(name, name)
        p = seen("patients")
        p = p.filter(is_one_of(p, others) | (is_one_of(p, victims) & ~having(p, secret)))
        rows = labs.join(p, "patient_id")
        question = rows.group_by(KEYS).agg(n=rows.value.median())
        shown = a.ask(question, user=name, project=name).set_index(KEYS)["n"]
        value = shown.reindex([tuple(v) for v in victims[KEYS].to_numpy()]).to_numpy(float, na_value=np.nan)
        score += a.mark(np.where(np.abs(value - fine) < 0.04, -1.0, 1.0), bits(victims, secret))
    return score


ATTACKS = {f"{n}": partial(finer, inside=n - 1) for n in (NEEDED, TELLING)}


def test_succeeds_where_support_is_counted_exactly(play, monkeypatch):
    monkeypatch.setattr(quantiles, "clears", lambda people, limit, _drawn, _policy: people >= limit)
    assert play(ATTACKS["11"], Defence.LIMITS).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_tells_no_more_than_one_noisy_number(play, attack):
    assert play(attack).is_within(ONE_ANSWER)
