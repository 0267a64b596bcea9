"""Who may ask on which socket: every disagreement between socket and token is refused, and the hub is
asked each time.
"""

from __future__ import annotations

import httpx
import pytest

from hub_config.governance.bindings import Binding
from hub_config.sockets.identity import TokenOwner, is_bound
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave, Workspace

RIGHT = "custom:p4dp:query!server=ines/these-ines"

REFUSED = {
    "another person, same scope": ("rachid", "user", [RIGHT]),
    "a service that carries the person's name": ("ines", "service", [RIGHT]),
    "another of one's own servers": ("ines", "user", ["custom:p4dp:query!server=ines/bac-a-sable"]),
    "another person's server": ("ines", "user", ["custom:p4dp:query!server=rachid/these-ines"]),
    "the scope without its server": ("ines", "user", ["custom:p4dp:query"]),
    "the scope for all of one's servers": ("ines", "user", ["custom:p4dp:query!user=ines"]),
    "a longer server name": ("ines", "user", [RIGHT + "-2"]),
    "the server's own token": (
        "ines",
        "user",
        ["access:servers!server=ines/these-ines", "users:activity!user=ines"],
    ),
    "the person's login token": ("ines", "user", ["self", "inherit"]),
    "no scope": ("ines", "user", []),
}


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
@pytest.mark.parametrize("path", ["/v1/whoami", "/v1/catalogue"])
async def test_a_token_that_was_not_made_for_this_server_is_refused(
    enclave: Enclave, ines: Workspace, case: str, path: str
) -> None:
    user, kind, scopes = REFUSED[case]
    enclave.hub.give(ines.token, user, "these-ines", kind=kind, scopes=scopes)
    response = await ines.get(path)
    assert (response.status_code, response.json()["code"]) == (403, ErrorCode.WRONG_WORKSPACE)


@pytest.mark.parametrize("case", REFUSED, ids=list(REFUSED))
async def test_such_a_token_asks_no_question(enclave: Enclave, ines: Workspace, case: str) -> None:
    user, kind, scopes = REFUSED[case]
    enclave.hub.give(ines.token, user, "these-ines", kind=kind, scopes=scopes)
    response = await ines.post(b"{}")
    assert (response.status_code, response.json()["code"]) == (403, ErrorCode.WRONG_WORKSPACE)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic aW5lczp4", "Bearer unknown", "Bearer a b", f"Bearer {'x' * 5000}"],
)
async def test_a_token_the_hub_does_not_know_is_nobody(ines: Workspace, header: str | None) -> None:
    async with ines.client() as client:
        del client.headers["Authorization"]
        response = await client.get(
            "/v1/whoami", headers={"Authorization": header} if header is not None else {}
        )
    assert (response.status_code, response.json()["code"]) == (401, ErrorCode.NOT_AUTHENTICATED)


async def test_the_right_token_is_let_in(ines: Workspace) -> None:
    response = await ines.get("/v1/whoami")
    assert response.status_code == 200
    assert (response.json()["user"], response.json()["project"]) == ("ines", "these-ines")


async def test_a_withdrawn_token_ends_at_once(enclave: Enclave, ines: Workspace) -> None:
    async with ines.client() as client:
        assert (await client.get("/v1/whoami")).status_code == 200
        del enclave.hub.tokens[ines.token]
        assert (await client.get("/v1/whoami")).status_code == 401
    assert enclave.hub.asked == 2


async def test_a_hub_that_does_not_answer_lets_nobody_in(enclave: Enclave, ines: Workspace) -> None:
    enclave.hub.silent = True
    response = await ines.get("/v1/whoami")
    assert (response.status_code, response.json()["code"]) == (503, ErrorCode.IDENTITY_UNAVAILABLE)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(500, text="Internal error"),
        httpx.Response(302, headers={"Location": "/hub/login"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"name": "ines", "kind": "user"}),
    ],
    ids=["broken", "redirect", "not JSON", "not an object", "no scopes"],
)
async def test_a_hub_that_answers_nonsense_lets_nobody_in(
    enclave: Enclave, ines: Workspace, reply: httpx.Response
) -> None:
    enclave.hub.replies = reply
    response = await ines.get("/v1/whoami")
    assert (response.status_code, response.json()["code"]) == (503, ErrorCode.IDENTITY_UNAVAILABLE)


@pytest.mark.parametrize(
    ("server", "project"), [("these-ines", "modeles-rachid"), ("", ""), ("bac-a-sable", "these-ines")]
)
def test_a_server_of_another_name_than_its_project_is_never_bound(server: str, project: str) -> None:
    owner = TokenOwner("ines", True, frozenset({f"custom:p4dp:query!server=ines/{server}"}))
    assert not is_bound(owner, Binding("b", "ines", server, project))
