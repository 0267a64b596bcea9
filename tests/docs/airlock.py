"""The airlock's door in a workspace of the docs: the real application, domain and checks, beside the socket
of the real gateway, whose public keys it reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from hub_config.airlock.intake.app import Office, create_app
from hub_config.airlock.pages.desk import Desk
from hub_config.airlock.pseudonyms import Searched
from hub_config.airlock.shelf import Shelf
from hub_config.sockets.doors import bound
from hub_config.sockets.hub import HubClient
from hub_config.sockets.listeners import Listener
from p4dp_sdk.releases.airlock import SOCKET_NAME
from tests.services.gateway.peer_enclave import Workspace


@contextmanager
def airlock_beside(socket: Path, workspace: Workspace) -> Iterator[None]:
    """The airlock listens beside the gateway's `socket`, for this workspace."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with ThreadPoolExecutor(2) as workers:
        listener = asyncio.run_coroutine_threadsafe(_listen(socket, workspace, workers), loop).result(10)
        yield
        asyncio.run_coroutine_threadsafe(listener.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


async def _listen(socket: Path, workspace: Workspace, workers: ThreadPoolExecutor) -> Listener:
    enclave = workspace.enclave
    hub = HubClient("http://hub/hub/api", httpx.AsyncClient(transport=httpx.ASGITransport(app=enclave.hub)))
    shelf = Shelf(enclave.settings.releases_dir)
    desk = Desk(enclave.store, shelf, enclave.settings, lambda: datetime.now(UTC))
    office = Office(desk, hub, workers, search=lambda *_: Searched((), done=True))
    return await Listener.open(
        socket.with_name(SOCKET_NAME), 0o600, bound(create_app(office), workspace.binding)
    )
