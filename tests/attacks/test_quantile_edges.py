"""A quantile at the border between two classes: one person more, and it is on the other side.

A quantile is the middle of a public class. Who knows everybody's values chooses as many people on either side
of a gap as it takes for the rank to stand on its edge, and the victim above, if ill: were the rank exact, the
class would be the answer. Or the victim has far more rows than all others together: the quantile of the rows
would be theirs, or withheld. The values are known, the diagnosis is the secret; everybody else is known.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from hub_config.gateway.evidence import quantile
from hub_config.gateway.rules import quantiles
from tests.attacks.arena import ONE_ANSWER, Defence, Score
from tests.attacks.population import HEAVY, SECRETS, bits, having, is_one_of, seen

KEYS = ["sex", "age_band"]  # 20 cells of 300
LOW, MIDDLE, HIGH = 6.7, 7.0, 7.3
EACH = 38  # known people on either side: what one question may name
CROWD = 60
GROUP = ["centre_id", "sex"]  # 12 cells of 500


def question(a, victims, others, secret, rows_of, keys):
    """The quantile of each victim's group, in a project of its own: no memory helps."""
    a.join(secret.lower() + "-1", secret.lower())
    p = seen("patients")
    p = p.filter(is_one_of(p, others) | (is_one_of(p, victims) & having(p, secret)))
    frame = a.ask(rows_of(p).group_by(keys).agg(n=median), user=secret.lower(), project=secret.lower() + "-1")
    shown = frame.set_index(keys)["n"].reindex(pd.MultiIndex.from_frame(victims[keys]))
    return shown.to_numpy(float, na_value=np.nan)


def median(rows):
    return (rows.value if "value" in rows.columns else rows.age).median()


def at_a_gap(a, people):
    """Of as many on either side the median is the last below; with one more above, the first above."""
    labs, score = seen("lab_results").filter(seen("lab_results").analyte == "hba1c"), Score(0, 0)
    for turn, secret in enumerate(SECRETS):
        above = people.known[people.known["hba1c"] > HIGH]
        victims = above.groupby(KEYS).nth(turn).sort_values(KEYS)
        rest = people.known.drop(victims.index)
        sides = (rest[rest["hba1c"] < LOW], rest[rest["hba1c"] > HIGH])
        others = pd.concat([side.groupby(KEYS).head(EACH) for side in sides])
        value = question(a, victims, others, secret, lambda p: labs.join(p, "patient_id"), KEYS)
        score += a.mark(value - MIDDLE, bits(victims, secret))
    return score


def heavy(a, people):
    """Old people who come once to three times, and a young one who comes twice a day, if ill: shown as old
    people's, the quantile says that they are not there."""
    known, score = people.known, Score(0, 0)
    young = known[(known.index // 120 == HEAVY) & (known["age"] < 60)].groupby(GROUP)
    old = known[(known["visits"] <= 3) & (known["age"] >= 60)].groupby(GROUP).head(CROWD)
    visits = seen("consultations").select("patient_id", "consultation_id")
    for turn, secret in enumerate(SECRETS):
        victims = young.nth(turn % young.size().min()).sort_values(GROUP)
        value = question(a, victims, old, secret, lambda p: visits.join(p, "patient_id"), GROUP)
        score += a.mark(np.where(value >= 60, -1.0, 1.0), bits(victims, secret))
    return score


def three_sums(a, people):
    """Median and quartiles of known people and the victim, if ill, then without: their sum moves, or not."""
    labs, score = seen("lab_results").filter(seen("lab_results").analyte == "hba1c"), Score(0, 0)
    for turn, secret in enumerate(SECRETS):
        above = people.known[people.known["hba1c"] > HIGH]
        victims = above.groupby(KEYS).nth(turn).sort_values(KEYS)
        rest = people.known.drop(victims.index)
        sides = (rest[rest["hba1c"] < LOW], rest[rest["hba1c"] > HIGH])
        p = seen("patients")
        crowd = is_one_of(p, pd.concat([side.groupby(KEYS).head(EACH) for side in sides]))
        ill = is_one_of(p, victims) & having(p, secret)
        more, less = (quartiles(a, labs.join(p.filter(some), "patient_id")) for some in (crowd | ill, crowd))
        moved = (more - less).reindex(pd.MultiIndex.from_frame(victims[KEYS])).to_numpy()
        score += a.mark(np.where(np.abs(moved) > 0, 1.0, -1.0), bits(victims, secret))
    return score


def quartiles(a, rows):
    shares = {name: rows.value.quantile(share) for name, share in (("q1", 0.25), ("q2", 0.5), ("q3", 0.75))}
    return a.ask(rows.group_by(KEYS).agg(**shares)).set_index(KEYS).astype(float).sum(axis=1)


ATTACKS = {"a gap": at_a_gap, "many rows": heavy, "three added up": three_sums}


@pytest.fixture
def exact(monkeypatch):
    """The double: ranks and supports to the person, and nobody cut down."""
    monkeypatch.setattr(quantiles, "clears", lambda people, limit, _drawn, _policy: people >= limit)
    monkeypatch.setattr(quantile, "moves", lambda caps, _drawn, _policy: np.zeros(len(caps)))
    monkeypatch.setattr(quantile.Records, "flattened", lambda self, _caps: self.rows.astype(float))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_where_the_rank_is_exact(play, attack):
    assert play(attack, Defence.LIMITS, Defence.MEMORY).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_tells_no_more_than_one_noisy_number(play, attack):
    assert play(partial(attack)).is_within(ONE_ANSWER)
