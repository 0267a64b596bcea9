"""A picture leaves as its pixels: what a requester hid beside them is not in the file that is reviewed.

The attack is a file that shows one thing and carries another. With nothing written anew it leaves.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from hub_config.airlock.checks import inspect
from hub_config.airlock.intake import receiving
from tests.services.airlock.intake.conftest import Door
from tests.services.airlock.intake.test_intake import begun

HIDDEN = b"F;1950-03;K86"


def picture(form: str = "PNG", **saved: object) -> bytes:
    image = Image.new("RGB", (40, 30), "white")
    image.paste((200, 30, 30), (5, 5, 20, 25))
    out = io.BytesIO()
    image.save(out, form, **saved)
    return out.getvalue()


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    made = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + made + png[33:]


async def sent(client: httpx.AsyncClient, name: str, content: bytes) -> dict[str, object]:
    request = await begun(client)
    answer = await client.put(f"/v1/requests/{request}/files?name={name}", content=content)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def shelved(door: Door, file: dict[str, object]) -> bytes:
    return door.house.shelf.read(str(file["sha256"]))


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).convert("RGB").tobytes()


async def test_what_stands_beside_the_pixels_stays_behind(
    ines: httpx.AsyncClient, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = with_chunk(picture(dpi=(300, 300)), b"tEXt", b"Software\x00Matplotlib version" + HIDDEN)
    file = await sent(ines, "figure.png", content)
    released = shelved(door, file)
    assert HIDDEN not in released and pixels(released) == pixels(content)
    assert round(Image.open(io.BytesIO(released)).info["dpi"][0]) == 300
    assert "written-anew" in {each["rule"] for each in file["findings"]}
    monkeypatch.setattr(receiving, "inspect", lambda *a, **k: replace(inspect(*a, **k), anew=b""))
    monkeypatch.setattr(receiving, "WRITTEN_ANEW", frozenset())
    assert HIDDEN in shelved(door, await sent(ines, "figure.png", content)), "undefended, it leaves"


async def test_a_photograph_leaves_as_png(ines: httpx.AsyncClient, door: Door) -> None:
    file = await sent(ines, "figure.jpg", picture("JPEG", comment=HIDDEN))
    assert file["name"] == "figure.png" and HIDDEN not in shelved(door, file)
    assert shelved(door, file).startswith(b"\x89PNG")


async def test_a_file_written_anew_is_written_so_again(ines: httpx.AsyncClient, door: Door) -> None:
    once = await sent(ines, "figure.png", picture())
    again = await sent(ines, "figure.png", shelved(door, once))
    assert again["sha256"] == once["sha256"]
    assert "written-anew" not in {each["rule"] for each in again["findings"]}


async def test_a_box_that_writes_something_else_is_not_believed(
    ines: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_over(*args: object, **named: object) -> object:
        return replace(inspect(*args, **named), anew=with_chunk(picture(), b"tEXt", HIDDEN))

    monkeypatch.setattr(receiving, "inspect", taken_over)
    assert (await sent(ines, "figure.png", picture()))["checked"] == "quarantined"


async def test_what_stops_the_file_as_it_was_sent_stops_it_still(ines: httpx.AsyncClient) -> None:
    file = await sent(ines, "figure.png", picture() + HIDDEN)
    assert "trailing-bytes" in {each["rule"] for each in file["findings"]}


async def test_a_box_that_writes_nothing_is_not_believed(
    ines: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "inspect", lambda *a, **k: replace(inspect(*a, **k), anew=b""))
    assert (await sent(ines, "figure.png", picture()))["checked"] == "quarantined"
