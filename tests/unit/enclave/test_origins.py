"""Each workspace has an origin that no other has, whatever its names are."""

from __future__ import annotations

import itertools
import re

import pytest

from hub_config.identity.claims import USERNAME
from hub_config.origins import to_own_origin, workspace_label, workspace_origin

HUB = "http://p4dp.localhost:8000"
USERS = ["ines", "a", "a.b", "a-b", "a_b", "b", "w" * 48, "ines.martin-1"]
PROJECTS = ["these-ines", "a", "a--b", "b", "-a", "a-", "p" * 63, "bac-a-sable", "b--a"]


def test_no_two_workspaces_share_a_label() -> None:
    assert all(USERNAME.fullmatch(user) for user in USERS)
    pairs = list(itertools.product(USERS, PROJECTS))
    labels = {workspace_label(user, project) for user, project in pairs}
    assert len(labels) == len(pairs)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels)


def test_an_ordinary_origin_says_whose_it_is() -> None:
    assert workspace_origin(HUB, "ines", "these-ines") == "http://these-ines--ines.p4dp.localhost:8000"
    assert workspace_origin("https://p4dp.example.org", "ines", "x") == "https://x--ines.p4dp.example.org"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        (
            "http://ines.p4dp.localhost:8000/user/ines/these-ines/lab?x=1",
            "http://these-ines--ines.p4dp.localhost:8000/user/ines/these-ines/lab?x=1",
        ),
        ("/user/ines/these-ines", "http://these-ines--ines.p4dp.localhost:8000/user/ines/these-ines"),
        ("http://ines.p4dp.localhost:8000/user/ines/", "http://ines.p4dp.localhost:8000/user/ines/"),
        ("/hub/home", "/hub/home"),
        ("/hub/user/ines/these-ines/", "/hub/user/ines/these-ines/"),
    ],
)
def test_an_address_of_a_workspace_is_led_to_its_origin(url: str, own: str) -> None:
    assert to_own_origin(url, HUB) == own
    assert to_own_origin(own, HUB) == own
