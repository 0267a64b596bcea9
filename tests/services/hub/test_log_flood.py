"""Attack: fill the disk through a log, which has a line for whatever a workspace asks of the hub."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from hub_config.up import supervisor
from hub_config.up.supervisor import Program, Supervisor, shorten_log

FLOOD = """
import os, time
for burst in range(4):
    print(("a" * 1000 + "\\n") * 1000, flush=True)
    seen = os.path.getsize("looks")
    while os.path.getsize("looks") < seen + 2:  # the second look began after the burst
        time.sleep(0.01)
open("done", "w").close()
time.sleep(600)
"""


def flooded(place: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How much of the disk the logs of a program take that writes four megabytes, each looked at."""
    place.mkdir()
    looks = place / "looks"
    looks.touch()

    def look(log: Path) -> None:
        shorten_log(log)
        if log == place / "logs" / "noisy.log":
            with looks.open("a") as counted:
                counted.write(".")

    monkeypatch.setattr(supervisor, "shorten_log", look)
    stopping = threading.Event()
    watcher = Supervisor(say=lambda _: None, stopping=stopping)
    log = place / "logs" / "noisy.log"
    command = [sys.executable, "-c", FLOOD]
    watcher.start(Program("noisy one", command, {}, place, log, ready=lambda: log.exists()))
    watching = threading.Thread(target=watcher.watch)
    watching.start()
    ends = time.monotonic() + 200
    while not (place / "done").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    watcher.stop()
    watching.join()
    assert "a" * 1000 in "".join(path.read_text() for path in log.parent.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in log.parent.iterdir())
    return sum(path.stat().st_size for path in log.parent.iterdir())


def test_a_flooded_log_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undefended = flooded(tmp_path / "one", monkeypatch)
    assert undefended > 4_000_000
    monkeypatch.setattr(supervisor, "ROTATE_BYTES", 100_000)
    assert flooded(tmp_path / "two", monkeypatch) < undefended / 2
    assert (tmp_path / "two" / "logs" / "noisy.log").stat().st_size <= 100_000
