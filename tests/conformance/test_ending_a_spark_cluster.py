"""Nothing of a test's cluster outlives the test, however that ends; its secrets are nobody else's.

A stand-in for Spark says what Spark says and sleeps: what is tried is the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.spark_cluster import running

_SPARK = """#!/bin/sh
stat -c '%a %n' "$SPARK_CONF_DIR"/* >> "$(dirname "$0")/modes"
echo "$PWD" > "$(dirname "$0")/place"
{says}
echo "Starting Spark master at spark://127.0.0.1:1"
echo "Spark Connect server started at: 127.0.0.1:2"
exec sleep 60
"""
_STARTER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import spark_cluster
with spark_cluster.running(home=Path({home!r})) as cluster:
    print(cluster.supervisor, flush=True)
    time.sleep(60)
"""


def _home(directory: Path, says: str = "") -> Path:
    (directory / "bin").mkdir()
    for program in ("spark-class", "spark-submit"):
        (directory / "bin" / program).write_text(_SPARK.format(says=says))
        (directory / "bin" / program).chmod(0o700)
    return directory


def _processes(group: int) -> list[psutil.Process]:
    """Those of the process group, but those that nobody has asked about since they ended."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def _five(group: int) -> bool:
    """With a master, two workers and Spark Connect, once the shells have become what they start."""
    until = time.monotonic() + 60
    while len(_processes(group)) != 5 and time.monotonic() < until:
        time.sleep(0.05)
    return len(_processes(group)) == 5


def _gone(group: int, place: Path) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not _processes(group) and not place.exists():
            return True
        time.sleep(0.05)
    return False


def test_it_ends_with_its_block(tmp_path: Path) -> None:
    home = _home(tmp_path)
    with running(home=home) as cluster:
        place = Path((home / "bin" / "place").read_text().strip())
        assert _five(cluster.supervisor)
        shown = [" ".join(process.cmdline()) for process in _processes(cluster.supervisor)]
        assert not any(cluster.token in line for line in shown)
        assert place.stat().st_mode & 0o777 == 0o700
    assert _gone(cluster.supervisor, place)
    assert {line[:4] for line in (home / "bin" / "modes").read_text().splitlines()} == {"600 "}


def test_it_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    home = _home(tmp_path)
    program = _STARTER.format(tests=str(Path(__file__).parents[1]), home=str(home))
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with starter:
        supervisor = int(starter.stdout.readline())
        assert _five(supervisor)
        starter.kill()
    assert _gone(supervisor, Path((home / "bin" / "place").read_text().strip()))


def test_its_programs_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with running(home=_home(tmp_path)) as cluster:
        os.kill(cluster.supervisor, signal.SIGKILL)
        until = time.monotonic() + 60
        while _processes(cluster.supervisor) and time.monotonic() < until:
            time.sleep(0.05)
        assert not _processes(cluster.supervisor)


def test_one_that_fails_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="no room for a JVM"),
        running(home=_home(tmp_path, says="echo no room for a JVM; exit 1")),
    ):
        pass
