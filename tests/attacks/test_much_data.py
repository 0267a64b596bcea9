"""Does the way in which much data is measured tell more than the way of little data?

Beyond some hundred thousand rows evidence is certified from samples and read whole only where that does not
suffice. Who is in a sample must change no verdict. So the attacks that live on verdicts, and on the noise of
rows and sums, are asked again on a gateway that measures everything as if it were much: the same cells must
be withheld, and the attacks find no more.
"""

from __future__ import annotations

from functools import partial

import pandas as pd
import pytest

from hub_config.gateway import protection
from hub_config.gateway.evidence import measure
from tests.attacks.arena import ONE_ANSWER, after
from tests.attacks.test_dominant_person import ATTACKS as DOMINANT
from tests.attacks.test_heavy_rows import ATTACKS as HEAVY
from tests.attacks.test_suppression_signal import AT_THE_LIMIT
from tests.attacks.test_third_practice import ATTACKS as PRACTICES

ONE_HEAVY = after(1, noise=1.0)
ATTACKS = {
    "limit": (AT_THE_LIMIT["alone"], ONE_ANSWER),
    "third practice": (PRACTICES["3 known"], ONE_ANSWER),
    "dominant person": (DOMINANT["sum_of_visits"], ONE_ANSWER),
    "heavy sums": (HEAVY["summed, 2 helpers"], ONE_HEAVY),
}


def noted(a, people, attack, heard):
    """`attack`, and all that it heard."""
    plain = a.answer

    def answer(*asked, **who):
        said = plain(*asked, **who)
        heard.append(said[0])
        return said

    a.answer = answer
    return attack(a, people)


def withheld(frame):
    keys = [name for name in frame if not name.startswith("n")]
    return frame.set_index(keys).sort_index().isna()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_cells_are_withheld_and_no_more_is_told(enter, people, play, monkeypatch, name):
    attack, bound = ATTACKS[name]
    little: list[pd.DataFrame] = []
    much: list[pd.DataFrame] = []
    with enter() as a:
        noted(a, people, attack, little)
    monkeypatch.setattr(protection, "measure", partial(measure, whole_up_to=-1))
    score = play(partial(noted, attack=attack, heard=much))
    for one, other in zip(little, much, strict=True):
        pd.testing.assert_frame_equal(withheld(one), withheld(other))
    assert score.is_within(bound)
