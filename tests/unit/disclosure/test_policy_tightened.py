"""What a project's policy may say of the site's: stricter, or nothing."""

from __future__ import annotations

import pytest

from p4dp_sdk.disclosure.policy import Policy


def test_a_projects_policy_may_only_tighten_the_sites() -> None:
    site = Policy(min_patients=20, dominance_k=0.7)
    assert site.tightened({"min_patients": 30, "dominance_k": 0.5}).dominance_k == 0.5
    for looser in ({"min_patients": 19}, {"dominance_k": 0.8}, {"max_cells": 200_000}):
        with pytest.raises(ValueError, match="looser"):
            site.tightened(looser)


def test_a_site_that_became_stricter_holds_for_older_projects() -> None:
    older = {"min_patients": 15, "p_percent": 0.3, "method": "rounding"}
    combined = Policy(min_patients=20).strictest(older)
    assert (combined.min_patients, combined.p_percent, combined.method.value) == (20, 0.3, "rounding")
    with pytest.raises(ValueError, match="unknown policy key 'minimum'"):
        Policy().strictest({"minimum": 3})
