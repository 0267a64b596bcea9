"""What goes to a browser is counted by the byte: over a websocket, which kernels answer on, as over plain
HTTP, and over all tabs together. What comes in is not."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from subprocess import Popen

import pytest

from hub_config.spawner.order import Order, Sent, Started, read_sent
from tests.services.spawner.test_launcher import PYTHON, launched, order  # noqa: F401  (a fixture)

FRAMES, FRAME = 40, 5000
TABS = 2
SERVER = f"""
import asyncio

async def page(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    if b"Upgrade: websocket" in head:
        writer.write(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n\\r\\n")
        await reader.readexactly(200_000)
        for _ in range({FRAMES}):
            writer.write(b"\\x82\\x7e" + ({FRAME}).to_bytes(2, "big") + bytes({FRAME}))
            await writer.drain()
            await asyncio.sleep(0)
    else:
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\npage")
        await writer.drain()
    writer.close()

async def main():
    await (await asyncio.start_server(page, "127.0.0.1", 8888)).serve_forever()

asyncio.run(main())
"""
UPGRADE = (
    b"GET /api/kernels/k/channels HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
)


def opened(port: int) -> socket.socket:
    """A tab whose websocket stands."""
    tab = socket.create_connection(("127.0.0.1", port), timeout=30)
    tab.sendall(UPGRADE)
    return tab


def received(tab: socket.socket) -> int:
    """The bytes that come until the server ends, after as many more were sent."""
    tab.sendall(bytes(200_000))
    count = 0
    with tab:
        while chunk := tab.recv(65536):
            count += len(chunk)
    return count


def words(process: Popen[bytes]) -> list[Sent]:
    """All that the launcher says of the bytes, to its end."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    return [sent for line in process.stdout if (sent := read_sent(line)) is not None]


def fetched(port: int) -> int:
    """The bytes of a page, as they come."""
    count = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as tab:
        tab.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while chunk := tab.recv(65536):
            count += len(chunk)
    return count


@pytest.mark.parametrize("daily", [0, 100_000])
def test_two_tabs_at_once_count_together_to_the_byte(order: Order, daily: int) -> None:  # noqa: F811
    serving = replace(order, command=(PYTHON, "-I", "-c", SERVER), daily_bytes=daily)
    with launched(serving) as (process, answer):
        assert isinstance(answer, Started)
        page = fetched(answer.port)
        tabs = [opened(answer.port) for _ in range(TABS)]
        with ThreadPoolExecutor(TABS) as at_once:
            counts = list(at_once.map(received, tabs))
        said = words(process)
    assert page > len("page") and min(counts) > FRAMES * FRAME, "each tab had all of it"
    assert said[-1].bytes == page + sum(counts)
    assert said[-1].day_bytes == said[-1].bytes, "by either tab, and nothing of what was sent in"
    passed = [each for each in said if each.passed]
    assert len(passed) == bool(daily), "said once, not once a tab"
    assert all(daily <= each.day_bytes < daily + 2 * 65536 for each in passed), "and when it happened"
