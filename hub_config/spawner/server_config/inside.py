"""The first program of a workspace's box: sets limits, puts the templates in the home, lets the proxy in,
runs the server.

Mounted read-only and started by `python -I`, before anything the user wrote; standard library only. It ends
when the server ends or when the launcher closes the line between them, and takes everything in the box along.

    python -I inside.py '{"listener": 5, "line": 6, "port": 8888, "limits": {…}, …}' COMMAND…
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub_config.spawner.server_config.relay import READY, Streams, relay_to
else:
    sys.path.insert(0, str(Path(__file__).parent))
    from relay import READY, Streams, relay_to

_LIMITS = {
    "processes": resource.RLIMIT_NPROC,
    "memory_bytes": resource.RLIMIT_AS,
    "file_bytes": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
    "core_bytes": resource.RLIMIT_CORE,
}


def set_limits(limits: Mapping[str, int]) -> None:
    """Soft and hard at once: without privilege on the host no one raises them again."""
    for name, value in limits.items():
        resource.setrlimit(_LIMITS[name], (value, value))


def copy_templates(templates: Path, home: Path) -> None:
    """Each template the home lacks.

    A user's file is never written over; a full disk is told and stops nothing.
    """
    for template in sorted(templates.glob("*.ipynb")):
        target = home / template.name
        if os.path.lexists(target):
            continue
        try:
            with target.open("xb") as file:
                file.write(template.read_bytes())
        except OSError as problem:
            print(f"P4DP: {template.name} not copied: {problem.strerror}", file=sys.stderr)
            with suppress(OSError):
                target.unlink()


def show_entries(entries: Path, home: Path) -> None:
    """A way from the home to what came in by the inbound airlock; whatever the user put there stays."""
    if entries.is_dir() and not os.path.lexists(home / "entrees"):
        with suppress(OSError):
            (home / "entrees").symlink_to(entries)


async def _connect_when_up(port: int) -> Streams:
    """Wait for the server rather than fail: the hub's first question then gets its answer the moment there is
    one."""
    for _ in range(1200):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
    raise TimeoutError


async def _stop(process: asyncio.subprocess.Process, grace: float) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()


async def run(order: Mapping[str, int], command: list[str]) -> int:
    line = socket.socket(fileno=order["line"])
    line.setblocking(False)
    listener = socket.socket(fileno=order["listener"])
    await asyncio.start_unix_server(relay_to(lambda: _connect_when_up(order["port"])), sock=listener)
    process = await asyncio.create_subprocess_exec(*command)  # its stdin is ours: nothing, or a run's job
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(line, READY)
    ended = asyncio.ensure_future(process.wait())
    hung_up = asyncio.ensure_future(loop.sock_recv(line, 1))
    await asyncio.wait({ended, hung_up}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        await _stop(process, order["grace"])
    hung_up.cancel()
    return await ended


def main() -> None:
    order, command = json.loads(sys.argv[1]), sys.argv[2:]
    set_limits(order["limits"])
    if order["templates"]:
        copy_templates(Path(order["templates"]), Path.home())
        show_entries(Path("/opt/p4dp/entrees"), Path.home())
    sys.exit(asyncio.run(run(order, command)) & 0xFF)


if __name__ == "__main__":
    main()
