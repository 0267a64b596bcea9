"""What goes to a browser is counted on the enclave's side, and much in a day is said at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub_config.spawner import launcher
from hub_config.spawner.egress import Egress
from hub_config.spawner.launcher import Meter
from hub_config.spawner.order import Sent, read_sent, write_sent
from hub_config.spawner.server_config.relay import relay_to


async def test_only_what_comes_back_is_counted(tmp_path: Path) -> None:
    counted: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"x" * 100_000)
        await writer.drain()
        writer.close()

    inner, outer = str(tmp_path / "in"), str(tmp_path / "out")
    async with await asyncio.start_unix_server(answer, inner) as _:
        relayed = relay_to(lambda: asyncio.open_unix_connection(inner), counted.append)
        async with await asyncio.start_unix_server(relayed, outer):
            reader, writer = await asyncio.open_unix_connection(outer)
            writer.write(b"ask")
            assert len(await reader.read(-1)) == 100_000
            writer.close()
    assert sum(counted) == 100_000


def test_a_day_s_limit_is_said_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Sent] = []
    monkeypatch.setattr(launcher, "_day", lambda: "2026-11-20")
    meter = Meter(1000, said.append)
    for _ in range(5):
        meter.add(400)
    assert said == [Sent(1200, "2026-11-20", 1200, True)]
    monkeypatch.setattr(launcher, "_day", lambda: "2026-11-21")
    meter.add(999)
    assert len(said) == 1
    meter.add(1)
    assert said[1] == Sent(3000, "2026-11-21", 1000, True)
    assert meter.sent() == Sent(3000, "2026-11-21", 1000, False)


async def test_the_spawner_hears_it_whatever_else_is_said() -> None:
    noted: list[Sent] = []

    async def note(sent: Sent) -> None:
        noted.append(sent)

    said = asyncio.StreamReader()
    passed, last = Sent(10, "2026-11-20", 10, True), Sent(25, "2026-11-20", 25, False)
    said.feed_data(write_sent(passed) + b"not json\n" + b'{"bytes": "x"}\n' + write_sent(last))
    said.feed_eof()
    assert await Egress(said, note).total() == 25
    assert noted == [passed]


async def test_a_launcher_that_died_said_nothing() -> None:
    async def note(sent: Sent) -> None:
        raise AssertionError(sent)

    said = asyncio.StreamReader()
    said.feed_data(b'{"bytes": 1')
    said.feed_eof()
    assert await Egress(said, note).total() is None
    assert read_sent(b'{"bytes": 1') is None
