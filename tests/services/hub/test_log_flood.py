"""Attack: fill the disk through a log, which has a line for whatever a workspace asks of the hub."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from hub_config.up import supervisor
from hub_config.up.supervisor import Program, Supervisor

FLOOD = """
import time
for burst in range(80):
    print(("a" * 1000 + "\\n") * 50, flush=True)
    time.sleep(0.03)
time.sleep(60)
"""


def flooded(place: Path) -> int:
    """How much of the disk the logs of a program take that writes four megabytes."""
    place.mkdir()
    stopping = threading.Event()
    watcher = Supervisor(say=lambda _: None, stopping=stopping)
    log = place / "logs" / "noisy.log"
    command = [sys.executable, "-c", FLOOD]
    watcher.start(Program("noisy one", command, {}, place, log, ready=lambda: log.exists()))
    watching = threading.Thread(target=watcher.watch)
    watching.start()
    time.sleep(4)
    watcher.stop()
    watching.join()
    assert "a" * 1000 in "".join(path.read_text() for path in log.parent.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in log.parent.iterdir())
    return sum(path.stat().st_size for path in log.parent.iterdir())


def test_a_flooded_log_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undefended = flooded(tmp_path / "one")
    assert undefended > 4_000_000
    monkeypatch.setattr(supervisor, "ROTATE_BYTES", 100_000)
    assert flooded(tmp_path / "two") < undefended / 2
    assert (tmp_path / "two" / "logs" / "noisy.log").stat().st_size <= 100_000
