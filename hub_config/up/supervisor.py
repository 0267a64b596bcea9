"""Keep a few programs running: start them in order, start them again when they end, stop them in reverse.

Each is its own session (a Ctrl-C reaches only the supervisor) and dies with the supervisor whatever it dies
of (the kernel's parent-death signal). A program that keeps ending is given up, and with it the whole.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hub_config.up.processes import reap

MAX_FAILURES = 5
SETTLED_SECONDS = 60.0
LONGEST_DELAY = 30.0
ROTATE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """`ready` is asked until it says yes; `stop_seconds` is how long it may take to end when asked."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    ready: Callable[[], bool]
    start_seconds: float = 60.0
    stop_seconds: float = 20.0


class CannotKeepUp(Exception):
    """A program can't be started or kept running; the message names it, its log and what to do."""


@dataclass
class _Running:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    retry_at: float = 0.0


def delay_after(failures: int) -> float:
    """Seconds to wait before the next start: 1, 2, 4, 8, then 30 at the most."""
    return float(min(LONGEST_DELAY, 2.0 ** max(0, failures - 1)))


@dataclass
class Supervisor:
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    stopping: threading.Event = field(default_factory=threading.Event)
    _running: list[_Running] = field(default_factory=list)

    def start(self, program: Program) -> None:
        """Start `program` and wait until it is ready. Raises CannotKeepUp; returns early when stopping."""
        running = _Running(program)
        self._running.append(running)
        self._launch(running)
        deadline = self.clock() + program.start_seconds
        while not self.stopping.is_set():
            if program.ready():
                return
            if _ended(running) or self.clock() > deadline:
                why = "ended" if _ended(running) else f"was not ready after {program.start_seconds:.0f} s"
                raise CannotKeepUp(f"The {program.name} {why}. Its log says why: {program.log}")
            self.stopping.wait(0.1)

    def watch(self) -> None:
        """Until `stopping` is set. Raises CannotKeepUp when a program keeps ending."""
        while not self.stopping.wait(0.5):
            reap(self.pids())
            for running in self._running:
                self._look_at(running)
                shorten_log(running.program.log)

    def stop(self) -> None:
        """In reverse order, each given its time, then killed with what it started in its session."""
        self.stopping.set()
        for running in reversed(self._running):
            if running.process is not None and running.process.poll() is None:
                _end(running.process, running.program.stop_seconds)

    def pids(self) -> list[int]:
        return [running.process.pid for running in self._running if running.process is not None]

    def _look_at(self, running: _Running) -> None:
        if not _ended(running):
            if running.failures and self.clock() - running.started > SETTLED_SECONDS:
                running.failures = 0
            return
        if running.process is not None:
            self._note_failure(running, running.process.returncode)
        elif self.clock() >= running.retry_at:
            self._launch(running)

    def _note_failure(self, running: _Running, status: int) -> None:
        program = running.program
        running.process = None
        running.failures += 1
        if running.failures > MAX_FAILURES:
            raise CannotKeepUp(f"The {program.name} ended {running.failures} times. Its log: {program.log}")
        delay = delay_after(running.failures)
        running.retry_at = self.clock() + delay
        self.say(f"The {program.name} ended (status {status}); starting it again in {delay:.0f} s.")

    def _launch(self, running: _Running) -> None:
        program = running.program
        with open_log(program.log) as log:
            running.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *program.command],
                env=dict(program.environment),
                cwd=program.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.started = self.clock()


def open_log(path: Path) -> BinaryIO:
    """Append, readable by nobody else; a log that grew large makes way first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shorten_log(path)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def shorten_log(path: Path) -> None:
    """Once a log grew large, keep its text aside and empty it in place: its program goes on appending.

    What a workspace asks the hub is a line of the log, so a hostile one could fill the disk.
    """
    try:
        if path.stat().st_size <= ROTATE_BYTES:
            return
        kept = os.open(path.with_suffix(".log.1"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(kept, "wb") as older, path.open("rb") as log:
            shutil.copyfileobj(log, older)
    except FileNotFoundError:
        return
    except OSError:  # a full disk: emptying the log is what helps
        path.with_suffix(".log.1").unlink(missing_ok=True)
    os.truncate(path, 0)


def _ended(running: _Running) -> bool:
    return running.process is None or running.process.poll() is not None


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
