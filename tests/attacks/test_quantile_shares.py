"""A quantile for every share: where it jumps to the next class, the share is an exact count over the size.

A quantile is the middle of a public class, its rank blurred by one draw for all shares. Asked for 250 of
them, its jumps give the cumulative share of each class to a fraction of a patient, but for the draw. The
ledger compares quantiles of one share: asked for some with the victim, and for others without, no two answers
meet. The draw is out for the proof, too: then the shares alone stand.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from hub_config.gateway.evidence import quantile
from hub_config.gateway.rules import magnitudes
from tests.attacks.arena import Refused, Score
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

GROUP = ["centre_id", "sex"]
FINE = np.arange(200, 700) / 900
MOST = 100  # shares a question, for it to be answered in time
ALLOWED = np.arange(1, 20) / 20


def quantiles(a, persons, shares):
    """Quantiles of age, a row a group in the order of the victims; and about how many people they are."""
    shown = []
    for first in range(0, len(shares), MOST):
        some = {f"q{i}": persons.age.quantile(float(s)) for i, s in enumerate(shares[first : first + MOST])}
        frame = a.ask(persons.group_by(GROUP).agg(n=persons.patient_id.nunique(), **some)).sort_values(GROUP)
        shown += [frame[name].to_numpy(float, na_value=np.nan) for name in some]
    return np.array(shown).T, frame["n"].to_numpy(float, na_value=np.nan)


def cumulative(shares, ages, at):
    """The share of people up to each age of `at`: halfway between the last share below and the next one."""
    known = np.isfinite(ages)
    shares, ages = shares[known], ages[known]
    below = np.searchsorted(ages, at, side="right")
    inside = (below > 0) & (below < len(shares))
    middle = (shares[np.maximum(below - 1, 0)] + shares[np.minimum(below, len(shares) - 1)]) / 2
    return np.where(inside, middle, np.nan)


def likeness(odd, more, even, less, age, size):
    """How much the two groups look as if the first held one person more, of that age."""
    at = np.unique(np.concatenate([more[np.isfinite(more)], less[np.isfinite(less)]]))
    one, other = cumulative(odd, more, at), cumulative(even, less, at)
    known = np.isfinite(one) & np.isfinite(other)
    moved = ((at >= age) - other)[known] / size
    return float((((one - other)[known] - moved / 2) * moved).sum())


def jumps(a, people, turns=2):
    p, score = seen("patients"), Score(0, 0)
    for turn in range(turns):
        victims, secret = people.victims(turn, GROUP), SECRETS[turn]
        ill = p.filter(having(p, secret))
        others = ill.filter(~is_one_of(ill, victims))
        for shares in (FINE, ALLOWED):
            odd, even = shares[::2], shares[1::2]
            try:
                (more, sizes), (less, _) = quantiles(a, ill, odd), quantiles(a, others, even)
            except Refused:
                continue
            break
        compared = zip(more, less, victims["age"], sizes, strict=True)
        guesses = [likeness(odd, one, even, other, age, size) for one, other, age, size in compared]
        score += a.mark(np.array(guesses), bits(victims, secret))
    return score


def test_succeeds_for_any_share(play, monkeypatch):
    monkeypatch.setattr(magnitudes, "_share", lambda reduction: float(reduction.quantile.value))
    monkeypatch.setattr(quantile, "moves", lambda caps, _drawn, _policy: np.zeros(len(caps)))
    assert play(jumps).succeeds


def test_fails_for_the_shares_there_are(play):
    assert play(partial(jumps, turns=8)).is_guessing


@pytest.mark.parametrize("share", [0.051, 0.333, 0.5000001])
def test_other_shares_are_refused(enter, share):
    p = seen("patients")
    with enter() as a, pytest.raises(Refused, match="measure-not-releasable"):
        a.ask(p.group_by("sex").agg(q=p.age.quantile(share)))
