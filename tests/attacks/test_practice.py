"""A practice withdraws: before less after is that practice.

GPs are protected like patients. Here one GP of each centre objects, with all their patients; the secret is
whether more than half of these have a diagnosis.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from hub_config.governance.objections import actions as objections
from tests.attacks.arena import BLUR, Score
from tests.attacks.population import COINS, SECRETS, marked, seen

KEYS = ["centre_id", "sex"]  # 12 cells of 500, 62 of them the GP's
ASKED = [*SECRETS[:4], *COINS[:4]]


def withdrawal(a, people):
    leaving = people.people[people.people["physician_no"] < 6]
    theirs = leaving.groupby(KEYS)
    before = ask(a)
    a.enclave.govern(all_object)
    found = before - ask(a)
    score = Score(0, 0)
    for column, secret in enumerate(ASKED):
        half = theirs.size().to_numpy() / 2
        has = theirs[secret].sum().to_numpy()
        score += a.mark(found[:, column] - half, has > half)
    return score


def ask(a):
    p = marked(seen("patients"), ASKED)
    counts = {secret: p.patient_id.nunique(where=p[secret]) for secret in ASKED}
    frame = a.ask(p.group_by(KEYS).agg(**counts)).sort_values(KEYS)
    return frame[ASKED].to_numpy(float, na_value=np.nan)


def all_object(session, *, audit):
    for number in range(6):
        objections.add_objection(session, physician_no=number, on=date(2023, 1, 1), audit=audit)


def test_succeeds_without_noise_and_ledger(play):
    assert play(withdrawal, *BLUR).succeeds


def test_fails(play):
    assert play(withdrawal).is_guessing
