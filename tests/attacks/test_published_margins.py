"""Publication tables are exact: what one withholds, its totals tell, or another table, or the level above.

(a) One cell of the table is the victim alone, so it is withheld; the others of its row are shown. The whole
row is published as a table of its own: subtract. (b) The whole is a region, published apart from its centres,
and the victim's centre is published without them. Cox, "Suppression methodology and statistical disclosure
control", JASA 75 (1980) 377–385; linked tables: de Wolf & Giessing, "Adjusting the τ-ARGUS modular approach
to deal with linked tables", Data & Knowledge Engineering 68 (2009) 1160–1174.

No number tells of anybody who is ill, and no mark: where the region less its centres would be one, a centre
is withheld; where it would be none, too, since nothing in the questions says that it must be.
"""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pandas as pd
import pytest

from tests.attacks.arena import Defence, Refused, Score
from tests.attacks.doubles import by_people_alone
from tests.attacks.population import (
    CELL,
    COINS,
    REGION,
    SECRETS,
    bits,
    having,
    is_one_of,
    marked,
    per_cell,
    seen,
)

WIDE = ["sex", "age_band"]  # 20 cells of 300
TURNS, EACH = 3, 10
CHOSEN = (Defence.SELECTORS,)  # it would refuse to choose people so; what is tried here has to hold alone


def row_by_row(a, people, whole_first, marked_by):
    score = Score(0, 0)
    for turn in range(TURNS):
        victims, secret, coin = people.victims(turn % 4, WIDE), SECRETS[turn], COINS[turn]
        p = seen("patients")
        ill = marked(p.filter(having(p, secret)), [coin])
        part = ibis.cases((is_one_of(ill, victims), "3"), (ill[coin], "1"), else_="2")
        split = per_cell(ill.mutate(classe=part), [*WIDE, "classe"])
        whole, parts = both(a, per_cell(ill, WIDE), split, whole_first)
        rest = rests(whole, parts, WIDE, len(victims), lambda f: f[f["classe"] != "3"])
        score += marked_by(a, rest, bits(victims, secret))
    return score


def region_less_centres(a, people, whole_first, marked_by):
    keys = ["region", *CELL[1:]]
    score = Score(0, 0)
    for turn in range(2):
        victims = people.victims(turn).assign(region=lambda f: f["centre_id"].map(REGION))
        victims = victims[victims["centre_id"].isin(["C2", "C4", "C6"])].sort_values(keys)
        secret, p = SECRETS[turn], seen("patients")
        ill = p.filter(having(p, secret))
        above = per_cell(ill.join(seen("centres"), "centre_id"), keys)
        below = per_cell(ill.filter(~is_one_of(ill, victims)))
        whole, parts = both(a, above, below, whole_first)
        placed = partial(pd.DataFrame.assign, region=lambda f: f["centre_id"].map(REGION))
        rest = rests(whole, parts, keys, len(victims), placed)
        score += marked_by(a, rest, bits(victims, secret))
    return score


def both(a, whole, parts, whole_first):
    """Both published, in this order or the other; None for what is refused, which tells nothing."""
    asked = {"whole": whole, "parts": parts}
    order = ("whole", "parts") if whole_first else ("parts", "whole")
    shown = {name: published(a, asked[name]) for name in order}
    return shown["whole"], shown["parts"]


def published(a, table):
    try:
        return a.publish(table, "Patients")
    except Refused:
        return None


def rests(whole, parts, keys, cells, prepared):
    """What two parts leave of the whole; NaN where anything of it is withheld, or refused."""
    if whole is None or parts is None:
        return np.full(cells, np.nan)
    summed = prepared(parts).astype({"n": float}).groupby(keys)["n"].sum(min_count=2)
    shown = whole.set_index(keys)["n"].astype(float).sort_index()
    return (shown - summed.reindex(shown.index)).to_numpy(float, na_value=np.nan)


def by_number(a, rest, truth):
    return a.mark(rest - 0.5, truth)


def by_number_of_the_ill(a, rest, truth):
    """Of those who are ill only: guessed by the number; right half the time without one."""
    return a.mark((rest - 0.5)[truth], truth[truth])


STORIES = {"linked": row_by_row, "hierarchical": region_less_centres}
ATTACKS = {
    f"{name}, {'whole' if first else 'parts'} first": partial(attack, whole_first=first)
    for name, attack in STORIES.items()
    for first in (True, False)
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_succeeds_without_secondary_suppression_and_ledger(play, attack):
    found = play(partial(attack, marked_by=by_number), Defence.SUPPRESSION, Defence.MEMORY, aside=CHOSEN)
    assert found.succeeds


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_number_tells_of_the_ill(play, attack):
    assert play(partial(attack, marked_by=by_number_of_the_ill), aside=CHOSEN).is_guessing


def one_victim(enter, people, board, without=""):
    """A region, then its centres without one victim, of people of the victim's sex and age only. One victim
    and two publications a gateway: the mark, or a refusal, is taken to mean that the victim is ill."""
    secret, p = SECRETS[0], seen("patients")
    everybody, score = people.victims(0), Score(0, 0)
    for has in (True, False):
        for number in range(EACH):
            victim = everybody[everybody[secret] == has].iloc[[number]]
            like_them = (p.sex == victim.sex.item()) & (p.age_band == victim.age_band.item())
            ill = p.filter(having(p, secret) & like_them)
            above = per_cell(ill.join(seen("centres"), "centre_id"), ["region"])
            below = per_cell(ill.filter(~is_one_of(ill, victim)), ["centre_id"])
            with enter(*CHOSEN) as a:
                _, parts = both(a, above, below, whole_first=True)
                marked = parts is None or bool(near(parts, victim.iloc[0])["n"].isna().any())
                score += a.mark(np.array([1.0 if marked else -1.0]), np.array([has]))
    return board.add("published_margins [one victim]", a, score, aside=CHOSEN, without=without)


def near(parts, victim):
    """The cells of the victim's region."""
    return parts[parts["centre_id"].map(REGION) == REGION[victim["centre_id"]]]


def test_a_mark_tells_where_people_alone_are_compared(enter, people, board, monkeypatch):
    by_people_alone(monkeypatch)
    assert one_victim(enter, people, board, "the definitions of cells").succeeds


def test_neither_mark_nor_refusal_tells(enter, people, board):
    assert one_victim(enter, people, board).is_guessing
