"""Ask, wait until somebody objects, and ask again: the difference is their profile.

An objection is to protect the person; were the answer simply computed anew, it would point at them. ADR 0011.
Tried with objections to all and to the future (all that was ever noted of them is later), with tables that
are figured, and by a friend in another project, who asks only afterwards.
"""

from __future__ import annotations

from datetime import date

import pytest

from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import ObjectionScope
from tests.attacks.arena import BLUR, MEMBER, PROJECT, Defence, Refused, Score
from tests.attacks.population import SECRETS, bits, having, per_cell, seen

FRIEND, ELSEWHERE = "frank", "these-deux"
BEFORE_ALL = date(2010, 1, 1)
WIDE = ["sex", "age_band"]  # 20 cells of 300
ALONE, TOGETHER = (MEMBER, PROJECT), (FRIEND, ELSEWHERE)


def before_and_after(a, people, scope=ObjectionScope.ALL, then=ALONE):
    """One person of each cell objects."""
    if then is TOGETHER:
        a.join(ELSEWHERE, FRIEND, MEMBER)
    victims, p = people.victims(0), seen("patients")
    before = {secret: a.cells(per_cell(p.filter(having(p, secret)))) for secret in SECRETS[:3]}
    object_(a, victims, scope)
    score = Score(0, 0)
    for secret, earlier in before.items():
        again = per_cell(p.filter(having(p, secret)))
        now = a.cells(again, user=then[0], project=then[1])
        score += a.mark(earlier - now - 0.5, bits(victims, secret))
    return score


def published(a, people, scope=ObjectionScope.ALL):
    """The same with exact tables."""
    victims, p, score = people.victims(0, WIDE), seen("patients"), Score(0, 0)
    tables = {secret: per_cell(p.filter(having(p, secret)), WIDE) for secret in SECRETS[:4]}
    before = {secret: figured(a, table) for secret, table in tables.items()}
    object_(a, victims, scope)
    for secret, table in tables.items():
        score += a.mark(before[secret] - figured(a, table) - 0.5, bits(victims, secret))
    return score


def figured(a, table):
    """Each cell as published, in the order of the victims' own; what is refused tells nothing."""
    try:
        shown = a.publish(table, "Patients")
    except Refused:
        return float("nan")
    cells = shown[shown["sex"].notna() & shown["age_band"].notna()].sort_values(WIDE)
    return cells["n"].to_numpy(dtype=float)


def object_(a, victims, scope):
    def all_of_them(session, *, audit):
        for number in victims["patient_no"]:
            objections.add_objection(session, patient_no=int(number), scope=scope, on=BEFORE_ALL, audit=audit)

    a.enclave.govern(all_of_them)


SCOPES = pytest.mark.parametrize("scope", list(ObjectionScope), ids=lambda scope: scope.value)


@SCOPES
def test_succeeds_without_noise_and_ledger(play, scope):
    assert play(lambda a, people: before_and_after(a, people, scope), *BLUR).succeeds


@SCOPES
def test_fails(play, scope):
    assert play(lambda a, people: before_and_after(a, people, scope)).is_guessing


def test_a_friend_s_later_question_succeeds_without_noise_and_ledger(play):
    assert play(lambda a, people: before_and_after(a, people, then=TOGETHER), *BLUR).succeeds


def test_a_friend_s_later_question_fails(play):
    assert play(lambda a, people: before_and_after(a, people, then=TOGETHER)).is_guessing


def test_figured_tables_succeed_without_the_ledger(play):
    assert play(published, Defence.MEMORY, Defence.SUPPRESSION, Defence.PRIMARY).succeeds


def test_figured_tables_fail(play):
    assert play(lambda a, people: published(a, people, ObjectionScope.FUTURE)).is_guessing
