"""What the kernel says about processes: who descends from whom, and how much memory each takes. Linux,
through /proc.

`adopt_orphans` makes this process the parent of whatever its children leave behind, so that the end can be
complete.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    state: str
    memory_bytes: int
    command: tuple[str, ...]


def adopt_orphans() -> None:
    """Descendants whose parent dies become children of this process instead of init's."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def all_processes() -> list[Process]:
    found = (_read(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit())
    return [process for process in found if process is not None]


def descendants(pid: int) -> list[Process]:
    """Everything that descends from `pid`, without itself."""
    children: dict[int, list[Process]] = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [pid]
    while waiting:
        offspring = children.get(waiting.pop(), [])
        found.extend(offspring)
        waiting.extend(child.pid for child in offspring)
    return found


def reap(known: Iterable[int]) -> None:
    """Collect adopted children that ended; `known` children are collected by those who started them."""
    mine, known = os.getpid(), set(known)
    for process in all_processes():
        if process.parent == mine and process.state == "Z" and process.pid not in known:
            _wait_for(process.pid)


def end_descendants(grace_seconds: float) -> list[Process]:
    """End what still descends from this process: asked first, then killed. Returns what had to be killed."""
    _signal_all(descendants(os.getpid()), signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline:
        reap(())
        if not descendants(os.getpid()):
            return []
        time.sleep(0.1)
    stubborn = descendants(os.getpid())
    _signal_all(stubborn, signal.SIGKILL)
    time.sleep(0.2)
    reap(())
    return stubborn


def _signal_all(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        if process.state != "Z":
            _signal(process.pid, number)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait_for(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _read(pid: int) -> Process | None:
    """None if it ended meanwhile. Fields as in proc(5); a name may hold spaces and brackets."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        command = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    fields = stat.rpartition(")")[2].split()
    words = tuple(word.decode(errors="replace") for word in command.split(b"\0") if word)
    return Process(pid, int(fields[1]), fields[0], int(fields[21]) * PAGE, words)
