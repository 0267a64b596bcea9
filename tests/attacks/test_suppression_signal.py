"""Whether a cell is shown tells on which side of the threshold it lies.

A group of exactly as many as are needed, the victim among them; then the group without "the victim, if ill".
Withheld: ill. In the other order it is the same, and who knows the size of the group needs the second
question only. Francis et al., "Diffix: high-utility database anonymization", PETS/APF 2017, whose threshold
is noisy for this reason; so is ours, and the attacker chooses the size at which that tells most.
"""

from __future__ import annotations

from functools import partial

import ibis
import numpy as np
import pandas as pd
import pytest

from tests.attacks.arena import ONE_ANSWER, Defence, Score
from tests.attacks.population import CELL, SECRETS, bits, either, having, is_one_of, per_cell, seen

NEEDED = 11
TELLING = 15  # where the chance to be shown rises most from one patient to the next


def barely(cell, needed):
    """The first by birth month of whom so many are not of the largest GP: leaving out the last one's equal
    makes it one less. Also the victim: one who is not of the largest GP."""
    cell = cell.sort_values("birth_month")
    for last in range(needed, len(cell)):
        group = cell.iloc[:last]
        if cell["birth_month"].iloc[last] == group["birth_month"].iloc[-1]:
            continue
        sizes = group["physician_no"].value_counts()
        if len(group) - sizes.iloc[0] == needed:
            single = group[~group.duplicated("birth_month", keep=False)]
            return group, single[single["physician_no"] != sizes.index[0]]
        if len(group) - sizes.iloc[0] > needed:
            break
    return cell.iloc[:0], cell.iloc[:0]


def groups(people, sex, needed):
    found = []
    for _, cell in people.people[people.people["sex"] == sex].groupby(CELL):
        group, candidates = barely(cell, needed)
        if len(candidates):
            found.append((group, candidates.iloc[[0]]))
    return found


def read(a, people, order, needed=NEEDED):
    """`order`: which of the two questions are asked. Where the group itself is withheld nothing is told."""
    score, p = Score(0, 0), seen("patients")
    for sex, secret in (("F", SECRETS[0]), ("M", SECRETS[1])):
        found = groups(people, sex, needed)
        victims = pd.concat([victim for _, victim in found]).sort_values(CELL)
        inside = p.filter(either([up_to(p, group) for group, _ in found]) | (p.sex != sex))
        questions = {
            "group": per_cell(inside),
            "without": per_cell(inside.filter(~(is_one_of(inside, victims) & having(inside, secret)))),
        }
        heard = {name: a.ask(questions[name]).set_index(CELL)["n"] for name in order}
        wanted = pd.MultiIndex.from_frame(victims[CELL])
        withheld = heard["without"].reindex(wanted).isna().to_numpy()
        if "group" in heard:
            usable = heard["group"].reindex(wanted).notna().to_numpy()
        else:
            usable = np.ones(len(victims), dtype=bool)
        score += a.mark(np.where(usable, np.where(withheld, 1.0, -1.0), 0.0), bits(victims, secret))
    return score


def up_to(p, group):
    one = group.iloc[0]
    return (
        (p.centre_id == one.centre_id)
        & (p.sex == one.sex)
        & (p.age_band == one.age_band)
        & (p.birth_month <= group["birth_month"].max())
    )


def unanimity(a, people, known):
    """The other side of a group tells the same: who is outside it must be enough, too. A class of known
    others, and the victim unless ill; everybody else is the other class."""
    score, p = Score(0, 0), seen("patients")
    for turn, secret in enumerate(SECRETS[:2]):
        victims = people.victims(turn)
        some = people.known.drop(victims.index).groupby(CELL).head(known)
        well = is_one_of(p, victims) & ~having(p, secret)
        classed = p.mutate(part=ibis.ifelse(is_one_of(p, some) | well, "few", "rest"))
        frame = a.ask(classed.group_by([*CELL, "part"]).agg(n=lambda t: t.patient_id.nunique()))
        rest = frame[frame["part"] == "rest"].set_index(CELL)["n"]
        withheld = rest.reindex(pd.MultiIndex.from_frame(victims[CELL])).isna().to_numpy()
        score += a.mark(np.where(withheld, 1.0, -1.0), bits(victims, secret))
    return score


PAIR = ("group", "without")
AT_THE_LIMIT = {
    "group first": partial(read, order=PAIR),
    "group last": partial(read, order=PAIR[::-1]),
    "alone": partial(read, order=PAIR[1:]),
    "unanimity": partial(unanimity, known=NEEDED - 1),
}
WHERE_IT_TELLS = {
    "group first, 15": partial(read, order=PAIR, needed=TELLING),
    "alone, 15": partial(read, order=PAIR[1:], needed=TELLING),
    "unanimity, 15": partial(unanimity, known=TELLING - 1),
}
EVERY = {**AT_THE_LIMIT, **WHERE_IT_TELLS}


@pytest.mark.parametrize("attack", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_succeeds_where_limits_are_met_exactly(play, attack):
    assert play(attack, Defence.LIMITS, Defence.MEMORY).succeeds


@pytest.mark.parametrize("attack", EVERY.values(), ids=EVERY)
def test_tells_no_more_than_one_noisy_number(play, attack):
    assert play(attack).is_within(ONE_ANSWER)
