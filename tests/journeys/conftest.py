"""The whole enclave, started as a person starts it: `make up`, in a home and on ports of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from hub_config.keys import write_private
from hub_config.project_keys import KEY_FILE
from hub_config.settings import Settings

from .browser import chromium

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "docs" / "images"
START_SECONDS = 400


@dataclass(frozen=True)
class Enclave:
    """A running enclave: where it answers, and what it printed for its demo accounts."""

    address: str
    passwords: dict[str, str]
    home: Path
    environ: dict[str, str]

    def code(self, user: str) -> str:
        """The one-time code an operator reads for a demo account."""
        return re.findall(r"\b\d{6}\b", self.command("demo-code", user))[0]

    def command(self, *words: str) -> str:
        """The standard output of `p4dp-enclave …`, as an operator runs it."""
        script = ROOT / ".venv/enclave/bin/p4dp-enclave"
        answer = subprocess.run(
            [script, *words], env=self.environ, cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout


class Up:
    """`make up` as a child, with what it prints."""

    def __init__(self, home: Path, port: int) -> None:
        _prepare(home)
        self.environ = {**os.environ, "P4DP_HOME": str(home), "P4DP_PORT": str(port), "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            ["make", "up"], cwd=ROOT, env=self.environ, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as pipe:
            self.lines.extend(iter(pipe.readline, ""))

    @property
    def printed(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.printed):
                return found
            assert self.process.poll() is None, (
                f"make up ended with {self.process.returncode}:\n{self.printed}"
            )
            time.sleep(0.2)
        raise AssertionError(f"no {pattern!r} after {seconds} s in:\n{self.printed}")

    def stop(self) -> None:
        """Ctrl-C, as a terminal sends it: to the whole foreground group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(timeout=200)
        self.reader.join(timeout=10)


def _prepare(home: Path) -> None:
    """The key that blurs numbers is told, so that each run shows the same; a busy machine takes its time."""
    keys = Settings(home=home).keys_dir
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    write_private(keys / KEY_FILE, bytes(range(32)).hex())
    write_private(home / "enclave.toml", "[workspace]\nstart_seconds = 240\n")


def free_port() -> int:
    """A port with a few free neighbours (identity and the hub's own listeners stand beside it)."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for candidate in range(18000 + 1000 * (worker % 10), 28000, 20):
        if all(_is_free(candidate + offset) for offset in range(6)):
            return candidate
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def processes_of(home: Path) -> list[str]:
    """Command lines of live processes that belong to the enclave of `home`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environ = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home).encode() in environ or str(home) in command:
            found.append(f"{entry.name} {command}")
    return found


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("enclave") / "home", free_port())
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def enclave(up: Up) -> Enclave:
    """Ready: the address and the three accounts are printed."""
    address = up.wait_for(r"(http://\S+:\d+)\S*").group(1)
    up.wait_for(r"Ctrl-C stops\s+everything")
    passwords = dict(re.findall(r"^\s+(ines|rachid|diane)\s+(\S+)", up.printed, flags=re.M))
    return Enclave(address, passwords, Path(up.environ["P4DP_HOME"]), up.environ)


@pytest.fixture
def page() -> Iterator[Page]:
    with chromium() as fresh:
        yield fresh
