"""Which doors of the airlock and of the register the home page shows to whom."""

from __future__ import annotations

import pytest

from hub_config.governance.roles import Role
from hub_config.hub.offices import OFFICES, analyses, open_to
from hub_config.origins import SERVICES

BOTH = tuple(SERVICES)


def doors(*roles: Role) -> set[str]:
    return {door.path for office in open_to([role.value for role in roles], BOTH) for door in office.doors}


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        (Role.INTERNE, {"/demandes", "/", "/entrees"}, {"/relecture", "/journal", "/participation"}),
        (Role.MEDECIN_DIM, {"/relecture", "/demandes"}, {"/journal", "/relecteurs"}),
        (Role.DPO, {"/journal", "/droits", "/participation"}, {"/relecture"}),
        (Role.CSE, {"/", "/relecteurs"}, {"/journal", "/relecture"}),
        (Role.AQD, {"/participation"}, {"/journal", "/droits"}),
    ],
)
def test_each_role_finds_its_doors_and_not_those_of_others(role, shown, hidden):
    assert shown <= doors(role)
    assert not hidden & doors(role)


def test_nobody_comes_to_an_empty_page():
    assert all(doors(role) for role in Role)


def test_who_analyses_sees_their_projects_first():
    assert analyses(["interne"]) and analyses(["dpo", "chercheur"])
    assert not analyses(["dpo"]) and not analyses(["medecin-dim", "cse"]) and not analyses([])


def test_a_service_that_does_not_run_has_no_door():
    assert [office.service for office in open_to(["dpo"], ["register"])] == ["register"]
    assert open_to(["dpo"], []) == []


def test_who_has_no_role_has_no_door():
    assert open_to([], BOTH) == []


def test_offices_are_services_of_the_house():
    assert {office.service for office in OFFICES} == set(SERVICES)
