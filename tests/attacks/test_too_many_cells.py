"""The refusal of too many cells as a signal: it counts groups, and one group may hang on one person.

As many large groups as an answer may have, and one more of ten known people and the victim, if ill: were the
groups counted by the people in them, the refusal would say "ill", whatever else is blurred. So the cells are
counted that pass with their blurred numbers: being refused says no more than being shown.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hub_config.governance.facts import AccessLevel
from tests.attacks.arena import ONE_ANSWER, Defence, Refused
from tests.attacks.population import SECRETS, bits, having, is_one_of, seen
from tests.services.gateway.peer_enclave import add_project, charter

VICTIMS, GROUPS = 40, 20  # one-year groups of 60, whole; one more for each victim
NEEDED, TELLING = 11, 15


def refused(a, people, needed):
    """Positive where there are too many cells: the victim is ill."""
    strict = replace(charter("strict", AccessLevel.AGGREGATE, "mallory"), policy={"max_cells": GROUPS})
    add_project(a.enclave, strict)
    whole = list(range(GROUPS))
    secret, guesses, victims = SECRETS[0], [], []
    known = people.known[~people.known["age"].isin(whole)]
    for _, cell in list(known.groupby("age"))[:VICTIMS]:
        apart = cell.drop_duplicates("physician_no").head(needed + 1)  # of a GP each: no other limit bites
        victim, others = apart.iloc[[0]], apart.iloc[1 : needed + 1]
        p = seen("patients")
        here = p.age.isin(whole) | is_one_of(p, others) | (is_one_of(p, victim) & having(p, secret))
        group = p.filter(here).group_by("age")
        guesses.append(_is_refused(a, group.agg(n=lambda t: t.patient_id.nunique())))
        victims.append(victim)
    truth = np.concatenate([bits(victim, secret) for victim in victims])
    return a.mark(np.array(guesses), truth)


def _is_refused(a, question):
    try:
        a.ask(question, user="mallory", project="strict")
    except Refused as refusal:
        assert refusal.code == "too-many-cells"
        return 1.0
    return -1.0


ATTACKS = {str(needed): partial(refused, needed=needed) for needed in (NEEDED, TELLING)}


def test_succeeds_where_cells_are_counted_exactly(play):
    assert play(ATTACKS["11"], Defence.LIMITS).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_tells_no_more_than_one_noisy_number(play, attack):
    assert play(attack).is_within(ONE_ANSWER)
