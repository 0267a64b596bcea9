"""The airlock's sockets in all running workspaces, and its control socket, while the airlock's process lives.

A task of the airlock's service: `door(hub_api)` gives what `Service.tasks` runs. Bindings on record are
opened at start, so a restart of the airlock loses no workspace; the spawner tells of new ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starlette.types import ASGIApp

from hub_config.airlock.intake.app import Office, create_app
from hub_config.airlock.pages.desk import Desk
from hub_config.settings import Settings
from hub_config.sockets.control import create_control_app
from hub_config.sockets.hub import HubClient
from hub_config.sockets.listeners import AIRLOCK, Listener, Listeners
from hub_config.sockets.process import alone, own

_THREADS: Final = 8
_log = logging.getLogger(__name__)


def door(hub_api: str) -> Callable[[Desk], Awaitable[None]]:
    """`hub_api`: the hub's API address. What it gives runs until it is cancelled."""

    async def workspaces_door(desk: Desk) -> None:
        hub = HubClient(hub_api)
        with ThreadPoolExecutor(_THREADS, "intake") as workers:
            try:
                await _keep_open(desk.settings, create_app(Office(desk, hub, workers)))
            finally:
                await hub.close()

    return workspaces_door


async def _keep_open(settings: Settings, app: ASGIApp) -> None:
    own(settings.runtime_dir)
    with alone(settings.runtime_dir, "airlock"):
        settings.bindings_dir.mkdir(exist_ok=True, mode=0o700)
        settings.sockets_dir.mkdir(exist_ok=True, mode=0o711)
        listeners = Listeners(app, settings.bindings_dir, settings.sockets_dir, AIRLOCK)
        listeners.clean()
        await listeners.refresh()
        control_app = create_control_app(listeners, "airlock")
        control = await Listener.open(settings.airlock_control_socket, 0o600, control_app)
        _log.info("the airlock listens in %d workspaces", len(listeners.listening))
        try:
            await asyncio.Event().wait()
        finally:
            await control.close()
            await listeners.close()
