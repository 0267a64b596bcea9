"""Two numbers under one noise, subtracted: what differs between them comes out exact.

Were rows and patients of the same people blurred by one draw, their difference, "contacts beyond the first",
would be exact; and with a pad of known people (`test_padding`) an exact number is all that is needed. The
secret is whether the victim came more than twice. (Of a population in which nobody comes a thousand times:
noise of rows would cover everything.)
"""

from __future__ import annotations

import numpy as np

from tests.attacks.arena import Defence, Score
from tests.attacks.population import is_one_of, pads, seen

KEYS = ["sex", "age_band"]
TURNS = 6


def beyond_the_first(a, people):
    score = Score(0, 0, base=2 / 3)
    for turn in range(TURNS):
        victims = people.victims(turn, KEYS)
        victims = victims[victims["visits"] <= 3]
        one, other = pads(a.dice, 2)
        more, less = extra(a, people, victims, one, False), extra(a, people, victims, other, True)
        found = more - less  # contacts of the victims beyond the first, if the pad spared them
        spared = ~victims["birth_month"].isin(one).to_numpy()
        cells = list(people.people.groupby(KEYS).groups)
        place = [cells.index(tuple(v)) for v in victims[KEYS].to_numpy()]
        guess = np.where(np.isnan(found[place]), -1.0, found[place] - 1.5)[spared]
        score += a.mark(guess, (victims["visits"] == 3).to_numpy()[spared], base=2 / 3)
    return score


def extra(a, people, victims, months, without):
    """Rows less patients of everybody but the pad, whose own are added back."""
    p, c = seen("patients"), seen("consultations")
    kept = p.filter(~p.birth_month.isin(months))
    kept = kept.filter(~is_one_of(kept, victims)) if without else kept
    rows = c.join(kept, "patient_id")
    frame = a.ask(rows.group_by(KEYS).agg(rows=rows.count(), patients=rows.patient_id.nunique()))
    frame = frame.set_index(KEYS).sort_index().astype(float)
    left = people.people[people.people["birth_month"].isin(months)]
    left = left.drop(victims.index, errors="ignore") if without else left
    known = (left["visits"] - 1).groupby([left[k] for k in KEYS]).sum().reindex(frame.index, fill_value=0)
    return (frame["rows"] - frame["patients"] + known).to_numpy(float, na_value=np.nan)


def test_succeeds_where_counts_share_a_draw(play):
    """The ledger out, too: it withholds some of what lies within one GP."""
    assert play(beyond_the_first, Defence.OWN_NOISE, Defence.MEMORY).succeeds


def test_fails(play):
    assert play(beyond_the_first).is_guessing
