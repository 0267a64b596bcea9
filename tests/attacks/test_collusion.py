"""Two ask, each something harmless; together they subtract.

Two accounts of one project; two projects of one person; a supervisor of two projects whose students never
meet, asking through them; a member who joins late and brings what they saw elsewhere, or reads what was shown
before, and may have left again by the time they ask; one who left, or whose project was suspended. (Strangers
without a common project can't be known: what they learn is bounded by the noise, and printed.)
"""

from __future__ import annotations

from functools import partial

import pytest

from hub_config.governance import actions
from tests.attacks.arena import BLUR, MEMBER, PROJECT, Score, after
from tests.attacks.population import SECRETS, bits, having, is_one_of, per_cell, seen

OTHER, FRIEND, SUPERVISOR = "these-deux", "frank", "simone"


def together(a, people, first, second, before=lambda a: None, between=lambda a: None):
    """`first` and `second`: in whose name, and in which project, the two halves are asked."""
    before(a)
    score, p = Score(0, 0), seen("patients")
    halves = []
    for turn, secret in enumerate(SECRETS[:2]):
        victims, ill = people.victims(turn), p.filter(having(p, secret))
        halves.append((victims, secret, a.cells(per_cell(ill), user=first[0], project=first[1])))
    between(a)
    for victims, secret, more in halves:
        ill = p.filter(having(p, secret))
        others = per_cell(ill.filter(~is_one_of(ill, victims)))
        less = a.cells(others, user=second[0], project=second[1])
        score += a.mark(more - less - 0.5, bits(victims, secret))
    return score


def two_accounts(a):
    a.add_member(PROJECT, FRIEND)


def own_two_projects(a):
    a.join(OTHER, MEMBER)


def supervised(a):
    a.add_member(PROJECT, SUPERVISOR)
    a.join(OTHER, FRIEND, SUPERVISOR)


def strangers(a):
    a.join(OTHER, FRIEND)


def leaves(a):
    a.enclave.govern(actions.remove_member, PROJECT, MEMBER)


def passes_by(a):
    """Reads all that was shown, and is gone."""
    a.add_member(PROJECT, FRIEND)
    a.enclave.govern(actions.remove_member, PROJECT, FRIEND)


def suspends(a):
    a.enclave.govern(actions.suspend, PROJECT)


EVE, HERSELF, FRANK = (MEMBER, PROJECT), (MEMBER, OTHER), (FRIEND, OTHER)
ATTACKS = {
    "two accounts": partial(together, first=EVE, second=(FRIEND, PROJECT), before=two_accounts),
    "two projects": partial(together, first=EVE, second=HERSELF, before=own_two_projects),
    "one supervisor": partial(together, first=EVE, second=FRANK, before=supervised),
    "supervisor herself": partial(
        together, first=EVE, second=(SUPERVISOR, OTHER), before=supervised
    ),
    "late joiner": partial(
        together, first=EVE, second=FRANK, before=strangers, between=lambda a: a.add_member(OTHER, MEMBER)
    ),
    "late reader": partial(
        together, first=EVE, second=FRANK, before=strangers, between=lambda a: a.add_member(PROJECT, FRIEND)
    ),
    "passing reader": partial(
        together, first=EVE, second=FRANK, before=strangers, between=passes_by
    ),
    "removed member": partial(
        together, first=EVE, second=HERSELF, before=own_two_projects, between=leaves
    ),
    "suspended project": partial(
        together, first=EVE, second=HERSELF, before=own_two_projects, between=suspends
    ),
}  # fmt: skip
STRANGERS = partial(together, first=EVE, second=FRANK, before=strangers)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_noise_and_ledger(play, attack):
    assert play(attack, *BLUR).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_fails(play, attack):
    assert play(attack).is_guessing


def test_strangers_are_left_with_the_noise(play):
    assert play(STRANGERS).is_within(after(1))
