"""Time as a channel: does the gateway do more, or other, work if the victim is there?

The clock is rounded up (`pace`), but thousands of questions see through that; what must not differ to begin
with is the work. For each victim a group that they join if ill; what is compared is which statements the
engine is given, not how long they take. Also at the limit, where evidence is most eager to look twice. (Of
much data that is not so: samples that do not suffice are followed by others, see "coarse timing" in what is
not done yet.) Haeberlen, Pierce & Narayan, "Differential privacy under fire", USENIX Security 2011.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from hub_config.gateway import protection
from hub_config.gateway.engine import Session
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen

VICTIMS = 16
KNOWN = (10, 60)  # at the limit, and well above


@pytest.fixture
def steps(monkeypatch):
    """The statements that the engine was given, without the numbers in them."""
    given: list[str] = []

    def noting(plain: Callable[..., object]) -> Callable[..., object]:
        def noted(session, sql, *rest):
            given.append(re.sub(r"'[^']*'|[0-9]+", "…", sql))
            return plain(session, sql, *rest)

        return noted

    for name in ("fetch", "run", "stream"):
        monkeypatch.setattr(Session, name, noting(getattr(Session, name)))
    return given


def guessed(a, people, known, steps):
    """Another sequence of statements than that of somebody who is well says "ill"."""
    secret, everybody = SECRETS[5], people.known
    crowd = everybody.iloc[500 : 500 + known]
    well = everybody[~everybody[secret]].iloc[[40]]
    victims = everybody.iloc[100 : 100 + VICTIMS]

    def asked(person):
        steps.clear()
        p = seen("patients")
        there = p.filter(is_one_of(p, crowd) | (is_one_of(p, person) & having(p, secret)))
        a.reply(there.group_by("sex").agg(n=lambda t: t.patient_id.nunique(), mean=lambda t: t.age.mean()))
        return list(steps)

    asked(well)  # what is found out once a snapshot
    usual = asked(well)
    guesses = [1.0 if asked(victims.iloc[[i]]) != usual else -1.0 for i in range(VICTIMS)]
    return a.mark(np.array(guesses), bits(victims, secret))


def looking_twice(plain):
    """A double of evidence that reads once more where enough people are."""

    def measured(session, release, *rest, **more):
        cells = plain(session, release, *rest, **more)
        if cells.columns[0].backing.patients.sum() > KNOWN[0]:
            session.fetch("SELECT 1")
        return cells

    return measured


@pytest.mark.parametrize("known", KNOWN)
def test_the_work_is_the_same(enter, people, steps, known):
    with enter() as a:
        score = guessed(a, people, known, steps)
    assert score.is_guessing and len(set(steps)) > 3


def test_other_work_would_be_seen(enter, people, steps, monkeypatch):
    monkeypatch.setattr(protection, "measure", looking_twice(protection.measure))
    with enter() as a:
        assert guessed(a, people, KNOWN[0], steps).rate > 0.9
