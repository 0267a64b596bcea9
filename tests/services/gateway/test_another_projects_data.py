"""Attack: with the token of one's own server, read the data of another project through its socket.

The other project's socket is not mounted in the workspace; should a workspace reach it all the same, the
gateway refuses, since the token was made for another server. With that check taken out, the attack succeeds.
"""

from __future__ import annotations

import pytest

from hub_config.governance.facts import AccessLevel
from hub_config.sockets import identity
from p4dp_sdk.wire.errors import ErrorCode
from tests.services.gateway.peer_enclave import Enclave, Workspace, add_project, charter, opened, table


@pytest.fixture
def victim(enclave: Enclave) -> Workspace:
    """A microdata workspace of the same person: membership alone would let the thief in."""
    add_project(enclave, charter("donnees-sensibles", AccessLevel.MICRODATA, "ines"))
    return enclave.workspace("ines", "donnees-sensibles")


def on_the_socket_of(victim: Workspace, thief: Workspace) -> Workspace:
    return Workspace(victim.enclave, victim.binding, thief.token)


async def test_the_other_projects_rows_are_refused(ines: Workspace, victim: Workspace) -> None:
    response = await on_the_socket_of(victim, ines).ask(table("patients"))
    assert (response.status_code, response.json()["code"]) == (403, ErrorCode.WRONG_WORKSPACE)


async def test_another_persons_rows_are_refused(ines: Workspace, rachid: Workspace) -> None:
    response = await on_the_socket_of(rachid, ines).ask(table("patients"))
    assert (response.status_code, response.json()["code"]) == (403, ErrorCode.WRONG_WORKSPACE)


async def test_without_the_check_both_attacks_succeed(
    ines: Workspace, victim: Workspace, rachid: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "is_bound", lambda owner, binding: True)
    for socket in (victim, rachid):
        response = await on_the_socket_of(socket, ines).ask(table("patients"))
        assert response.status_code == 200
        assert opened(response.content)[0].num_rows == 549


async def test_the_attempt_is_on_record_against_the_socket(ines: Workspace, victim: Workspace) -> None:
    await on_the_socket_of(victim, ines).ask(table("patients"))
    event = victim.enclave.asked()[-1]
    assert (event.project, event.decision, event.details["code"]) == (
        "donnees-sensibles",
        "refused",
        "wrong-workspace",
    )
