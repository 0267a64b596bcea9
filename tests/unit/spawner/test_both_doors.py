"""A workspace's folder holds a socket of the gateway and one of the airlock; without the airlock it starts
all the same."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from hub_config.governance.bindings import Binding, write_binding
from hub_config.settings import Settings
from hub_config.sockets.control import create_control_app
from hub_config.sockets.listeners import AIRLOCK, GATEWAY, Listener, Listeners
from hub_config.spawner.gateway import GatewaySilent, open_workspace_socket, tell_airlock

LOG = logging.getLogger("spawner")
INES = Binding("b1", "ines", "these-ines", "these-ines")


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("nobody asks here")


@pytest.fixture
async def settings(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    """A runtime directory with Inès' workspace on record; a unix socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="p4dp") as short:
        monkeypatch.setenv("P4DP_RUNTIME_DIR", short)
        made = Settings(home=Path(short) / "home")
        for directory in (made.runtime_dir, made.sockets_dir):
            directory.mkdir(mode=0o700)
        write_binding(made.bindings_dir, INES)
        yield made


async def service(stack: AsyncExitStack, settings: Settings, name: str, control: Path) -> Listeners:
    listeners = Listeners(nothing, settings.bindings_dir, settings.sockets_dir, name)
    listening = await Listener.open(control, 0o600, create_control_app(listeners))
    stack.push_async_callback(listeners.close)
    stack.push_async_callback(listening.close)
    return listeners


async def test_both_listen_in_one_folder(settings: Settings) -> None:
    folder = settings.sockets_dir / INES.id
    async with AsyncExitStack() as stack:
        await service(stack, settings, GATEWAY, settings.gateway_control_socket)
        airlock = await service(stack, settings, AIRLOCK, settings.airlock_control_socket)
        await open_workspace_socket(settings.gateway_control_socket, folder)
        await tell_airlock(settings, LOG)
        assert sorted(path.name for path in folder.iterdir()) == ["airlock.sock", "gateway.sock"]
        airlock.clean()
        assert [path.name for path in folder.iterdir()] == ["gateway.sock"], "each clears away its own"


async def test_an_airlock_that_is_down_stops_no_workspace(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncExitStack() as stack:
        await service(stack, settings, GATEWAY, settings.gateway_control_socket)
        await open_workspace_socket(settings.gateway_control_socket, settings.sockets_dir / INES.id)
        await tell_airlock(settings, LOG)
    assert "airlock" in caplog.text


async def test_a_gateway_that_is_down_does(settings: Settings) -> None:
    with pytest.raises(GatewaySilent):
        await open_workspace_socket(settings.gateway_control_socket, settings.sockets_dir / INES.id)
