"""One unix socket for each running workspace, made and removed as bindings come and go, in one process.

The socket decides who is asking, so a socket is only made in a directory that nobody else can write: the
spawner made it, this enclave's user owns it, and the sandbox mounts that directory and no other. A stale
socket is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub_config.governance.bindings import Binding, read_bindings
from hub_config.sockets.doors import bound

GATEWAY: Final = "gateway.sock"  # names of the sockets in the folder of a workspace
AIRLOCK: Final = "airlock.sock"
_CONNECTIONS: Final = 64  # of one workspace at once
_GRACE_SECONDS: Final = 2
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_log = logging.getLogger(__name__)


class BindingError(Exception):
    """A binding that gets no socket. The message says what is wrong, and where."""


class _Protocol(H11Protocol):
    """HTTP/1.1 with a bound on the connections of one socket: one workspace can't take all file
    descriptors.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS:
            transport.abort()


@dataclass(frozen=True)
class Listener:
    """A listening socket and the server behind it."""

    path: Path
    server: uvicorn.Server

    @classmethod
    async def open(cls, path: Path, mode: int, app: ASGIApp) -> Listener:
        """Listen on `path`. Whoever can reach its directory can connect if `mode` lets them."""
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[_listening(path, mode)])
        return cls(path, server)

    async def close(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        await self.server.shutdown()


class Listeners:
    """One service's sockets, called `name`, of all workspaces on record."""

    def __init__(self, app: ASGIApp, bindings_dir: Path, sockets_dir: Path, name: str = GATEWAY) -> None:
        self._app = app
        self._name = name
        self._bindings_dir = bindings_dir
        self._sockets_dir = sockets_dir
        self._open: dict[str, tuple[Binding, Listener]] = {}
        self._lock = asyncio.Lock()

    @property
    def listening(self) -> tuple[str, ...]:
        return tuple(sorted(self._open))

    async def refresh(self) -> Mapping[str, str]:
        """Listen for exactly the bindings on record. Returns those refused, each with the reason."""
        async with self._lock:
            wanted = {binding.id: binding for binding in read_bindings(self._bindings_dir)}
            gone = [known for known, (binding, _) in self._open.items() if wanted.get(known) != binding]
            await asyncio.gather(*(self._close(known) for known in gone))
            return await self._open_missing(wanted)

    def clean(self) -> None:
        """Remove what an earlier service that was killed left behind. Before the first refresh only."""
        for path in self._sockets_dir.glob(f"*/{self._name}"):
            if _is_ours(path.parent):
                path.unlink()

    async def close(self) -> None:
        async with self._lock:
            await asyncio.gather(*(self._close(known) for known in list(self._open)))

    async def _open_missing(self, wanted: Mapping[str, Binding]) -> Mapping[str, str]:
        refused = {}
        for binding in wanted.values():
            if binding.id in self._open:
                continue
            try:
                path = _workspace_folder(self._sockets_dir, binding) / self._name
                listener = await Listener.open(path, 0o666, bound(self._app, binding))
                self._open[binding.id] = (binding, listener)
            except (BindingError, OSError) as error:
                refused[binding.id] = str(error)
                _log.error("no socket for binding %r: %s", binding.id, error)
        return refused

    async def _close(self, known: str) -> None:
        _, listener = self._open.pop(known)
        await listener.close()


def _workspace_folder(sockets_dir: Path, binding: Binding) -> Path:
    """Where the sockets of `binding` may stand. Raises BindingError unless its directory is ours alone."""
    if not _ID.fullmatch(binding.id):
        raise BindingError("its id is not a plain name")
    directory = sockets_dir / binding.id
    directory.mkdir(mode=0o711, exist_ok=True)
    if not _is_ours(directory):
        raise BindingError(f"{directory} must be a directory that only this enclave's user can write")
    return directory


def _is_ours(directory: Path) -> bool:
    status = directory.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _listening(path: Path, mode: int) -> socket.socket:
    """A listening socket at `path` with `mode` from its first moment; what stood there is removed."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening
