"""A cell of people whom one chose: "these twenty whom I know, and my neighbour if ill" is 20 or 21.

Published numbers are exact and no rule on data tells such a cell from an honest one, so it is the definition
that may not name people one by one. The friends are a random sample of those whom centre, sex and birth month
single out; the attacker knows them and nobody else.
"""

from __future__ import annotations

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


WAYS = (by_concatenation, by_alternatives, by_months)


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


@pytest.mark.parametrize("way", WAYS)
def test_succeeds_where_a_definition_may_name_people(play, way):
    assert play(padded(way), *OUT).succeeds


@pytest.mark.parametrize("way", WAYS)
def test_naming_people_fails(play, way):
    assert play(padded(way)).is_guessing
