"""Claims to roles, as a table: what the provider asserts, what the enclave makes of it."""

from __future__ import annotations

import pytest

from hub_config.governance.roles import GROUPS, Role
from hub_config.identity.claims import Denied, FactorPolicy, Person, Reason, identify
from hub_config.identity.messages import DENIALS

DEMO = FactorPolicy(frozenset({"pwd", "otp", "mfa"}))
KEYCLOAK = FactorPolicy(frozenset({"mfa"}), frozenset({"gold", "2"}))
BOTH = {"sub": "x", "amr": ["pwd", "otp", "mfa"]}
INES = {"sub": "x", "preferred_username": "ines", "name": "Inès Martin", "groups": ["internes"]}


def told(identity=BOTH, policy=DEMO, **profile):
    decision = identify(identity, {**INES, **profile}, policy)
    return decision.reason if isinstance(decision, Denied) else sorted(decision.roles)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["internes"], [Role.INTERNE]),
        (["chercheurs", "medecins-dim"], [Role.CHERCHEUR, Role.MEDECIN_DIM]),
        (["/internes"], [Role.INTERNE]),  # as Keycloak writes full paths
        (["//internes"], Reason.NO_ROLE),
        (["/faculte/internes"], Reason.NO_ROLE),  # a group of the same name elsewhere gives nothing
        (["internes", "comptables"], [Role.INTERNE]),
        (["Internes"], Reason.NO_ROLE),
        (["interne"], Reason.NO_ROLE),  # the role's name is not a group
        ("internes", Reason.NO_ROLE),  # a text is not a list of groups
        ([["internes"]], Reason.NO_ROLE),
        ({"internes": True}, Reason.NO_ROLE),
        ([], Reason.NO_ROLE),
        (None, Reason.NO_ROLE),
    ],
)
def test_groups(groups, expected):
    assert told(groups=groups) == expected


@pytest.mark.parametrize(
    ("identity", "policy", "is_let_in"),
    [
        ({"amr": ["pwd", "otp", "mfa"]}, DEMO, True),
        ({"amr": ["otp", "mfa"]}, DEMO, False),  # Canaille's way round the password
        ({"amr": ["pwd"]}, DEMO, False),
        ({"amr": "pwd otp mfa"}, DEMO, False),
        ({"amr": []}, DEMO, False),
        ({}, DEMO, False),
        ({"acr": "2"}, DEMO, False),
        ({"amr": ["pwd", "mfa"]}, KEYCLOAK, True),
        ({"acr": "gold"}, KEYCLOAK, True),
        ({"acr": "2"}, KEYCLOAK, True),
        ({"acr": 2}, KEYCLOAK, False),
        ({"acr": "1"}, KEYCLOAK, False),
        ({"acr": ["gold"]}, KEYCLOAK, False),
        ({"amr": ["anything"]}, FactorPolicy(frozenset()), False),  # no policy lets nobody in
        ({"acr": ""}, FactorPolicy(frozenset()), False),
        ({}, FactorPolicy(frozenset()), False),
    ],
)
def test_second_factor(identity, policy, is_let_in):
    assert (told({"sub": "x", **identity}, policy) is not Reason.NO_SECOND_FACTOR) is is_let_in


@pytest.mark.parametrize("name", ["ines", "ines.martin", "ines-martin2", "i", "a" * 48])
def test_names_that_are_accepted(name):
    assert told(preferred_username=name) == [Role.INTERNE]


@pytest.mark.parametrize(
    "name",
    [
        "Ines", "inès", "ines@chu.fr", "../ines", "ines/modeles", "ines ", " ines", "ines\n", "1nes", ".ines",
        "ines.", "ines..m", "-ines", "ines!server=x", "a" * 49, "ines--x", "i\u0131nes",
    ],
)  # fmt: skip
def test_names_that_are_refused(name):
    assert told(preferred_username=name) is Reason.BAD_USERNAME


@pytest.mark.parametrize("name", ["svc-these-ines", "svc-modeles-rachid", "svc-x"])
def test_names_of_services_are_nobodys(name):
    """Attack: be known to the provider by the name that a project's runs work under."""
    assert told(preferred_username=name.replace("svc-", "svc")) == [Role.INTERNE], (
        "but for that, they come in"
    )
    assert told(preferred_username=name) is Reason.RESERVED_USERNAME


@pytest.mark.parametrize("name", [None, "", 7, ["ines"]])
def test_no_name(name):
    assert told(preferred_username=name) is Reason.NO_USERNAME


def test_a_person_without_a_full_name_is_called_by_their_user_name():
    assert identify(BOTH, {**INES, "name": None}, DEMO) == Person("ines", "ines", frozenset({Role.INTERNE}))


def test_every_role_can_be_had_and_every_reason_is_explained():
    assert set(GROUPS.values()) == set(Role)
    assert set(DENIALS) == set(Reason)
