"""Everything an answer says beside its numbers: status, error, rows, labels, types, length, marks.

For each victim one question built to behave otherwise if they are ill: to overflow, to divide by zero, to
cast a text, to leave a group empty, to pass a limit. The attacker, who is in the data too, compares with the
answers to the same question about somebody ill and somebody well. (Durations are rounded up, see
`tests/services/gateway/test_pace.py`; no test of ours rests on a clock.) Haeberlen, Pierce & Narayan,
"Differential privacy under fire", USENIX Security 2011.
"""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pytest

from tests.attacks.arena import Defence, Score
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

VICTIMS = 16


def overflow(p, hit):
    """A number too large for its type, for the victim alone and if ill."""
    big = ibis.ifelse(hit, 9_000_000_000_000_000_000, 1).cast("int64")
    return p.filter(big * 3 > 0).count()


def division(p, hit):
    return p.filter((p.age / ibis.ifelse(hit, 0, 1)).floor() >= 0).count()


def cast(p, hit):
    return p.filter(ibis.ifelse(hit, "x", "1").cast("int64") > 0).count()


def labels(p, hit):
    """An open key with a label of its own."""
    return p.mutate(k=ibis.ifelse(hit, 1_000, p.age // 200)).group_by("k").agg(n=lambda t: t.count())


def order(p, hit):
    """The group the victim joins comes first, by one."""
    counted = p.mutate(k=ibis.ifelse(hit, "a", p.sex)).group_by("k").agg(n=lambda t: t.count())
    return counted.order_by(ibis.desc("n"))


def length(p, hit):
    return p.filter(hit).mutate(k=p.age // 200).group_by("k").agg(n=lambda t: t.count())


QUESTIONS = (overflow, division, cast, labels, order, length)


def compared(a, people, question):
    secret, known = SECRETS[5], people.known
    ill, well = (known[known[secret] == has].iloc[[40]] for has in (True, False))
    victims = known.iloc[100 : 100 + VICTIMS]

    def asked(person):
        p = seen("patients")
        return a.reply(question(p, is_one_of(p, person) & having(p, secret)))

    if_ill, if_well = asked(ill), asked(well)
    guesses = []
    for i in range(VICTIMS):
        said = asked(victims.iloc[[i]])
        guesses.append(0.0 if if_ill == if_well else (said == if_ill) - (said == if_well) + 0.0)
    return a.mark(np.array(guesses), bits(victims, secret))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__)
def test_succeeds_where_no_rule_holds(play, question):
    assert play(partial(compared, question=question), Defence.RULES).succeeds


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.__name__)
def test_fails(play, question):
    score: Score = play(partial(compared, question=question))
    assert score.is_guessing
