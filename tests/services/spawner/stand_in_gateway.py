"""Stands in for the gateway: reads the bindings when told to, and answers on each workspace's socket with its
binding.

python stand_in_gateway.py RUNTIME_DIR
"""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

RUNTIME = Path(sys.argv[1])
listening: dict[str, asyncio.Server] = {}


WHOAMI = {
    "title": "Sujet",
    "purpose": "Finalité",
    "expires_on": None,
    "access": "aggregate",
    "snapshot": {
        "number": 1,
        "source": "preset A",
        "synthetic": True,
        "reference_date": "2024-12-31",
        "first_date": "2020-01-01",
        "last_date": "2024-12-31",
    },
    "policy": {"min_patients": 11, "min_physicians": 3},
}


def answer(body: object) -> bytes:
    content = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n" + (
        b"Content-Length: %d\r\n\r\n" % len(content) + content
    )


async def refresh() -> dict[str, object]:
    wanted = {path.stem: json.loads(path.read_text()) for path in (RUNTIME / "bindings").glob("*.json")}
    for gone in set(listening) - set(wanted):
        listening.pop(gone).close()
    for new in set(wanted) - set(listening):
        path = RUNTIME / "s" / new / "gateway.sock"
        listening[new] = await asyncio.start_unix_server(
            saying(lambda binding=wanted[new]: {**WHOAMI, **binding}), path=path
        )
        path.chmod(0o666)
    return {"listening": sorted(listening), "refused": {}}


def saying(what):
    async def handle(reader, writer):
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            said = what()
            writer.write(answer(await said if asyncio.iscoroutine(said) else said))
            await writer.drain()
        writer.close()

    return handle


async def main() -> None:
    async with await asyncio.start_unix_server(saying(refresh), path=RUNTIME / "gateway.sock") as server:
        await server.serve_forever()


asyncio.run(main())
