"""Fixtures of the SDK's tests: a running peer, and a workspace connected to it."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import p4dp_sdk as p4dp
from tests.unit.sdk.peer import TOKEN, Handler, Peer, Server


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """A running peer, which the environment names as this workspace's gateway."""
    directory = Path(tempfile.mkdtemp(prefix="p4dp"))  # a unix socket's path must be short
    peer = Peer(directory)
    server = Server(str(peer.socket), Handler)
    server.peer = peer
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setenv("P4DP_GATEWAY_SOCKET", str(peer.socket))
    monkeypatch.setenv("P4DP_TOKEN", TOKEN)
    yield peer
    server.shutdown()
    server.server_close()
    shutil.rmtree(directory)


@pytest.fixture
def workspace(peer: Peer) -> Iterator[p4dp.Workspace]:
    workspace = p4dp.connect()
    yield workspace
    workspace.close()


@pytest.fixture(autouse=True)
def french(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests read French whatever the machine speaks; one that wants English says so."""
    monkeypatch.setenv("P4DP_LANG", "fr")
