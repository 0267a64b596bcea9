"""A practice withdraws: whoever asked before asks again, and looks which cells went dark.

What one GP tells apart from an answer shown is withheld (ADR 0037): right, but the marks then show where the
practice's patients are, cell by cell. So the same question is answered as it was (ADR 0039). The secret is
whether at least 20 of a cell's patients were theirs.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from hub_config.gateway import protection
from hub_config.governance.objections import actions as objections
from tests.attacks.arena import Score
from tests.attacks.population import COINS, SECRETS, marked, seen

CODES = [*SECRETS, *COINS]
KEYS = ["centre_id", "sex"]
LEAVING = (0, 7, 14)  # each of a centre of its own
MANY = 20  # patients, of some 31 a cell: fewer may be few


def without_definitions(_release, _labels, _setting):
    """For definitions: no draft is known again."""
    return {}


def search(a, people):
    """Of which cells of two halves of each diagnosis, where the GP's patients are split unevenly."""
    score = Score(0, 0)
    before = {code: answer(a, code) for code in CODES[:16]}
    a.enclave.govern(withdraw)
    leaving = people.people[people.people["physician_no"].isin(LEAVING)]
    for code, shown in before.items():
        now = answer(a, code)
        known = shown.notna() & (shown.index.get_level_values("has"))
        theirs = leaving[leaving[code]].groupby(KEYS).size()
        size = np.array([theirs.get(place[:2], 0) for place in shown.index])
        told = known & ((size >= MANY) | (size == 0))
        dark = now.isna().to_numpy()
        guesses = np.where(dark, 1.0, -1.0) * dark[known].any()  # where none is, no mark says anything
        score += a.mark(guesses[told], size[told] >= MANY)
    return score


def answer(a, code):
    p = marked(seen("patients"), [code]).rename(has=code)
    asked = p.group_by([*KEYS, "has"]).agg(n=p.patient_id.nunique())
    return a.ask(asked).set_index([*KEYS, "has"]).sort_index()["n"].astype(float)


def withdraw(session, *, audit):
    for number in LEAVING:
        objections.add_objection(session, physician_no=number, on=date(2023, 1, 1), audit=audit)


def test_succeeds_without_definitions(play, monkeypatch):
    monkeypatch.setattr(protection, "drafted", without_definitions)
    assert play(search, without="definitions of drafts").succeeds


def test_fails(play):
    assert play(search).is_guessing


@pytest.mark.parametrize("leaving", LEAVING)
def test_not_one_cell_moves(enter, people, leaving):
    def one(session, *, audit):
        objections.add_objection(session, physician_no=leaving, on=date(2023, 1, 1), audit=audit)

    with enter() as a:
        before = {code: answer(a, code) for code in CODES[:6]}
        a.enclave.govern(one)
        for code, shown in before.items():
            assert shown.equals(answer(a, code))
