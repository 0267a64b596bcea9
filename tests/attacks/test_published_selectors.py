"""A cell of people whom one chose: "these twenty whom I know, and my neighbour if ill" is 20 or 21.

Published numbers are exact and no rule on data tells such a cell from an honest one, so it is the definition
that may not name people one by one. The friends are a random sample of those whom centre, sex and birth month
single out; the attacker knows them and nobody else.
"""

from __future__ import annotations

import operator
from functools import reduce

import ibis
import numpy as np
import pytest

from tests.attacks.arena import Defence, Refused
from tests.attacks.population import SECRETS, bits, either, having, is_one_of, per_cell, seen

GROUP = ["sex", "age_band"]
FRIENDS = 20
OUT = (Defence.SELECTORS, Defence.MEMORY)


def is_(people, person):
    """One person, as a neighbour would say it."""
    return (
        (people.centre_id == person.centre_id)
        & (people.sex == person.sex)
        & (people.birth_month == person.birth_month)
    )


def by_concatenation(p, chosen):
    return is_one_of(p, chosen)


def by_alternatives(p, chosen):
    return either([is_(p, person) for person in chosen.itertuples()])


def by_months(p, chosen):
    """The birth months of those of one centre and sex."""
    groups = chosen.groupby(["centre_id", "sex"]).birth_month.agg(list)
    return either(
        [
            (p.centre_id == centre) & (p.sex == sex) & p.birth_month.isin(months)
            for (centre, sex), months in groups.items()
        ]
    )


def by_failing(p, chosen):
    """Who fails to be none of them: no "or" anywhere."""
    return ~reduce(operator.and_, [~is_(p, person) for person in chosen.itertuples()])


def by_adding(p, chosen):
    """Whose number of matches isn't zero."""
    return reduce(operator.add, [is_(p, person).cast("int8") for person in chosen.itertuples()]) > 0


WAYS = (by_concatenation, by_alternatives, by_months, by_failing, by_adding)


def padded(way):
    """The victims' groups, one question a group: its friends, and the victim if ill; beside all others."""

    def attack(a, people):
        victims, secret, p = people.victims(0, GROUP), SECRETS[0], seen("patients")
        guesses = []
        for index, victim in victims.iterrows():
            same = people.known[(people.known[GROUP] == victim[GROUP]).all(axis=1)].drop(index)
            friends, alone = same.sample(FRIENDS, random_state=1), victims.loc[[index]]
            chosen = way(p, friends) | (way(p, alone) & having(p, secret))
            guesses.append(count(a, p.mutate(chosen=chosen)) - FRIENDS - 0.5)
        return a.mark(np.array(guesses), bits(victims, secret))

    return attack


def count(a, persons):
    """Of those who are chosen; refused or withheld, it tells nothing."""
    try:
        table = a.publish(per_cell(persons, ["chosen"]), "A table")
    except Refused:
        return np.nan
    return table[table.chosen == True]["n"].astype(float).sum(min_count=1)  # noqa: E712 - may be NULL


def not_recorded(a, people):
    """Groups of "not recorded" that are too few are left out, and the table says so: eleven friends of as
    many GPs are one short of the limit on GPs, and the victim, if ill, is the twelfth."""
    victims, secret, p = people.victims(0, GROUP), SECRETS[0], seen("patients")
    guesses = []
    for index, victim in victims.iterrows():
        others = people.known[people.known.physician_no != victim.physician_no]
        friends = others.drop_duplicates("physician_no").sample(11, random_state=1)
        chosen = is_one_of(p, friends) | (is_one_of(p, victims.loc[[index]]) & having(p, secret))
        marked = p.mutate(state=ibis.cases((chosen, "not recorded"), else_="recorded"))
        guesses.append(1.0 if left(a, marked) else -1.0)
    return a.mark(np.array(guesses), bits(victims, secret))


def left(a, persons):
    """Whether the group is shown; refused, it tells nothing."""
    try:
        table = a.publish(per_cell(persons, ["state"]), "A table")
    except Refused:
        return False
    return bool(table[table.state == "not recorded"]["n"].notna().any())


def test_what_is_left_out_tells_where_a_definition_may_name_people(play):
    assert play(not_recorded, *OUT).succeeds


def test_what_is_left_out_tells_nothing_more(play):
    assert play(not_recorded).is_guessing


@pytest.mark.parametrize("way", WAYS)
def test_succeeds_where_a_definition_may_name_people(play, way):
    assert play(padded(way), *OUT).succeeds


@pytest.mark.parametrize("way", WAYS)
def test_naming_people_fails(play, way):
    assert play(padded(way)).is_guessing
