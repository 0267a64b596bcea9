"""One socket a workspace, on real unix sockets: made, found, replaced, removed; and the process as the hub
starts it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import uvicorn

from hub_config.gateway.app import create_app
from hub_config.governance.bindings import Binding, remove_binding, write_binding
from hub_config.sockets.control import create_control_app
from hub_config.sockets.listeners import Listener, Listeners
from p4dp_sdk.wire.graph import encode
from tests.services.gateway.peer_enclave import Enclave, HubPeer, Workspace, endless, opened, table

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: a unix socket's has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="p4dp-", dir="/tmp") as directory:
        yield Path(directory)


@dataclass
class House:
    """The sockets of a running gateway."""

    listeners: Listeners
    bindings: Path
    sockets: Path
    control: Path

    def open(self, workspace: Workspace) -> Path:
        """What the spawner does: the directory, the record, and the question to the gateway."""
        (self.sockets / workspace.binding.id).mkdir(mode=0o711)
        write_binding(self.bindings, workspace.binding)
        return self.sockets / workspace.binding.id / "gateway.sock"

    async def refresh(self) -> dict[str, Any]:
        async with over(self.control) as client:
            return (await client.post("/v1/bindings/refresh")).json()


def over(path: Path, token: str | None = None) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers, timeout=60)


@pytest.fixture
async def house(enclave: Enclave, place: Path) -> AsyncIterator[House]:
    bindings, sockets = place / "bindings", place / "s"
    bindings.mkdir()
    sockets.mkdir()
    listeners = Listeners(create_app(enclave.gateway), bindings, sockets)
    control = await Listener.open(place / "control.sock", 0o600, create_control_app(listeners))
    yield House(listeners, bindings, sockets, place / "control.sock")
    await control.close()
    await listeners.close()


async def test_a_workspace_gets_its_socket_and_its_answers(house: House, rachid: Workspace) -> None:
    path = house.open(rachid)
    assert await house.refresh() == {"listening": [rachid.binding.id], "refused": {}}
    async with over(path, rachid.token) as client:
        assert (await client.get("/v1/whoami")).json()["user"] == "rachid"
        response = await client.post("/v1/query", content=encode(table("patients").count()))
    assert opened(response.content)[0].num_rows == 1


async def test_the_socket_decides_whose_workspace_it_is(
    house: House, ines: Workspace, rachid: Workspace
) -> None:
    paths = [house.open(workspace) for workspace in (ines, rachid)]
    await house.refresh()
    async with over(paths[0], ines.token) as own, over(paths[1], ines.token) as other:
        assert (await own.get("/v1/whoami")).json()["project"] == "these-ines"
        assert (await other.get("/v1/whoami")).json()["code"] == "wrong-workspace"


async def test_modes_let_the_workspace_in_and_nobody_into_control(house: House, ines: Workspace) -> None:
    path = house.open(ines)
    await house.refresh()
    assert path.stat().st_mode & 0o777 == 0o666
    assert house.control.stat().st_mode & 0o777 == 0o600


async def test_another_uid_reaches_the_socket_through_its_directory(house: House, ines: Workspace) -> None:
    """As in the sandbox: it holds the leaf directory only, and may be somebody else."""
    path = house.open(ines)
    await house.refresh()
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    child = os.fork()
    if child == 0:  # the workspace
        try:
            os.fchdir(directory)
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect("gateway.sock")
                request = f"GET /v1/whoami HTTP/1.0\r\nAuthorization: Bearer {ines.token}\r\n\r\n"
                connection.sendall(request.encode())
                os._exit(0 if b"200 OK" in connection.recv(1000) else 1)
        except BaseException:
            os._exit(2)
    os.close(directory)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


async def test_a_workspace_that_stops_loses_its_socket_and_its_connections(
    house: House, ines: Workspace
) -> None:
    path = house.open(ines)
    await house.refresh()
    async with over(path, ines.token) as client:
        assert (await client.get("/v1/whoami")).status_code == 200
        remove_binding(house.bindings, ines.binding.id)
        assert await house.refresh() == {"listening": [], "refused": {}}
        assert not path.exists()
        with pytest.raises(httpx.HTTPError):
            await client.get("/v1/whoami")


async def test_a_binding_that_changes_is_another_workspace(house: House, ines: Workspace) -> None:
    path = house.open(ines)
    await house.refresh()
    write_binding(house.bindings, Binding(ines.binding.id, "rachid", "modeles-rachid", "modeles-rachid"))
    await house.refresh()
    async with over(path, ines.token) as client:
        assert (await client.get("/v1/whoami")).json()["code"] == "wrong-workspace"


async def test_a_stale_socket_is_replaced(house: House, ines: Workspace) -> None:
    path = house.open(ines)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    await house.refresh()
    async with over(path, ines.token) as client:
        assert (await client.get("/v1/whoami")).status_code == 200


@pytest.mark.parametrize("trick", ["a link", "writable by others", "a file", "an id that climbs"])
async def test_no_socket_is_made_where_others_could_have_a_hand(
    house: House, ines: Workspace, place: Path, trick: str
) -> None:
    target = place / "elsewhere"
    target.mkdir()
    directory = house.sockets / ines.binding.id
    binding = ines.binding
    match trick:
        case "a link":
            directory.symlink_to(target)
        case "writable by others":
            directory.mkdir()
            directory.chmod(0o777)
        case "a file":
            directory.touch()
        case "an id that climbs":
            binding = Binding("../elsewhere", "ines", "these-ines", "these-ines")
            (house.bindings / "climbing.json").write_text(json.dumps(vars(binding)))
    if trick != "an id that climbs":
        write_binding(house.bindings, binding)
    answer = await house.refresh()
    assert answer["listening"] == []
    assert list(answer["refused"]) == [binding.id]
    assert list(target.iterdir()) == []


async def test_one_bad_binding_keeps_no_other_workspace_from_its_socket(
    house: House, ines: Workspace, rachid: Workspace
) -> None:
    house.open(rachid)
    (house.sockets / ines.binding.id).touch()
    write_binding(house.bindings, ines.binding)
    answer = await house.refresh()
    assert (answer["listening"], list(answer["refused"])) == ([rachid.binding.id], [ines.binding.id])


async def test_a_record_that_can_not_be_read_is_an_error_and_closes_nothing(
    house: House, ines: Workspace
) -> None:
    path = house.open(ines)
    await house.refresh()
    (house.bindings / "torn.json").write_text('{"id": "b')
    async with over(house.control) as client:
        assert (await client.post("/v1/bindings/refresh")).status_code == 500
    async with over(path, ines.token) as client:
        assert (await client.get("/v1/whoami")).status_code == 200


async def test_one_workspace_can_not_take_all_connections(
    house: House, ines: Workspace, rachid: Workspace
) -> None:
    crowded, free = house.open(ines), house.open(rachid)
    await house.refresh()
    taken = [await asyncio.open_unix_connection(str(crowded)) for _ in range(100)]
    cut = [await asyncio.wait_for(reader.read(1), 60) for reader, _ in taken[70:]]
    assert cut == [b""] * 30
    async with over(free, rachid.token) as client:
        assert (await client.get("/v1/whoami")).status_code == 200
    for _, writer in taken:
        writer.close()


async def test_a_client_that_hangs_up_stops_its_query(house: House, rachid: Workspace) -> None:
    path = house.open(rachid)
    await house.refresh()
    reader, writer = await asyncio.open_unix_connection(str(path))
    body = encode(endless())
    head = f"POST /v1/query HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {rachid.token}\r\n"
    writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await asyncio.sleep(0.7)
    assert rachid.enclave.asked() == []
    writer.close()
    await writer.wait_closed()
    ends = time.monotonic() + 200
    while not rachid.enclave.asked() and time.monotonic() < ends:
        await asyncio.sleep(0.05)
    assert rachid.enclave.asked()[-1].details["code"] == "client-gone"
    assert reader.at_eof() or await reader.read() == b""


async def test_health(house: House, ines: Workspace) -> None:
    house.open(ines)
    await house.refresh()
    async with over(house.control) as client:
        assert (await client.get("/v1/health")).json() == {"status": "ok", "listening": 1}


# --- the process -------------------------------------------------------------------------------------------


@pytest.fixture
def hub(enclave: Enclave) -> Iterator[str]:
    """The address of a hub's API, on a real port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(HttpOnly(enclave.hub), log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hub/api"
        server.should_exit = True
        thread.join()


@dataclass
class HttpOnly:
    peer: HubPeer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.peer(scope, receive, send)


@dataclass
class Process:
    """`python -m hub_config.gateway` on the test's enclave."""

    environment: dict[str, str]
    runtime: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.running = subprocess.Popen(
            [sys.executable, "-m", "hub_config.gateway"], env=self.environment, stderr=subprocess.PIPE
        )
        ends = time.monotonic() + 200
        while time.monotonic() < ends and self.running.poll() is None:
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(str(self.runtime / "gateway.sock"))
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.running.communicate()[1].decode())

    async def works(self) -> None:
        """Until it works on what was asked last, and not only on reading it."""
        assert self.running is not None
        watched, ends = psutil.Process(self.running.pid), time.monotonic() + 200
        before = watched.cpu_times().user
        while watched.cpu_times().user < before + 4 and time.monotonic() < ends:
            await asyncio.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        assert self.running is not None
        self.running.send_signal(number)
        self.running.communicate(timeout=60)
        return self.running.returncode


@pytest.fixture
def process(
    enclave: Enclave, warehouse: Path, hub: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Process]:
    monkeypatch.setenv("P4DP_RUNTIME_DIR", str(place))
    home = enclave.settings.home
    (home / "warehouse").symlink_to(warehouse)
    enclave.settings.sockets_dir.mkdir(parents=True)
    environment = {"P4DP_HOME": str(home), "P4DP_RUNTIME_DIR": str(place), "JUPYTERHUB_API_URL": hub}
    started = Process({**environment, "PATH": os.environ["PATH"]}, enclave.settings.runtime_dir)
    yield started
    if started.running is not None and started.running.poll() is None:
        started.running.kill()
        started.running.communicate()


async def test_the_process_serves_survives_a_kill_and_stops_on_request(
    enclave: Enclave, process: Process, rachid: Workspace
) -> None:
    settings = enclave.settings
    path = settings.sockets_dir / rachid.binding.id / "gateway.sock"
    path.parent.mkdir(mode=0o711)
    write_binding(settings.bindings_dir, rachid.binding)
    for end in (
        signal.SIGKILL,
        signal.SIGTERM,
    ):  # what the kill leaves behind must not keep the next from starting
        await asyncio.to_thread(process.start)
        async with over(path, rachid.token) as client:
            response = await client.post("/v1/query", content=encode(table("patients").count()), timeout=30)
        assert opened(response.content)[0].num_rows == 1
        status = await asyncio.to_thread(process.end, end)
    assert status == 0
    assert not path.exists()
    assert not settings.gateway_control_socket.exists()
    assert [event.decision for event in enclave.asked()] == ["allowed", "allowed"]


async def test_a_running_query_keeps_it_from_stopping_no_longer_than_its_grace(
    enclave: Enclave, process: Process, rachid: Workspace
) -> None:
    settings = enclave.settings
    path = settings.sockets_dir / rachid.binding.id / "gateway.sock"
    path.parent.mkdir(mode=0o711)
    write_binding(settings.bindings_dir, rachid.binding)
    await asyncio.to_thread(process.start)
    async with over(path, rachid.token) as client:
        asking = asyncio.create_task(client.post("/v1/query", content=encode(endless()), timeout=200))
        await process.works()
        assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
        assert (await asking).json()["code"] == "gateway-unreachable"
    assert enclave.asked()[-1].details["code"] == "shutdown"


async def test_a_second_gateway_does_not_take_the_sockets_of_the_first(process: Process) -> None:
    await asyncio.to_thread(process.start)
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "hub_config.gateway"],
        env=process.environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert second.returncode == 1
    assert "running already" in second.stderr
    async with over(process.runtime / "gateway.sock") as client:
        assert (await client.get("/v1/health")).status_code == 200


def test_sockets_of_workspaces_long_gone_are_removed_at_the_start(place: Path, enclave: Enclave) -> None:
    (place / "s" / "old").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(place / "s" / "old" / "gateway.sock"))
    Listeners(create_app(enclave.gateway), place, place / "s").clean()
    assert list((place / "s" / "old").iterdir()) == []


def test_without_a_hub_it_says_so_and_does_not_start(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hub_config.gateway"],
        env={"P4DP_HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ended.returncode == 1
    assert "JUPYTERHUB_API_URL is not set" in ended.stderr
    assert "Traceback" not in ended.stderr
