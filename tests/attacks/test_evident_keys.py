"""All but a few of a group are women: is the number of the women a disclosure?

It was withheld as nearly unanimous. That protected nobody: whoever knows somebody of the group knows their
sex, and of the men their own cell tells what there is to tell. But it made the women's cell an oracle of how
many men there are, and took it from every study of breast cancer. So a key that is *evident* (sex, age band:
columns of the catalogue, as they are) is no margin to be unanimous along. What was made of it still is one.
Homogeneity discloses a *sensitive* value: Machanavajjhala et al., "ℓ-diversity", ACM TKDD 1(1), 2007.
"""

from __future__ import annotations

import ibis
import numpy as np
import pytest

from hub_config.gateway.rules.plan import Release, margins_of
from tests.attacks.population import SECRETS, having, is_one_of, seen

FEW, MANY = 2, 40


@pytest.fixture
def group(people):
    """The women of one band, and some men of it."""
    of_band = people.known[people.known["age_band"] == "40-49"]
    women, men = (of_band[of_band["sex"] == sex] for sex in "FM")
    assert len(men) >= MANY
    return lambda count: (women, men.head(count))


@pytest.fixture
def women(enter, group):
    """What a fresh gateway says of the women, asked with so many men; `key` makes the key of the table."""

    def heard(count, key=lambda p: p.sex):
        chosen, men = group(count)
        p = seen("patients")
        asked = p.filter(is_one_of(p, chosen) | is_one_of(p, men))
        with enter() as a:
            frame = a.ask(asked.group_by(key=key(asked)).agg(n=asked.patient_id.nunique()))
        return frame.set_index("key")["n"].astype(float).get("F", np.nan)

    return heard


def test_the_women_told_how_many_men_there_are(women, monkeypatch):
    monkeypatch.setattr(Release, "margins", property(lambda r: margins_of(r.keys, r.domains)))
    assert np.isnan(women(FEW)) and not np.isnan(women(MANY))


def test_the_women_tell_nothing_of_the_men(women):
    """The same number, with every number of men."""
    assert women(0) == women(FEW) == women(MANY)


@pytest.mark.parametrize("count", [0, FEW])
def test_what_is_not_evident_is_still_a_margin(women, count):
    """A key that only looks like the sex carries a secret: nearly all would be known to be without it."""
    assert np.isnan(women(count, lambda p: ibis.ifelse(having(p, SECRETS[0]) & (p.sex == "M"), "ill", "F")))
