"""The same question on last month's snapshot and on this one's: what is new in a small group is somebody's.

The neighbour knows that the victim was not depressed in the first snapshot. Wang & Fung, "Anonymizing
sequential releases", KDD 2006, 414–423.
"""

from __future__ import annotations

import pytest

from tests.attacks import population
from tests.attacks.arena import BLUR, MEMBER, Score, arena
from tests.attacks.population import SECRETS, Population, bits, having, per_cell, seen

FIRST_PROJECT, SECOND_PROJECT = "these-un", "these-deux"
ROLLING = "suivi-mensuel"


@pytest.fixture(scope="module")
def refreshed(people, tmp_path_factory):
    """Snapshot 1: nobody of the victims has the secret yet. Snapshot 2: as it is."""
    earlier = people.people.copy()
    for secret in SECRETS[:3]:
        earlier.loc[people.victims(0).index, secret] = False
    warehouse = tmp_path_factory.mktemp("refreshed")
    population.plant(Population(earlier, people.dates), warehouse)
    population.plant(people, warehouse)
    return warehouse


def compare(a, people):
    a.join(FIRST_PROJECT, MEMBER, snapshot=1)
    a.join(SECOND_PROJECT, MEMBER, snapshot=2)
    victims, p = people.victims(0), seen("patients")
    score = Score(0, 0)
    for secret in SECRETS[:3]:
        question = per_cell(p.filter(having(p, secret)))
        last, this = (a.cells(question, project=project) for project in (FIRST_PROJECT, SECOND_PROJECT))
        score += a.mark(this - last - 0.5, bits(victims, secret))
    return score


def tried(refreshed, tmp_path, people, board, out):
    with arena(refreshed, tmp_path, frozenset(out)) as a:
        return board.add("refreshed_snapshot", a, compare(a, people))


def test_succeeds_without_noise_and_ledger(refreshed, tmp_path, people, board):
    assert tried(refreshed, tmp_path, people, board, BLUR).succeeds


def test_fails(refreshed, tmp_path, people, board):
    assert tried(refreshed, tmp_path, people, board, ()).is_guessing


# --- one project that follows its population: it need not ask for another ----------------------------------


def follow(a, refreshed, warehouse, people):
    """All questions on the first snapshot; the second appears; the same questions again."""
    a.join(ROLLING, MEMBER, rolling="red team")
    victims, p = people.victims(0), seen("patients")
    asked = {secret: per_cell(p.filter(having(p, secret))) for secret in SECRETS[:3]}
    last = {secret: a.cells(question, project=ROLLING) for secret, question in asked.items()}
    (warehouse / "2").symlink_to(refreshed / "2")
    score = Score(0, 0)
    for secret, question in asked.items():
        this = a.cells(question, project=ROLLING)
        score += a.mark(this - last[secret] - 0.5, bits(victims, secret))
    return score


def followed(refreshed, tmp_path, people, board, out):
    warehouse = tmp_path / "rolling"
    warehouse.mkdir()
    (warehouse / "1").symlink_to(refreshed / "1")
    with arena(warehouse, tmp_path, frozenset(out)) as a:
        return board.add("rolling_snapshot", a, follow(a, refreshed, warehouse, people))


def test_following_succeeds_without_noise_and_ledger(refreshed, tmp_path, people, board):
    assert followed(refreshed, tmp_path, people, board, BLUR).succeeds


def test_following_fails(refreshed, tmp_path, people, board):
    assert followed(refreshed, tmp_path, people, board, ()).is_guessing
