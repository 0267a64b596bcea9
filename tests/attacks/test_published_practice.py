"""A practice withdraws, or joins, between two exact tables: what tells them apart is that practice.

One GP of each centre. The table is published again in other words, or as its total, or a total by its parts;
a project that follows its population publishes it before and after they came. The secret is whether more than
half of their patients have a diagnosis.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from hub_config.gateway.rules.earlier import overlaps, precedents
from hub_config.gateway.rules.earlier.sketches import Pairs
from hub_config.governance.objections import actions as objections
from tests.attacks import population
from tests.attacks.arena import MEMBER, PROJECT, Defence, Refused, Score, arena
from tests.attacks.population import CENTRES, SECRETS, Population, having, seen

ASKED = SECRETS[:2]
CHOSEN = (Defence.SELECTORS,)
WITHOUT = "the comparison of GPs"
ROLLING = "suivi-mensuel"
FINE, WIDE = ["centre_id", "sex"], ["centre_id"]
WAYS = {"again": (FINE, FINE), "total after": (FINE, WIDE), "parts after": (WIDE, FINE)}


def theirs(people):
    return people.people[people.people["physician_no"] < len(CENTRES)]


def by_centre(a, secret, keys, oldest, project=PROJECT):
    """How many have `secret` in each centre, as far as the table says; `oldest` is older than anybody."""
    p = seen("patients")
    asked = p.filter(having(p, secret), p.age <= oldest)
    try:
        table = a.publish(asked.group_by(keys).agg(n=asked.patient_id.nunique()), "A table", project)
    except Refused:
        return np.full(len(CENTRES), np.nan)
    return table.groupby("centre_id")["n"].agg(lambda n: n.astype(float).sum(skipna=False)).to_numpy()


def marked(a, people, found):
    score = Score(0, 0)
    for difference, secret in zip(found, ASKED, strict=True):
        groups = theirs(people).groupby("centre_id")[secret]
        has, half = groups.sum().to_numpy(), groups.size().to_numpy() / 2
        score += a.mark(difference - half, has > half)
    return score


def withdrawal(first, then):
    def attack(a, people):
        before = [by_centre(a, secret, first, 120) for secret in ASKED]
        a.enclave.govern(all_object)
        after = [by_centre(a, secret, then, 130) for secret in ASKED]
        return marked(a, people, [x - y for x, y in zip(before, after, strict=True)])

    return attack


def all_object(session, *, audit):
    for number in range(len(CENTRES)):
        objections.add_objection(session, physician_no=number, on=date(2023, 1, 1), audit=audit)


def not_compared(monkeypatch):
    none = Pairs(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    monkeypatch.setattr(precedents, "of_few_physicians", lambda *_: none)
    monkeypatch.setattr(overlaps, "_of_few_physicians", lambda *_: False)
    monkeypatch.setattr(overlaps, "_three_of_few_physicians", lambda *_: None)


@pytest.mark.parametrize("way", WAYS)
def test_succeeds_where_gps_are_not_compared(play, monkeypatch, way):
    not_compared(monkeypatch)
    assert play(withdrawal(*WAYS[way]), aside=CHOSEN, without=WITHOUT).succeeds


@pytest.mark.parametrize("way", WAYS)
def test_a_withdrawal_is_not_seen(play, way):
    assert play(withdrawal(*WAYS[way]), aside=CHOSEN).is_guessing


# --- a practice joins --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def joined(people, tmp_path_factory):
    """Snapshot 1: without them. Snapshot 2: as it is."""
    others = people.people.drop(theirs(people).index)
    before = Population(others.reset_index(drop=True), people.dates.loc[others.index].reset_index(drop=True))
    warehouse = tmp_path_factory.mktemp("joined")
    population.plant(before, warehouse)
    population.plant(people, warehouse)
    return warehouse


def follow(joined, tmp_path, people, board, without=""):
    warehouse = tmp_path / "rolling"
    warehouse.mkdir()
    (warehouse / "1").symlink_to(joined / "1")
    with arena(warehouse, tmp_path, frozenset(CHOSEN)) as a:
        a.join(ROLLING, MEMBER, rolling="red team")
        before = [by_centre(a, secret, FINE, 120, ROLLING) for secret in ASKED]
        (warehouse / "2").symlink_to(joined / "2")
        after = [by_centre(a, secret, FINE, 120, ROLLING) for secret in ASKED]
        score = marked(a, people, [y - x for x, y in zip(before, after, strict=True)])
        return board.add("published_practice [joins]", a, score, aside=CHOSEN, without=without)


def test_joining_succeeds_where_gps_are_not_compared(joined, tmp_path, people, board, monkeypatch):
    not_compared(monkeypatch)
    assert follow(joined, tmp_path, people, board, WITHOUT).succeeds


def test_who_joins_is_not_seen(joined, tmp_path, people, board):
    assert follow(joined, tmp_path, people, board).is_guessing
