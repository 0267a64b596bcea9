"""What `up` makes before it starts anything, all of it kept from one time to the next: home, lock, data,
projects.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub_config.governance import actions
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import Snapshot, list_snapshots

CHECKOUT = Path(__file__).parents[2]
LOCK = "up.lock"


class CannotStart(Exception):
    """Nothing was started; the message says what to do."""


@dataclass(frozen=True)
class Holder:
    """Who runs the enclave of this home."""

    pid: int
    url: str


def make_home(settings: Settings) -> None:
    """The home and its parts, closed to everybody else. Raises CannotStart where that can't be had."""
    os.umask(0o077)
    try:
        for place in (settings.home, settings.keys_dir, settings.home / "hub", logs_dir(settings)):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.home.chmod(0o700)
    except OSError as error:
        where = f"The enclave's home {settings.home} can't be prepared ({error.strerror})."
        raise CannotStart(f"{where} Set P4DP_HOME to a directory of yours.") from None


def logs_dir(settings: Settings) -> Path:
    return settings.home / "logs"


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the home while the enclave runs.

    Raises CannotStart if another `up` does; dies with the process.
    """
    descriptor = os.open(settings.home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(_already(settings)) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "url": settings.hub_url}).encode())
        yield
    finally:
        os.close(descriptor)


def holder(settings: Settings) -> Holder | None:
    """Who runs the enclave of this home now, if anybody."""
    try:
        descriptor = os.open(settings.home / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor) as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _parse_holder(file.read())
        return None


def _parse_holder(text: str) -> Holder:
    try:
        values = json.loads(text)
        return Holder(int(values["pid"]), str(values["url"]))
    except (ValueError, KeyError, TypeError):
        return Holder(0, "")


def _already(settings: Settings) -> str:
    running = holder(settings) or Holder(0, "")
    return (
        f"The enclave of {settings.home} is already running (process {running.pid}) at {running.url}. "
        f"Use it, or stop it with Ctrl-C where it was started (or: kill {running.pid})."
    )


def ensure_warehouse(settings: Settings, preset: str, scale: float) -> Snapshot | None:
    """The newest snapshot; a synthetic one is made when there is none. Its own command shows the progress."""
    snapshots = list_snapshots(settings.warehouse_dir)
    if not snapshots and preset != "none":
        command = [sys.executable, "-m", "hub_config.cli", "warehouse", "synthesise", "--preset", preset]
        done = subprocess.run([*command, "--scale", str(scale)], cwd=CHECKOUT, check=False)
        if done.returncode:
            raise CannotStart("The synthetic warehouse could not be made; the message above says why.")
        snapshots = list_snapshots(settings.warehouse_dir)
    return snapshots[-1] if snapshots else None


def ensure_projects(settings: Settings) -> list[str]:
    """The demonstration's projects, on the first synthetic snapshot. Returns the names of the new ones."""
    synthetic = [item for item in list_snapshots(settings.warehouse_dir) if item.manifest.synthetic]
    store = open_store(settings)
    try:
        if not synthetic:
            return []
        with store.change() as session:
            number = synthetic[0].manifest.number
            return actions.ensure_demo(session, number, synthetic=True, audit=store.recorder("enclave"))
    finally:
        store.close()
