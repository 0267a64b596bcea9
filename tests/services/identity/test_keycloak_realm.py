"""The realm file for Keycloak says what the hub relies on.

(No Keycloak runs here: its form is checked, and our half.)
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub_config.governance.roles import GROUPS, Role
from hub_config.identity.claims import FactorPolicy, Person, identify
from hub_config.identity.provider import SCOPES

REALM = Path(__file__).parents[3] / "images" / "keycloak" / "p4dp-realm.json"


@pytest.fixture(scope="module")
def realm():
    return json.loads(REALM.read_text())


@pytest.fixture(scope="module")
def client(realm):
    (client,) = realm["clients"]
    return client


def test_its_groups_are_those_that_give_roles(realm):
    assert {group["name"] for group in realm["groups"]} == set(GROUPS)


def test_the_client_knows_one_grant(client):
    assert client["standardFlowEnabled"] is True
    closed = ("publicClient", "implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled")
    assert not any(client[name] for name in closed)
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["redirectUris"] == ["https://p4dp.example.org/hub/oauth_callback"]


def test_a_second_factor_cannot_be_left_out(realm, client):
    levels = {
        c["config"]["loa-condition-level"]
        for c in realm["authenticatorConfig"]
        if "loa-condition-level" in c["config"]
    }
    assert levels == {"1", "2"}
    assert client["attributes"]["minimum.acr.value"] == client["attributes"]["default.acr.values"] == "2"


def test_every_scope_the_hub_asks_for_is_the_clients(realm, client):
    assert set(SCOPES) - {"openid"} <= set(client["defaultClientScopes"])
    assert set(client["defaultClientScopes"]) == {scope["name"] for scope in realm["clientScopes"]}


def test_every_flow_and_setting_it_names_is_there(realm):
    flows = {flow["alias"]: flow for flow in realm["authenticationFlows"]}
    settings = {config["alias"] for config in realm["authenticatorConfig"]}
    assert realm["browserFlow"] in flows
    for flow in flows.values():
        for step in flow["authenticationExecutions"]:
            assert step.get("flowAlias", next(iter(flows))) in flows
            assert step.get("authenticatorConfig", next(iter(settings))) in settings


def test_the_claims_the_hub_reads_are_mapped(realm, client):
    mapped = {
        mapper["protocolMapper"]
        for scope in realm["clientScopes"]
        if scope["name"] in client["defaultClientScopes"]
        for mapper in scope["protocolMappers"]
    }
    wanted = ("sub", "usermodel-attribute", "group-membership", "acr", "amr")
    assert {f"oidc-{name}-mapper" for name in wanted} <= mapped


@pytest.mark.parametrize("evidence", [{"acr": "2"}, {"acr": "1", "amr": ["pwd", "otp"]}])
def test_what_such_a_realm_says_lets_a_person_in(evidence):
    policy = FactorPolicy(frozenset({"pwd", "otp"}), frozenset({"2"}))
    profile = {
        "sub": "f:1:ines",
        "preferred_username": "ines",
        "name": "Inès Martin",
        "groups": ["/internes"],
    }
    assert identify({"sub": "f:1:ines", **evidence}, profile, policy) == Person(
        "ines", "Inès Martin", frozenset({Role.INTERNE})
    )
