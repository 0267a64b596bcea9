"""The wrong key at the right door: a colleague of the same project at somebody's draft, a workspace's token
at the pages, a page's session in a workspace, a reviewer at a draft, an id of another project. Where a
defence can be taken out, the attack succeeds without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from hub_config.airlock.actions import drafting
from hub_config.airlock.intake import app
from hub_config.airlock.rules import permission
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import RequestFacts
from tests.pages import stranger
from tests.services.airlock.domain.house import RACHID
from tests.services.airlock.intake.conftest import WORDS, Door, door, house, ines
from tests.services.airlock_pages.little_airlock import File, LittleAirlock

__all__ = ["door", "house", "ines"]
TABLE = b"sexe;patients\r\nF;312\r\nM;400\r\n"


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "home")
    yield made
    made.desk.store.close()


async def draft(ines: httpx.AsyncClient) -> str:
    request = (await ines.post("/v1/requests", json=WORDS)).json()["id"]
    await ines.put(f"/v1/requests/{request}/files?name=a.csv", content=TABLE)
    return str(request)


async def meddles(colleague: httpx.AsyncClient, request: str) -> list[int]:
    """Read it, reword it, put a file in and take one out, send it, take it back."""
    at = f"/v1/requests/{request}"
    answers = [
        await colleague.get(at),
        await colleague.put(at, json=WORDS),
        await colleague.put(f"{at}/files?name=b.csv", content=TABLE),
        await colleague.delete(f"{at}/files/1"),
        await colleague.post(f"{at}/submit"),
        await colleague.delete(at),
    ]
    return [answer.status_code for answer in answers]


async def test_a_colleague_of_the_project_does_nothing_to_a_draft(
    door: Door, ines: httpx.AsyncClient
) -> None:
    door.house.join("these-ines", RACHID)
    colleague = door.of("rachid", "these-ines")

    def found(asked: app.Asked, id: str) -> RequestFacts:
        with asked.desk.store.session() as session:
            request = reading.find_request(session, id)
        assert request is not None
        return request

    def own(*_: object) -> None:
        return None

    with patch.object(app, "_found", found), patch.object(permission, "_why_not_own", own):
        assert set(await meddles(colleague, await draft(ines))) == {200}
    assert set(await meddles(colleague, await draft(ines))) == {404}


async def test_a_request_of_another_project_is_not_there(door: Door, ines: httpx.AsyncClient) -> None:
    """Rachid is a member of both projects; each socket knows its own."""
    door.house.join("these-ines", RACHID)
    request = await draft(door.of("rachid", "these-ines"))
    assert set(await meddles(door.of("rachid", "modeles-rachid"), request)) == {404}
    stolen = door.of("rachid", "these-ines", token="rachid/modeles-rachid")
    assert set(await meddles(stolen, request)) <= {401, 403}


async def test_a_session_of_the_pages_opens_no_workspace(door: Door, airlock: LittleAirlock) -> None:
    visit = airlock.visit("ines")
    session = visit.house.sessions.find(visit.cookies[visit.house.session_cookie])
    assert session is not None
    for token in (session.token, session.csrf, visit.cookies[visit.house.session_cookie]):
        client = door.of("ines", "these-ines", token=token)
        client.cookies.update(dict(visit.cookies))
        assert (await client.get("/v1/requests")).status_code == 401


def test_a_token_of_a_workspace_opens_no_page(airlock: LittleAirlock) -> None:
    request = airlock.sent(File())
    visit = stranger(airlock.app)
    for kind in ("Bearer", "token"):
        headers = {"Authorization": f"{kind} ines/these-ines"}
        shown = visit.get(f"/demandes/{request}", headers=headers)
        assert shown.status_code == 303 and "/hub/api/oauth2/authorize" in shown.headers["location"]
        assert visit.post(f"/demandes/{request}/retirer", headers=headers).status_code == 403


def test_a_reviewer_knows_of_no_draft(airlock: LittleAirlock) -> None:
    request = airlock.draft(File())
    diane, nowhere = airlock.visit("diane"), "d-22222222"
    for path in (
        "/relecture/%s",
        "/demandes/%s",
        "/dossiers/%s",
        "/relecture/%s/fichiers/1/images/0",
        "/relecture/%s/fichiers/1/dessin",
    ):
        answers = [diane.get(path % id) for id in (request, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text.replace(request, nowhere) == answers[1].text


def test_ids_are_not_to_be_guessed(airlock: LittleAirlock) -> None:
    """Eight letters of 29 by `secrets`: and to guess one opens nothing."""
    made = {airlock.draft() for _ in range(15)}
    assert len(made) == 15 and all(len(id) == 10 for id in made)
    assert len(set(drafting._ALPHABET)) ** 8 > 5e11
