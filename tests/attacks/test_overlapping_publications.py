"""Exact tables that overlap: what two of them show apart, they give away together.

Published numbers carry no noise, so whatever the ledger lets pass is known exactly. Tried here: the same
people as another measure (a sum of ones, rows that come twice), a whole and its parts in two tables, a cell
that was withheld. Cells of people whom one chose are in `test_published_selectors`.
"""

from __future__ import annotations

import ibis
import numpy as np
import pytest

from hub_config.gateway.rules.earlier import precedents
from tests.attacks.arena import Defence, Refused, Score
from tests.attacks.doubles import by_people_alone
from tests.attacks.population import BANDS, SECRETS, bits, having, is_one_of, per_cell, seen

GROUP = ["sex", "age_band"]
WIDE = ["sex", "centre_id"]
YOUNG = BANDS[:5]


def published(a, expression, keys=GROUP):
    """The table by its keys; refused, it tells nothing."""
    try:
        table = a.publish(expression, "A table")
    except Refused:
        return None
    return table.set_index([*keys, *(["class"] if "class" in table else [])])["n"].astype(float).sort_index()


def less(one, other):
    return np.nan if one is None or other is None else one.to_numpy() - other.to_numpy()


def told(a, difference, victims, secret):
    return a.mark(np.resize(difference, len(victims)) - 0.5, bits(victims, secret))


def against(measure):
    """A count of all who are ill, then `measure` of the same without the victims."""

    def attack(a, people):
        score, p = Score(0, 0), seen("patients")
        for turn in range(3):
            victims, secret = people.victims(turn, GROUP), SECRETS[turn]
            ill = p.filter(having(p, secret))
            count = published(a, per_cell(ill, GROUP))
            others = published(a, measure(ill.filter(~is_one_of(ill, victims))))
            score += told(a, less(count, others), victims, secret)
        return score

    return attack


def ones(persons):
    """A sum of as many ones as there are persons."""
    each = persons.group_by("patient_id", *GROUP).agg(one=persons.count())
    return each.group_by(GROUP).agg(n=each.one.sum())


def twice(persons):
    """Half of the rows of persons who come twice."""
    each = persons.group_by("patient_id", *GROUP).agg(rows=persons.count()).drop("rows")
    rows = ibis.union(persons.select(*each.columns), each)
    return rows.group_by(GROUP).agg(both=rows.count()).mutate(n=lambda t: t.both / 2).drop("both")


def whole_first(a, people):
    """The young without the victims who are ill; then all by age, the victims among the young."""
    score, p = Score(0, 0), seen("patients")
    for turn in range(3):
        victims, secret = people.victims(turn, WIDE), SECRETS[turn]
        young = p.filter(p.age_band.isin(YOUNG) | is_one_of(p, victims))
        well = young.filter(~(is_one_of(young, victims) & having(young, secret)))
        whole = published(a, per_cell(well, WIDE), WIDE)
        by_age = p.mutate(**{"class": ibis.cases((is_one_of(p, victims), YOUNG[turn]), else_=p.age_band)})
        parts = published(a, per_cell(by_age, [*WIDE, "class"]), WIDE)
        summed = None if parts is None else parts.unstack("class")[list(YOUNG)].sum(axis=1, min_count=5)
        score += told(a, less(summed, whole), victims, secret)
    return score


CHOSEN = (Defence.SELECTORS,)  # it would refuse to choose people so; what is tried here has to hold alone
COMPARED, DEFINED = "the comparison of publications", "the definitions of cells"

ATTACKS = {"ones": against(ones), "twice": against(twice), "whole first": whole_first}


def nothing_known(batch, *_):
    return np.zeros(len(batch.values), dtype=np.int8)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_where_publications_are_not_compared(play, monkeypatch, attack):
    monkeypatch.setattr(precedents, "_known", nothing_known)
    assert play(attack, aside=CHOSEN, without=COMPARED).succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_subtracting_fails(play, attack):
    assert play(attack, aside=CHOSEN).is_guessing


# --- what a table withheld ---------------------------------------------------------------------------------


def recovered(a):
    """Few over 90 have five diagnoses: withheld, and a class of middle age with them. Published together with
    another one, that class is known, and so are the few."""
    p = seen("patients")
    some = p.filter(having(p, "P76") & ((p.age_band != "90+") | having(p, "P74", "T90", "K86", "R96")))
    table, totals = published(a, per_cell(some, GROUP)), published(a, per_cell(some, ["sex"]), ["sex"])
    assert np.isnan(table["M", "90+"])
    hidden = [band for band in BANDS[:-1] if np.isnan(table["M", band])]
    open_ = next(band for band in BANDS if not table[:, band].isna().any())
    known = 0.0
    for band in hidden:
        both = some.filter(some.age_band.isin([band, open_]))
        pair = published(a, per_cell(both, ["sex"]), ["sex"])
        known += np.nan if pair is None else pair["M"] - table["M", open_]
    return totals["M"] - table["M"].sum() - known


@pytest.mark.parametrize("compared", [False, True])
def test_a_withheld_cell_is_not_recovered_from_another_table(enter, people, monkeypatch, compared):
    if not compared:
        for rule in ("of_sums", "of_three"):
            monkeypatch.setattr(precedents, rule, lambda *_: None)
    everybody = people.people
    ill = everybody[["P76", "P74", "T90", "K86", "R96"]].all(axis=1)
    truth = (ill & (everybody["age_band"] == "90+") & (everybody["sex"] == "M")).sum()
    with enter(*CHOSEN) as a:
        found = recovered(a)
    assert np.isnan(found) if compared else found == truth


# --- marks, and more than two tables -----------------------------------------------------------------------


def three_tables(a, people):
    """Two parts and their whole, a table each."""
    victims, secret, p = people.victims(0, WIDE), SECRETS[0], seen("patients")
    known = is_one_of(p, victims)
    parts = [p.filter(p.age_band.isin(YOUNG[:2]) & ~known), p.filter(p.age_band.isin(YOUNG[2:]) | known)]
    young = p.filter(p.age_band.isin(YOUNG) | known)
    well = young.filter(~(is_one_of(young, victims) & having(young, secret)))
    shown = [published(a, per_cell(part, WIDE), WIDE) for part in parts]
    whole = published(a, per_cell(well, WIDE), WIDE)
    summed = None if any(part is None for part in shown) else shown[0] + shown[1]
    return told(a, less(summed, whole), victims, secret)


def withheld_or_not(a, people):
    """All who are ill, then without one of them. Who was not ill is not missing, and the same is shown again;
    else it is withheld."""
    victims, secret, p = people.victims(0, GROUP), SECRETS[0], seen("patients")
    ill, guesses = p.filter(having(p, secret)), []
    for band in BANDS:
        published(a, per_cell(ill.filter(ill.age_band == band), ["sex"]), ["sex"])
    for victim in victims.itertuples():
        others = ill.filter(~is_one_of(ill, victims.loc[[victim.Index]]) & (ill.age_band == victim.age_band))
        table = published(a, per_cell(others, ["sex"]), ["sex"])
        guesses.append(1.0 if table is None or np.isnan(table[victim.sex]) else -1.0)
    return a.mark(np.array(guesses), bits(victims, secret))


def test_three_tables_succeed_where_only_pairs_are_compared(play, monkeypatch):
    monkeypatch.setattr(precedents, "of_three", lambda *_: None)
    assert play(three_tables, aside=CHOSEN, without="the comparison of three", said="three tables").succeeds


def test_three_tables_fail(play):
    assert play(three_tables, aside=CHOSEN, said="three tables").is_guessing


def test_marks_tell_where_people_alone_are_compared(play, monkeypatch):
    by_people_alone(monkeypatch)
    assert play(withheld_or_not, aside=CHOSEN, without=DEFINED, said="marks").succeeds


def test_marks_tell_nothing(play):
    assert play(withheld_or_not, aside=CHOSEN, said="marks").is_guessing
