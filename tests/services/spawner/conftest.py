"""A small real JupyterHub with the real spawner, store and sandbox; only the gateway is a stand-in."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import websocket

from hub_config.boxes.confinement import become, open_the_way
from hub_config.governance import actions
from hub_config.governance.store import open_store
from hub_config.settings import load_settings

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
NOBODY = 65534
CELL = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "execution_count": None}
TEMPLATE = {
    "cells": [CELL | {"source": "print(6 * 7, 'est la réponse')"}],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def until(what: Any, seconds: float = 180.0) -> Any:
    """Wait for `what()` to be true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"not within {seconds} seconds")


def processes_with(mark: str) -> list[int]:
    """Processes of this machine with `mark` on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@dataclass
class SmallHub:
    directory: Path
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    hub: subprocess.Popen[bytes] | None = None
    gateway: subprocess.Popen[bytes] | None = None
    as_root: bool = True
    admission_interval: int = 1

    def _dropping(self) -> Callable[[], None] | None:
        """Before exec: become nobody, who still finds the interpreter in root's home."""
        if self.as_root:
            return None
        needed = [Path(sys.base_prefix), CHECKOUT, self.directory]

        def drop() -> None:
            os.umask(0o022)
            open_the_way(needed)
            become(NOBODY)

        return drop

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(CHECKOUT),
            "P4DP_HOME": str(self.directory / "state"),
            "P4DP_RUNTIME_DIR": str(self.directory),
            "SMALL_HUB_DIR": str(self.directory),
            "SMALL_HUB_PORTS": ",".join(map(str, self.ports)),
            "SMALL_HUB_TOKEN": self.token,
            "SMALL_HUB_ADMISSION_INTERVAL": str(self.admission_interval),
            "JUPYTERHUB_CRYPT_KEY": "5e" * 32,
        }

    @property
    def settings(self) -> Any:
        os.environ["P4DP_RUNTIME_DIR"] = str(self.directory)
        return load_settings({"P4DP_HOME": str(self.directory / "state")})

    @property
    def runtime_dir(self) -> Path:
        """Its name holds the user's id, and the hub's may be nobody's."""
        uid = os.geteuid() if self.as_root else NOBODY
        return self.settings.runtime_dir.with_name(self.settings.runtime_dir.name.replace("-0-", f"-{uid}-"))

    @property
    def log(self) -> str:
        return (self.directory / "hub.log").read_text()

    def start_gateway(self) -> None:
        command = [sys.executable, str(HERE / "stand_in_gateway.py"), str(self.runtime_dir)]
        self.gateway = subprocess.Popen(command, preexec_fn=self._dropping())
        until((self.runtime_dir / "gateway.sock").exists)

    def start_hub(self) -> None:
        command = [sys.executable, "-m", "jupyterhub", "-f", str(HERE / "small_hub_config.py")]
        with (self.directory / "hub.log").open("ab") as log:
            self.hub = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=log,
                preexec_fn=self._dropping(),
            )
        until(self._answers)

    def _answers(self) -> bool:
        if self.hub is not None and self.hub.poll() is not None:
            raise RuntimeError(f"the hub ended:\n{self.log[-3000:]}")
        try:
            return httpx.get(f"{self.url}/hub/api", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def ask(self, method: str, path: str, *, token: str = "", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"token {token or self.token}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=90, **options)

    def start_server(self, user: str, project: str) -> httpx.Response:
        self.ask("POST", f"/hub/api/users/{user}")
        started = self.ask("POST", f"/hub/api/users/{user}/servers/{project}")
        if started.status_code == 202:
            until(lambda: self.server(user, project).get("ready") or not self.server(user, project))
        return started

    def server(self, user: str, project: str) -> dict[str, Any]:
        return self.ask("GET", f"/hub/api/users/{user}").json()["servers"].get(project, {})

    def run(self, user: str, project: str, code: str) -> str:
        """What `code` prints in a new kernel of this server, as the browser would have it run."""
        base = f"/user/{user}/{project}"
        kernel = self.ask("POST", f"{base}/api/kernels").json()["id"]
        url = f"ws://127.0.0.1:{self.ports[0]}{base}/api/kernels/{kernel}/channels"
        connection = websocket.create_connection(
            url, header=[f"Authorization: token {self.token}"], timeout=60
        )
        try:
            request = _execute(code)
            connection.send(json.dumps(request))
            return _printed(connection, request["header"]["msg_id"])
        finally:
            connection.close()
            self.ask("DELETE", f"{base}/api/kernels/{kernel}")

    def stop_hub_and_its_proxy(self) -> None:
        """Also after a kill of the hub, which orphans this small hub's traefik; the enclave's own is not."""
        self._end(self.hub)
        for pid in processes_with(str(self.directory / "traefik.toml")):
            os.kill(pid, signal.SIGKILL)

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        self.stop_hub_and_its_proxy()
        self._end(self.gateway)


def _execute(code: str) -> dict[str, Any]:
    header = {"msg_id": secrets.token_hex(8), "msg_type": "execute_request", "username": "", "session": "s"}
    header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}


def _printed(connection: Any, request: str) -> str:
    """What the kernel prints until it says that it is idle again, having run this request."""
    printed = ""
    while True:
        message = json.loads(connection.recv())
        kind = message["header"]["msg_type"]
        if message["parent_header"].get("msg_id") != request:
            continue
        if kind == "stream":
            printed += message["content"]["text"]
        elif kind == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))
        elif kind == "status" and message["content"]["execution_state"] == "idle":
            return printed


def launchers(hub: SmallHub) -> list[int]:
    assert hub.hub is not None
    return [pid for pid in processes_with("hub_config.spawner.launcher") if parent_of(pid) == hub.hub.pid]


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:  # it ended meanwhile
        return 0


def descendants(pid: int) -> list[int]:
    children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [below for child in children for below in descendants(child)]


def gone(pids: list[int]) -> bool:
    return not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.fixture(scope="module")
def small_hub() -> Iterator[SmallHub]:
    """As whoever runs the tests: as root, each workspace has a user of its own."""
    yield from a_hub(as_root=True)


@pytest.fixture(scope="module")
def small_hub_without_root() -> Iterator[SmallHub]:
    """As nobody, if root runs the tests."""
    yield from a_hub(as_root=os.geteuid() != 0)


@pytest.fixture(scope="module")
def small_hub_that_looks_once() -> Iterator[SmallHub]:
    """Undefended: the right to a workspace is looked up when it starts, and not again."""
    yield from a_hub(as_root=True, admission_interval=10**6)


def a_hub(*, as_root: bool, admission_interval: int = 1) -> Iterator[SmallHub]:
    directory = Path(tempfile.mkdtemp(prefix="p4h-"))
    (directory / "templates").mkdir()
    (directory / "templates" / "prise-en-main.ipynb").write_text(json.dumps(TEMPLATE))
    os.environ.pop("P4DP_CONFIG", None)
    hub = SmallHub(directory, as_root=as_root, admission_interval=admission_interval)
    hub.runtime_dir.mkdir(mode=0o700)
    store = open_store(hub.settings)
    with store.change() as session:
        actions.ensure_demo(session, 1, synthetic=True, audit=store.recorder("test"))
    store.close()
    if not as_root:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    try:
        hub.start_gateway()
        hub.start_hub()
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(directory, ignore_errors=True)
