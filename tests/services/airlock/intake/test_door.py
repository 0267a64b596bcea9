"""The airlock's task opens its sockets in running workspaces, and takes them away when it ends."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import httpx
import pytest

from hub_config.airlock.intake.door import door
from hub_config.airlock.pages.desk import Desk
from hub_config.governance.bindings import Binding, write_binding
from hub_config.sockets.process import StartError
from tests.services.airlock.domain.house import House


async def until(there: Path) -> None:
    while not there.is_socket():
        await asyncio.sleep(0.02)


async def test_it_listens_in_workspaces_while_it_lives(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="p4dp") as short:
        monkeypatch.setenv("P4DP_RUNTIME_DIR", short)
        settings = house.settings
        settings.runtime_dir.mkdir(mode=0o700)
        write_binding(settings.bindings_dir, Binding("b1", "ines", "these-ines", "these-ines"))
        desk = Desk(house.store, house.shelf, settings, lambda: house.now)
        keep_open = door("http://127.0.0.1:9/hub/api")
        task = asyncio.create_task(keep_open(desk))  # type: ignore[arg-type]
        socket = settings.sockets_dir / "b1" / "airlock.sock"
        await asyncio.wait_for(until(settings.airlock_control_socket), 60)
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://airlock", timeout=60) as client:
            refused = await client.get("/v1/requests")
            assert refused.status_code == 401, "no token"
        with pytest.raises(StartError, match="running already"):
            await keep_open(desk)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not socket.exists() and not settings.airlock_control_socket.exists()
