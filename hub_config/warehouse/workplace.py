"""Where snapshots are built, and how they get their number: directories, locks and fsync. Knows nothing of
what they hold.

A `.building-…` directory is alive while its maker holds the lock in it; the lock dies with the process,
however it dies. The warehouse's own lock is held for moments only, never during the long work. It also keeps
the last number given.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOCK: Final = ".lock"
_BUILDING: Final = ".building-"


def snapshot_numbers(warehouse_dir: Path) -> list[int]:
    """Every snapshot's number, usable or not, in order."""
    if not warehouse_dir.is_dir():
        return []
    return sorted(
        int(path.name) for path in warehouse_dir.iterdir() if path.name.isdecimal() and path.is_dir()
    )


@contextmanager
def workplace(warehouse_dir: Path) -> Iterator[Path]:
    """A fresh directory to build in, gone afterwards unless it was renamed. Leftovers of dead builds are
    removed first."""
    warehouse_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(warehouse_dir):
        _remove_leftovers(warehouse_dir)
        directory = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{os.getpid()}-", dir=warehouse_dir))
        alive = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(alive, fcntl.LOCK_EX)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(alive)


@contextmanager
def locked(warehouse_dir: Path) -> Iterator[int]:
    """The warehouse to oneself for a moment; yields the lock's descriptor, for `next_number`."""
    descriptor = os.open(warehouse_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def next_number(warehouse_dir: Path, lock: int) -> int:
    """One more than any number ever given: projects are pinned to numbers, so a removed one is not used
    again."""
    given = os.pread(lock, 32, 0).decode(errors="replace").strip()
    number = max([int(given) if given.isdecimal() else 0, *snapshot_numbers(warehouse_dir)]) + 1
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(number).encode(), 0)
    os.fsync(lock)
    return number


def move_into_place(directory: Path, final: Path) -> None:
    """The one moment the world changes. Under `locked`: another build would take a directory without lock
    for dead."""
    (directory / LOCK).unlink()
    sync(directory)
    directory.rename(final)
    sync(final.parent)


def sync(path: Path) -> None:
    """On the disk, not only in memory, when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    for path in [*directory.rglob("*"), directory]:
        sync(path)


def _remove_leftovers(warehouse_dir: Path) -> None:
    for path in warehouse_dir.glob(f"{_BUILDING}*"):
        if not _is_alive(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(building: Path) -> bool:
    """Whether its maker still holds the lock. (A process id proves nothing: it may have been given again.)"""
    try:
        descriptor = os.open(building / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
