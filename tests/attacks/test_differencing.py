"""Ask for a group, then for the group without one person, and subtract.

The oldest of attacks on statistics that are safe one by one: "how many of them are depressed", then "how
many but the woman of centre C1 born in May 1961". Denning, Denning & Schwartz, "The tracker: a threat to
statistical database security", ACM TODS 4 (1979) 76–96.
"""

from __future__ import annotations

from functools import partial

import pytest

from tests.attacks.arena import BLUR
from tests.attacks.population import CELL, having, is_one_of, per_cell, seen


def subtract(a, people, turned):
    p = seen("patients")

    def pair(victims, secret):
        ill = p.filter(having(p, secret))
        return per_cell(ill), per_cell(ill.filter(~is_one_of(ill, victims)))

    return a.differencing(people, pair, turns=2, turned=turned)


def subtract_rows(a, people, turned):
    """Counts of rows instead of patients."""
    p, d = seen("patients"), seen("diagnoses")

    def pair(victims, secret):
        rows = d.filter(d.cisp2 == secret).join(p, "patient_id")
        others = rows.filter(~is_one_of(rows, victims))
        return rows.group_by(CELL).agg(n=rows.count()), others.group_by(CELL).agg(n=others.count())

    return a.differencing(people, pair, turns=2, turned=turned)


def patients_against_rows(a, people, turned):
    """One half of the pair counts patients, the other their rows: one each."""
    p, d = seen("patients"), seen("diagnoses")

    def pair(victims, secret):
        rows = d.filter(d.cisp2 == secret).join(p, "patient_id")
        ill = p.filter(having(p, secret))
        return rows.group_by(CELL).agg(n=rows.count()), per_cell(ill.filter(~is_one_of(ill, victims)))

    return a.differencing(people, pair, turns=2, turned=turned)


ATTACKS = {
    f"{attack.__name__}{', turned' if turned else ''}": partial(attack, turned=turned)
    for attack in (subtract, subtract_rows, patients_against_rows)
    for turned in (False, True)
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing
