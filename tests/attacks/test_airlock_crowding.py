"""One workspace takes what is everybody's: places to send files, room on the shelf, memory. Each hinders
others with the defence taken out, and only itself with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from hub_config.airlock.actions import drafting
from hub_config.airlock.intake import bodies, picking
from hub_config.airlock.intake.app import Office
from hub_config.airlock.intake.picking import Turns
from tests.services.airlock.intake.conftest import WORDS, Door, door, house, ines
from tests.services.airlock_pages.little_airlock import LittleAirlock

__all__ = ["door", "house", "ines"]
TABLE = b"sexe;patients\r\nF;312\r\nM;400\r\n"


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "pages")
    yield made
    made.desk.store.close()


async def begun(client: httpx.AsyncClient) -> str:
    return str((await client.post("/v1/requests", json=WORDS)).json()["id"])


async def sends_meanwhile(door: Door, ines: httpx.AsyncClient, patience: float) -> bool:
    """Whether Inès can send a file while Rachid sends four that do not come to an end. The checks of hers
    take a second or two, on a busy machine many more."""
    rachid, released = door.of("rachid", "modeles-rachid"), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"a"
        await released.wait()

    his, hers = await begun(rachid), await begun(ines)
    slow = [
        asyncio.create_task(rachid.put(f"/v1/requests/{his}/files?name={n}.csv", content=slowly()))
        for n in range(4)
    ]
    await asyncio.sleep(0.2)
    sending = asyncio.create_task(ines.put(f"/v1/requests/{hers}/files?name=a.csv", content=TABLE))
    done, _ = await asyncio.wait([sending], timeout=patience)
    released.set()
    await asyncio.gather(sending, *slow)
    return sending in done


async def test_slow_uploads_keep_nobody_else_waiting(door: Door, ines: httpx.AsyncClient) -> None:
    shared = asyncio.Semaphore(3)
    with patch.object(Office, "upload_of", lambda self, user: shared):
        assert not await sends_meanwhile(door, ines, patience=4)
    assert await sends_meanwhile(door, ines, patience=120)


async def fills(client: httpx.AsyncClient) -> int:
    """How often somebody sends a file, takes the request back, and begins anew."""
    for done in range(4):
        request = await begun(client)
        sent = await client.put(f"/v1/requests/{request}/files?name=a.csv", content=TABLE)
        await client.delete(f"/v1/requests/{request}")
        if sent.status_code == 429:
            assert sent.json()["code"] == "too-many-bytes-today"
            return done
    return 4


async def test_nobody_fills_the_shelf_with_what_they_take_back(
    door: Door, ines: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "MOST_BYTES_A_DAY", 2 * 1024**2)
    with patch.object(Turns, "note_bytes", lambda self, user, size: None):
        assert await fills(ines) == 4
    assert await fills(ines) == 2, "a file counts as a megabyte at least"
    assert await fills(door.of("rachid", "modeles-rachid")) == 2, "another person has their own"


async def held(client: httpx.AsyncClient) -> int:
    """How many of 40 pieces of a request's words the airlock takes in."""
    taken = 0

    async def words() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b'{"title":"'
        while taken < 40:
            taken += 1
            yield b"x" * 65_536

    await client.post("/v1/requests", content=words(), headers={"content-type": "application/json"})
    return taken


async def test_words_without_end_are_not_held(
    ines: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await held(ines) < 10
    monkeypatch.setattr(bodies, "MOST_WORDS", 10**9)
    assert await held(ines) == 40


def opened(airlock: LittleAirlock, words: dict[str, str]) -> int:
    """Drafts that Inès has after she begins 5 by the page, and takes up again what she took back."""
    ines = airlock.visit("ines")
    for _ in range(5):
        ines.post("/demandes/nouvelle", {"project": "these-ines", **words})
    withdrawn = airlock.sent(by="rachid", project="modeles-rachid")
    rachid = airlock.visit("rachid")
    rachid.post(f"/demandes/{withdrawn}/retirer")
    for _ in range(5):
        rachid.post(f"/demandes/{withdrawn}/reprendre")
    return sum(len(re.findall(r'href="/demandes/d-', each.get("/demandes").text)) for each in (ines, rachid))


def test_drafts_are_bounded_by_every_way_to_one(airlock: LittleAirlock) -> None:
    words = {"title": "T", "purpose": "", "context": "", "controls": ""}
    with patch.object(drafting, "MOST_OPEN", 2):
        bounded = opened(airlock, words)
    assert opened(airlock, words) >= bounded + 10
    assert bounded == 2 * 2 + 1, "two each, and the one that was taken back"
