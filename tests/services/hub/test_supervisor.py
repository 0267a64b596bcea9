"""Programs are started again when they end, given up when they keep ending, and never outlive the
supervisor.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hub_config.up.processes import descendants
from hub_config.up.supervisor import CannotKeepUp, Program, Supervisor, delay_after, open_log

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def said():
    return []


def program(tmp_path, script, ready=lambda: True, **changes):
    return Program(
        name="clock",
        command=["sh", "-c", script],
        environment={"PATH": os.environ["PATH"]},
        directory=tmp_path,
        log=tmp_path / "clock.log",
        ready=ready,
        **changes,
    )


def watching(supervisor):
    failure = []

    def watch():
        try:
            supervisor.watch()
        except CannotKeepUp as problem:
            failure.append(problem)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread, failure


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (60, 30)]
)
def test_the_wait_grows(failures, seconds):
    assert delay_after(failures) == seconds


def test_a_program_that_ends_is_started_again(tmp_path, said):
    supervisor = Supervisor(said.append)
    log = tmp_path / "clock.log"
    supervisor.start(program(tmp_path, "echo started; exec sleep 60"))
    until(lambda: log.read_text() == "started\n")
    (first,) = supervisor.pids()
    thread, failure = watching(supervisor)
    os.kill(first, signal.SIGKILL)
    until(lambda: log.read_text() == "started\nstarted\n")
    (second,) = supervisor.pids()
    supervisor.stop()
    thread.join()
    assert not failure
    assert second != first
    assert "starting it again" in said[0]


def test_a_program_that_keeps_ending_is_given_up(tmp_path, said):
    """With a clock that runs, since the waits are long."""
    ticks = iter(range(0, 100_000, 31))
    supervisor = Supervisor(said.append, clock=lambda: float(next(ticks)))
    with pytest.raises(CannotKeepUp, match=r"clock\.log"):
        supervisor.start(program(tmp_path, "sleep 0.05", start_seconds=1e9))
        supervisor.watch()


def test_one_that_never_gets_ready_names_its_log(tmp_path, said):
    supervisor = Supervisor(said.append)
    with pytest.raises(CannotKeepUp, match=r"was not ready after 0 s.*clock\.log"):
        supervisor.start(program(tmp_path, "exec sleep 60", ready=lambda: False, start_seconds=0.3))
    supervisor.stop()


def test_stopping_is_in_reverse_and_complete(tmp_path, said):
    supervisor = Supervisor(said.append)
    for name in ("first", "second"):
        trap, ready = f"trap 'echo {name} >> {tmp_path}/order; exit' TERM", tmp_path / f"{name}-ready"
        script = f"{trap}; touch {ready}; while :; do sleep 0.05; done"
        supervisor.start(program(tmp_path, script, ready=ready.exists))
    pids = supervisor.pids()
    supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["second", "first"]
    assert not [pid for pid in pids if _is_running(pid)]


def test_one_that_will_not_stop_is_killed_with_its_family(tmp_path, said):
    supervisor = Supervisor(said.append)
    supervisor.start(program(tmp_path, "trap '' TERM; sleep 60 & sleep 60", stop_seconds=0.3))
    (pid,) = supervisor.pids()
    until(lambda: list(descendants(pid)))
    family = [pid, *(process.pid for process in descendants(pid))]
    assert len(family) >= 2
    supervisor.stop()
    until(lambda: not [member for member in family if _is_running(member)])


SUPERVISE = """
import os, sys
from pathlib import Path
from hub_config.up.supervisor import Program, Supervisor
supervisor = Supervisor(print)
place = Path(sys.argv[1])
log = place / "clock.log"
supervisor.start(Program("clock", ["sleep", "60"], dict(os.environ), place, log, lambda: True))
print(*supervisor.pids(), flush=True)
supervisor.watch()
"""


def test_nothing_outlives_a_killed_supervisor(tmp_path):
    command = [sys.executable, "-c", SUPERVISE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        until(lambda: _command(pid)[:1] == ["sleep"])
        process.kill()
    until(lambda: not _is_running(pid))


def test_logs_are_private_and_make_way(tmp_path, monkeypatch):
    path = tmp_path / "logs" / "clock.log"
    with open_log(path) as log:
        log.write(b"one\n")
    assert path.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("hub_config.up.supervisor.ROTATE_BYTES", 3)
    with open_log(path) as log:
        log.write(b"two\n")
    assert (path.read_text(), path.with_suffix(".log.1").read_text()) == ("two\n", "one\n")


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
