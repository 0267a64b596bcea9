"""A project on the *version glissante* asks at the end of one month and of the next: what a month brought to
a small group is somebody's.

The neighbour knows that the victim saw the GP on 10 December; the diagnosis is the secret. First the data end
in the middle of the month, then with it, then a month later. Wang & Fung, "Anonymizing sequential releases",
KDD 2006, 414–423.
"""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from hub_config.governance import rolling
from hub_config.warehouse.snapshot import build_snapshot
from tests.attacks import population
from tests.attacks.arena import BLUR, MEMBER, Score, arena
from tests.attacks.population import SECRETS, Population, bits, having, per_cell, seen

ROLLING = "suivi-mensuel"
VISITED = pd.Timestamp("2020-12-10")
NOVEMBER, MIDDLE, DECEMBER = date(2020, 11, 30), date(2020, 12, 14), date(2020, 12, 31)
ASKED = SECRETS[:3]


@pytest.fixture(scope="module")
def months(people, tmp_path_factory):
    """Snapshots of the same people: to the end of November, to the middle and to the end of December."""
    dates = people.dates.copy()
    for turn, secret in enumerate(ASKED):
        dates.loc[people.victims(turn).index, secret] = VISITED
    known, warehouse = Population(people.people, dates), tmp_path_factory.mktemp("months")
    for last in (NOVEMBER, MIDDLE, DECEMBER):
        with build_snapshot(warehouse, source="red team", synthetic=True, public=False) as building:
            population._fill(building, known, ())
            for table in ("diagnoses", "consultations", "biometrics", "lab_results"):
                building.connection.execute(f"DELETE FROM {table} WHERE date > ?", [last])
            building.finish(last, date(2015, 1, 1), last)
    return warehouse


def compare(a, people, months, warehouse, number):
    """Every question on the first snapshot; another appears; the same questions again."""
    a.join(ROLLING, MEMBER, rolling="red team")
    p, score = seen("patients"), Score(0, 0)
    asked = {secret: per_cell(p.filter(having(p, secret))) for secret in ASKED}
    last = {secret: a.cells(question, project=ROLLING) for secret, question in asked.items()}
    (warehouse / str(number)).symlink_to(months / str(number))
    for turn, (secret, question) in enumerate(asked.items()):
        this = a.cells(question, project=ROLLING)
        score += a.mark(this - last[secret] - 0.5, bits(people.victims(turn), secret))
    return score


def tried(months, tmp_path, people, board, number, out, without=""):
    warehouse = tmp_path / "rolling"
    warehouse.mkdir()
    (warehouse / "1").symlink_to(months / "1")
    with arena(warehouse, tmp_path, frozenset(out)) as a:
        said = f"closing_month [{'the month is over' if number == 3 else 'its middle'}]"
        return board.add(said, a, compare(a, people, months, warehouse, number), without=without)


def test_at_the_end_of_the_month_it_succeeds_without_noise_and_ledger(months, tmp_path, people, board):
    assert tried(months, tmp_path, people, board, 3, BLUR).rate >= 0.8  # others come to the cell, too


def test_at_the_end_of_the_month_it_fails(months, tmp_path, people, board):
    assert tried(months, tmp_path, people, board, 3, ()).is_guessing


def test_in_the_middle_it_succeeds_where_open_months_are_seen(months, tmp_path, people, board, monkeypatch):
    monkeypatch.setattr(rolling, "last_closed", lambda day: day)
    out = "the closed month"
    assert tried(months, tmp_path, people, board, 2, BLUR, without=out).rate >= 0.8


def test_in_the_middle_there_is_nothing_to_compare(months, tmp_path, people, board):
    """Noise and ledger out: the closed month alone keeps what the days brought."""
    assert tried(months, tmp_path, people, board, 2, BLUR).is_guessing
