"""The real gateway on real unix sockets, over a small synthetic snapshot: what a workspace's SDK meets."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

import pytest

import p4dp_sdk as p4dp
from hub_config.gateway.app import create_app
from hub_config.gateway.engine import EngineLimits
from hub_config.sockets.doors import bound
from hub_config.sockets.listeners import Listener
from hub_config.warehouse.loader.load import Places, load
from hub_config.warehouse.loader.mapping import read_mapping
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from tests.services.gateway.peer_enclave import (
    Enclave,
    Workspace,
    demonstration,
)

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
Connect = Callable[[str, str], p4dp.Workspace]


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Preset A at a tenth: about 2,600 patients, enough for small cells and for a model."""
    directory = tmp_path_factory.mktemp("warehouse")
    synthesise(directory, preset=Preset.A, scale=0.1)
    return directory


@pytest.fixture(scope="session")
def nafld(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The number of a second snapshot: real people, public data. Missing in CI is a failure, elsewhere a
    skip."""
    if not (SHARED / "nafld1.csv.gz").exists():
        message = f"nafld1.csv.gz is not in {SHARED}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    mapping = read_mapping(Path(str(files("hub_config.warehouse") / "mappings" / "nafld.toml")))
    keys, landing = tmp_path_factory.mktemp("keys"), tmp_path_factory.mktemp("landing")
    places = Places(SHARED, warehouse, keys, landing=landing)
    return load("nafld.toml", mapping, places, own_uids=False).snapshot.manifest.number


@pytest.fixture
def enclave(warehouse: Path, tmp_path: Path) -> Iterator[Enclave]:
    with demonstration(warehouse, tmp_path, EngineLimits(memory_bytes=1024**3, threads=2)) as made:
        yield made


@pytest.fixture
def connect(enclave: Enclave, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Open the workspace of a person in a project, as the spawner would: a socket and a token in the
    environment."""
    monkeypatch.setenv("P4DP_LANG", "fr")
    with ExitStack() as running:

        def open_workspace(user: str, project: str) -> p4dp.Workspace:
            workspace = enclave.workspace(user, project)
            monkeypatch.setenv("P4DP_GATEWAY_SOCKET", str(running.enter_context(listening(workspace))))
            monkeypatch.setenv("P4DP_TOKEN", workspace.token)
            opened = p4dp.connect()
            running.callback(opened.close)
            return opened

        yield open_workspace


@contextmanager
def listening(workspace: Workspace) -> Iterator[Path]:
    """The workspace's socket, served by the gateway's own listener in a loop of its own."""
    directory = Path(tempfile.mkdtemp(prefix="p4dp"))  # a unix socket's path must be short
    app = bound(create_app(workspace.enclave.gateway), workspace.binding)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(
        Listener.open(directory / "gateway.sock", 0o600, app), loop
    ).result(10)
    try:
        yield listener.path
    finally:
        asyncio.run_coroutine_threadsafe(listener.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        shutil.rmtree(directory)
