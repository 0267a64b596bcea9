"""What the pages are tried in: a desk that looks like a checkout, an enclave's home, a real gateway."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub_config.gateway.engine import EngineLimits, Engines
from hub_config.governance.demo import demo_link
from hub_config.governance.facts import AccessLevel
from hub_config.governance.persons import actions as persons
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.up import house
from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis.presets import Preset
from hub_config.warehouse.synthesis.run import synthesise
from tests.services.gateway.peer_enclave import Enclave, HubPeer, add_project, charter, make_gateway
from tests.services.sdk.conftest import listening

from .airlock import airlock_beside
from .markdown import ROOT

NAFLD = {
    "nafld1": "id,age,male,weight,height,bmi,case.id,futime,status\n"
    "1,57,0,60,163,22.6,2,6261,0\n2,67,1,,,,,624,1\n",
    "nafld2": 'id,days,test,value\n1,-459,"hdl",75\n2,12,"sbp",130\n',
    "nafld3": 'id,days,event\n1,0,"nafld"\n2,10,"htn"\n',
}


@dataclass(frozen=True)
class Desk:
    """Where an operator types: a directory with the checkout's files, and an enclave's home."""

    directory: Path
    home: Path

    @property
    def environ(self) -> Mapping[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("P4DP_")}
        path = f"{ROOT / '.venv/enclave/bin'}:{own['PATH']}"
        return {**own, "PATH": path, "P4DP_HOME": str(self.home), "COLUMNS": "140", "LANG": "C.UTF-8"}

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs `script` as bash does what is pasted into it, but stops at the first failure."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.directory, env=dict(self.environ), input="a secret\n",
            capture_output=True, text=True, timeout=400,
        )  # fmt: skip


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Preset A at a fiftieth: 522 patients, so that small cells abound."""
    return synthesise(tmp_path_factory.mktemp("warehouse"), preset=Preset.A, scale=0.02)


@pytest.fixture(scope="session")
def versions(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of that snapshot and the next of its population, as after one more load."""
    warehouse = tmp_path_factory.mktemp("versions") / "warehouse"
    shutil.copytree(snapshot.directory.parent, warehouse)
    synthesise(warehouse, preset=Preset.A, scale=0.02)
    return warehouse


@pytest.fixture(scope="module")
def prepared(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as it is after a first start: its directories, and snapshot 1."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    house.make_home(Settings(home=home))
    shutil.copytree(snapshot.directory.parent, home / "warehouse")
    return home


@pytest.fixture
def desk(prepared: Path, tmp_path: Path) -> Desk:
    """A new desk and home. Beside the desk: a few rows in the form of the NAFLD files."""
    directory, home = tmp_path / "checkout", tmp_path / "home"
    directory.mkdir()
    for entry in ROOT.iterdir():
        (directory / entry.name).symlink_to(entry)
    shutil.copytree(prepared, home)
    _write_nafld(tmp_path / "shared" / "data")
    return Desk(directory, home)


def _write_nafld(directory: Path) -> None:
    directory.mkdir(parents=True)
    for name, content in NAFLD.items():
        (directory / f"{name}.csv.gz").write_bytes(gzip.compress(content.encode()))


@pytest.fixture
def gateway(
    snapshot: Snapshot, versions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Enclave]:
    """The gateway on its real parts, and the aggregate project of Inès, on the second version. One a page:
    what one page publishes stands between another page and its tables."""
    settings = Settings(home=tmp_path_factory.mktemp("enclave"))
    store, hub = open_store(settings), HubPeer()
    with ThreadPoolExecutor(4) as workers, ThreadPoolExecutor(4) as office:
        engines = Engines(EngineLimits(memory_bytes=1024**3, threads=2))
        made = make_gateway(settings, store, hub, versions, engines, workers, office)
        enclave = Enclave(made, hub, store, settings)
        add_project(enclave, charter("these-ines", AccessLevel.AGGREGATE, "ines", snapshot=2))
        enclave.govern(persons.link, demo_link(snapshot.manifest.source))
        yield enclave
        engines.close()
    store.close()


@pytest.fixture
def workspace(gateway: Enclave, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Inside the workspace of Inès: a notebook's environment, as the spawner gives it."""
    monkeypatch.chdir(tmp_path)
    opened = gateway.workspace("ines", "these-ines")
    with listening(opened) as socket, airlock_beside(socket, opened):
        monkeypatch.setenv("P4DP_LANG", "fr")
        monkeypatch.setenv("P4DP_GATEWAY_SOCKET", str(socket))
        monkeypatch.setenv("P4DP_TOKEN", opened.token)
        yield
