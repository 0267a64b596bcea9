"""What the rules of the split keep out, each as a story that fits one question.

Selectors inside a sum; labels of a group as a list of everybody; extreme order statistics; the existence of
a row by an outer join; a table of one's own that picks people. Their double is the microdata grant, under
which no rule of release holds: there each of them reads the secret. On expressions, and rule by rule, the
same attacks are in `test_expressions_*`. Dalenius, "Finding a needle in a haystack", J. Official Statistics 2
(1986) 329–336.
"""

from __future__ import annotations

import ibis
import numpy as np
import pytest

from tests.attacks.arena import Defence, Refused, Score
from tests.attacks.population import CELL, SECRETS, bits, having, is_one_of, seen


def selector(p, victims, secret):
    """Everybody adds 1, the victim a million if ill: a sum over fifty."""
    weight = ibis.ifelse(is_one_of(p, victims) & having(p, secret), 1_000_000, 1)
    frame = p.mutate(w=weight)
    return frame.group_by(CELL).agg(n=frame.w.sum() // 1_000_000)


def labels(p, victims, secret):
    """Groups by birth month: the victim's is there if they are ill."""
    ill = p.filter(having(p, secret), is_one_of(p, victims))
    return ill.group_by([*CELL, "birth_month"]).agg(n=ill.count())


def extreme(p, victims, secret):
    """Nobody is older than the victim, if ill."""
    age = ibis.ifelse(is_one_of(p, victims) & having(p, secret), 1, 0)
    frame = p.mutate(w=age)
    return frame.group_by(CELL).agg(n=frame.w.max())


def outer_join(p, victims, secret):
    """A list of one's own on the side that is kept: who finds no partner is not ill."""
    mine = ibis.memtable(victims[["centre_id", "sex", "age_band", "birth_month"]])
    ill = p.filter(having(p, secret)).mutate(there=1)
    joined = mine.left_join(ill, ["centre_id", "sex", "birth_month"])
    return joined.group_by(CELL).agg(n=joined.there.count())


def own_table(p, victims, secret):
    """The same, as an inner join."""
    mine = ibis.memtable(victims[["centre_id", "sex", "birth_month"]])
    ill = p.filter(having(p, secret))
    joined = ill.join(mine, ["centre_id", "sex", "birth_month"])
    return joined.group_by(CELL).agg(n=joined.count())


def having_clause(p, victims, secret):
    """Only the groups that pass a condition on their count come back: of one."""
    ill = p.filter(having(p, secret), is_one_of(p, victims))
    counted = ill.group_by(CELL).agg(n=ill.count())
    return counted.filter(counted.n == 1)


QUESTIONS = {
    "selector": selector, "labels": labels, "extreme": extreme, "outer join": outer_join,
    "own table": own_table, "having": having_clause,
}  # fmt: skip


def one_question(a, people, question):
    score = Score(0, 0)
    for turn, secret in enumerate(SECRETS[:2]):
        victims = people.victims(turn)
        score += a.mark(heard(a, victims, question(seen("patients"), victims, secret)), bits(victims, secret))
    return score


def heard(a, victims, question):
    """Positive where the answer says ill, negative where it says not; an absent group says not."""
    try:
        frame = a.ask(question)
    except Refused:
        return np.zeros(len(victims))
    numbers = frame.set_index(CELL)["n"].groupby(CELL).max()
    if numbers.isna().all():
        return np.zeros(len(victims))
    found = numbers.reindex([tuple(v) for v in victims[CELL].to_numpy()]).fillna(0)
    return found.to_numpy(float) - 0.5


def attack(name):
    def run(a, people):
        return one_question(a, people, QUESTIONS[name])

    return run


@pytest.mark.parametrize("name", QUESTIONS)
def test_succeeds_where_no_rule_holds(play, name):
    assert play(attack(name), Defence.RULES).succeeds


@pytest.mark.parametrize("name", QUESTIONS)
def test_fails(play, name):
    assert play(attack(name)).is_guessing
