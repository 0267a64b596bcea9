"""One process per workspace, on the enclave's side: starts the box, carries bytes in and out, and falls with
the hub.

    proxy → 127.0.0.1:<port> ─(here)→ in.sock ─(inside.py)→ 127.0.0.1:8888 in the box: the Jupyter server
    box → hub/hub.sock ─(here)→ the hub's API

The order comes on stdin (see `order`). Closing stdin stops the workspace: so does the hub's death, which
closes it too and besides kills this process, which kills the box. The box gets one listening unix socket and
one end of a socket pair, made here; it can name no socket of the host, and this process opens no path that
the box could have written.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from hub_config.boxes.confinement import die_with_parent
from hub_config.boxes.entrance import enter
from hub_config.spawner.order import NotStarted, Order, Sent, Started, write_answer, write_sent
from hub_config.spawner.server_config.relay import READY, Handler, Opener, Streams, relay_to

LOG_BUDGET = 256 * 1024  # bytes an hour of a workspace's own output that reach the hub's log
HUB_CONNECTIONS = 64
SAID_EVERY = 4 * 2**20  # bytes to the browser between two words of the meter
LONGEST_ORDER = 4 * 2**20
SHUT = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def hub_opener(url: str) -> Opener:
    parts = urlsplit(url)
    if parts.scheme == "http+unix":
        path = unquote(parts.netloc)
        return lambda: asyncio.open_unix_connection(path)
    host, port = parts.hostname, parts.port
    return lambda: asyncio.open_connection(host, port)


def at_most(connections: int, handler: Handler) -> Handler:
    """Refuse further connections instead of letting a workspace use up the hub's."""
    free = connections

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal free
        if free == 0:
            writer.close()
            return
        free -= 1
        try:
            await handler(reader, writer)
        finally:
            free += 1

    return handle


class BoxLog:
    """What the programs of the box print: hostile, so printable, bounded, and marked with whose it is; of a
    silent one, only that it did."""

    def __init__(self, label: str, *, silent: bool = False) -> None:
        self.label, self.silent = label, silent
        self.left = LOG_BUDGET
        self.hour = 0
        self.last: deque[str] = deque(maxlen=5)

    async def follow(self, output: asyncio.StreamReader) -> None:
        while chunk := await output.read(64 * 1024):
            for line in chunk.decode(errors="replace").splitlines():
                self._write("".join(c if c.isprintable() else "·" for c in line))

    def _write(self, line: str) -> None:
        self.last.append(line)
        if self.silent:
            self._note_silence()
            return
        if (hour := int(time.monotonic() // 3600)) != self.hour:
            self.hour, self.left = hour, LOG_BUDGET
        if self.left <= 0:
            return
        self.left -= len(line) + 1
        note = "" if self.left > 0 else " [P4DP: the rest of this hour's log is dropped]"
        print(f"[{self.label}] {line}{note}", file=sys.stderr, flush=True)

    def _note_silence(self) -> None:
        if self.left > 0:
            self.left = 0
            print(f"[{self.label}] [P4DP: what this run prints is not logged]", file=sys.stderr, flush=True)


class Meter:
    """Counts what goes to the browser, by whichever connection. The box can't touch it: what the server
    inside says of itself is not asked. It counts bytes as they travel, pages and programs of JupyterLab
    included, not what they mean; and says so every few megabytes, so that who is killed leaves a count. A
    clock set back begins no new day."""

    def __init__(self, daily_bytes: int, say: Callable[[Sent], None]) -> None:
        self.daily_bytes, self.say = daily_bytes, say
        self.total, self.today, self.day, self.passed = 0, 0, _day(), False
        self._said = 0

    def add(self, count: int) -> None:
        if (day := _day()) > self.day:
            self.day, self.today, self.passed = day, 0, False
        self.total += count
        self.today += count
        if self.daily_bytes and self.today >= self.daily_bytes and not self.passed:
            self.passed = True
            self._say(passed=True)
        elif self.total - self._said >= SAID_EVERY:
            self._say(passed=False)

    def _say(self, *, passed: bool) -> None:
        self._said = self.total
        self.say(self.sent(passed=passed))

    def sent(self, *, passed: bool = False) -> Sent:
        return Sent(self.total, self.day, self.today, passed)


def _day() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def _say(sent: Sent) -> None:
    with suppress(OSError):
        os.write(sys.stdout.fileno(), write_sent(sent))


class Workspace:
    """A box with its relays, from start to end."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.log = BoxLog(order.label, silent=order.silent)
        self.meter = Meter(order.daily_bytes, _say)
        self.line, self._far_end = socket.socketpair()
        self.entry = order.run_dir / "in.sock"

    async def start(self) -> Started | NotStarted:
        """Open the relays, start the box, and wait until its first program says it runs."""
        try:
            port = await self._open_relays()
            self.process = await self._start_box()
        except OSError as problem:
            return NotStarted(f"{problem.strerror}: {problem}")
        self.following = asyncio.ensure_future(self.log.follow(_output(self.process)))
        self.ended = asyncio.ensure_future(self.process.wait())
        if not await self._is_ready():
            await self.following
            return NotStarted("\n".join(self.log.last) or f"exit code {await self.ended}")
        return Started(port)

    async def _open_relays(self) -> int:
        if self.order.shut:
            return await _listening(_say_shut)
        hub_socket = self.order.run_dir / "hub" / "hub.sock"
        to_hub = at_most(HUB_CONNECTIONS, relay_to(hub_opener(self.order.hub)))
        await asyncio.start_unix_server(to_hub, path=hub_socket)
        hub_socket.chmod(0o666)  # the folders above are the enclave's alone; the box has its own user
        return await _listening(relay_to(self._into_box, self.meter.add))

    async def _into_box(self) -> Streams:
        return await asyncio.open_unix_connection(self.entry)

    async def _start_box(self) -> asyncio.subprocess.Process:
        with socket.socket(socket.AF_UNIX) as listener, self._far_end as far_end:
            listener.bind(str(self.entry))
            listener.listen(128)
            handles = (listener.fileno(), far_end.fileno())
            entrance = enter(self.order.box, self._command(*handles), uid=self.order.uid, keep_open=handles)
            try:
                process = await asyncio.create_subprocess_exec(
                    *entrance.command,
                    stdin=asyncio.subprocess.PIPE if self.order.told else asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    env=entrance.environment,
                    pass_fds=entrance.keep_open,
                    preexec_fn=entrance.before_exec,
                )
            finally:
                entrance.close()
        self.telling = asyncio.ensure_future(_tell(process, self.order.told))
        return process

    def _command(self, listener: int, line: int) -> tuple[str, ...]:
        order = self.order
        preparations = {
            "listener": listener,
            "line": line,
            "port": order.server_port,
            "limits": dict(order.limits),
            "templates": order.templates,
            "grace": order.grace,
        }
        return (order.python, "-I", order.preparations, json.dumps(preparations), *order.command)

    async def _is_ready(self) -> bool:
        self.line.setblocking(False)
        word = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(self.line, len(READY)))
        await asyncio.wait({word, self.ended}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        ready = word.done() and word.exception() is None and word.result() == READY
        word.cancel()
        if not ready:
            await self.stop()
        return ready

    async def stop(self) -> int:
        """Ask the server to close its kernels, then end the box whatever it does. The box's exit code."""
        self.line.close()
        await asyncio.wait({self.ended}, timeout=self.order.grace + 2)
        if not self.ended.done():
            with suppress(ProcessLookupError):
                self.process.kill()
        return await self.ended


async def supervise() -> int:
    stdin = asyncio.StreamReader(limit=LONGEST_ORDER)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    order = Order.from_json(await stdin.readline())
    die_with_parent(order.parent)
    workspace = Workspace(order)
    try:
        answer = await workspace.start()
        os.write(sys.stdout.fileno(), write_answer(answer))
        if isinstance(answer, NotStarted):
            return 1
        told_to_stop = asyncio.ensure_future(stdin.read())
        await asyncio.wait({told_to_stop, workspace.ended}, return_when=asyncio.FIRST_COMPLETED)
        status = await workspace.stop()
        _say(workspace.meter.sent())
        return status
    finally:
        shutil.rmtree(order.run_dir, ignore_errors=True)


async def _listening(handler: Handler) -> int:
    """The port of the loopback where `handler` answers."""
    entrance = await asyncio.start_server(handler, "127.0.0.1", 0)
    return int(entrance.sockets[0].getsockname()[1])


async def _say_shut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The hub asks whether its server is up, and is answered here: nothing of a run reaches a browser."""
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SHUT)
        await writer.drain()
    writer.close()


async def _tell(process: asyncio.subprocess.Process, text: str) -> None:
    if process.stdin is None:
        return
    with suppress(OSError):
        process.stdin.write(text.encode())
        await process.stdin.drain()
    process.stdin.close()


def _output(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise OSError("the box has no output to follow")
    return process.stdout


def main() -> None:
    os.umask(0o077)
    sys.exit(asyncio.run(supervise()) & 0xFF)


if __name__ == "__main__":
    main()
