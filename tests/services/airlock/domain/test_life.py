"""The life of a request, from the first word to the download, on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from hub_config.airlock.actions import drafting, releasing, reviewing
from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.actions.releasing import Broken, Handed, Released, Reopened
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.releases.facts import State, Verdict
from hub_config.governance.releases.models import ReleaseReview
from hub_config.governance.releases.reading import record_of
from tests.services.airlock.domain.house import (
    DENIS,
    DIANE,
    INES,
    ODILE,
    SAFE,
    TABLE,
    UNVERIFIED,
    WORDS,
    House,
)


def test_two_approvals_release_exactly_these_bytes(house: House) -> None:
    request = house.submitted()
    assert house.facts(request).looks_needed == 2
    assert house.vote(request, DIANE).state is State.IN_REVIEW
    assert house.vote(request, DENIS).state is State.APPROVED
    assert isinstance(house.release(request), Released)
    handed = house.download(request)
    assert isinstance(handed, Handed)
    assert (handed.name, handed.content) == ("tableau1.csv", TABLE)
