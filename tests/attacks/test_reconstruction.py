"""Ask for many random subsets of a hundred people and solve for everybody's secret at once.

Birth months choose the subsets; least squares, clipped, does as well here as the linear programme. Dinur &
Nissim, "Revealing information while preserving privacy", PODS 2003, 202–210; Cohen & Nissim, "Linear program
reconstruction in practice", J. Privacy and Confidentiality 10 (2020). Who asks often enough beats any noise
that does not grow: what a run of this length learns is bounded and printed, and a longer one learns more.
"""

from __future__ import annotations

import ibis
import numpy as np

from tests.attacks.arena import BLUR, Defence, Score
from tests.attacks.population import SECRETS, marked, seen

KEYS = ["centre_id", "age_band"]  # 20 groups of 100 in two centres: solved all at once
CENTRES = ["C1", "C2"]
QUESTIONS, PARTS = 45, ("a", "b", "c")
LEARNT = 0.65  # of the people, after so many questions


def solve(a, people):
    everybody, secret = people.people[people.people["centre_id"].isin(CENTRES)], SECRETS[0]
    groups = [group for _, group in everybody.groupby(KEYS)]
    asked: list[list] = [[] for _ in groups]
    heard: list[list] = [[] for _ in groups]
    for prime in a.dice.choice(range(200, 2_000), QUESTIONS, replace=False).tolist():
        frame, disclosure = a.answer(parts(prime, secret))
        shown = frame.set_index([*KEYS, "part"])["n"].astype(float)
        for i, group in enumerate(groups):
            mine = part_of(months(group), prime)
            for number, part in enumerate(PARTS):
                count = shown.get((*group[KEYS].iloc[0], part), np.nan)
                if not np.isnan(count):
                    asked[i].append((mine == number).astype(float))
                    heard[i].append(count)
    score = Score(0, 0)
    for i, group in enumerate(groups):
        alone = ~group["birth_month"].duplicated(keep=False).to_numpy()
        variance = 0.0 if Defence.NOISE in a.out else disclosure.error**2
        found = solved(asked[i], heard[i], variance)
        score += a.mark(found[alone], group[secret].to_numpy(bool)[alone])
    return score


def months(group):
    return np.array([12 * born.year + born.month for born in group["birth_month"]])


def part_of(month, prime):
    """A third of the months each, at random."""
    return month * month % prime % len(PARTS)


def parts(prime, secret):
    p = seen("patients")
    p = marked(p.filter(p.centre_id.isin(CENTRES)), [secret])
    month = p.birth_month.year().cast("int64") * 12 + p.birth_month.month().cast("int64")
    number = part_of(month, prime)
    p = p.mutate(part=ibis.cases((number == 0, "a"), (number == 1, "b"), else_="c"))
    return p.group_by([*KEYS, "part"]).agg(n=p.patient_id.nunique(where=p[secret]))


def solved(asked, heard, variance):
    """How likely each is to have it, above or below one half: ridge regression on the coins' variance."""
    system, counts = np.array(asked), np.array(heard)
    size = system.shape[1]
    normal = system.T @ system + max(4 * variance, 0.01) * np.eye(size)
    return np.linalg.solve(normal, system.T @ (counts - system.sum(axis=1) / 2))


def test_succeeds_without_noise_and_ledger(play):
    assert play(solve, *BLUR).succeeds


def test_learns_little_in_so_many_questions(play):
    assert play(solve).is_within(LEARNT)
