"""Ask, wait until somebody objects, and ask again: the difference is their profile.

An objection is to protect the person; were the answer simply computed anew, it would point at them. ADR 0011.
"""

from __future__ import annotations

from datetime import date

from hub_config.governance.objections import actions as objections
from tests.attacks.arena import BLUR, Score
from tests.attacks.population import SECRETS, bits, having, per_cell, seen


def before_and_after(a, people):
    """One person of each cell objects."""
    victims, p = people.victims(0), seen("patients")
    before = {secret: a.cells(per_cell(p.filter(having(p, secret)))) for secret in SECRETS[:3]}
    object_(a, victims)
    score = Score(0, 0)
    for secret, earlier in before.items():
        now = a.cells(per_cell(p.filter(having(p, secret))))
        score += a.mark(earlier - now - 0.5, bits(victims, secret))
    return score


def object_(a, victims):
    def all_of_them(session, *, audit):
        for number in victims["patient_no"]:
            objections.add_objection(session, patient_no=int(number), on=date(2023, 1, 1), audit=audit)

    a.enclave.govern(all_of_them)


def test_succeeds_without_noise_and_ledger(play):
    assert play(before_and_after, *BLUR).succeeds


def test_fails(play):
    assert play(before_and_after).is_guessing
