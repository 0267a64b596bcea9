"""What `up` makes before it starts anything, all of it kept from one time to the next: home, lock, data,
projects.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub_config.governance import actions
from hub_config.governance.persons import actions as persons
from hub_config.governance.register.seeding import ensure_demo_entries
from hub_config.governance.store import open_store
from hub_config.keys import write_private
from hub_config.origins import SERVICES
from hub_config.settings import Settings
from hub_config.warehouse.snapshot import Snapshot, list_snapshots, snapshot_numbers

CHECKOUT = Path(__file__).parents[2]
LOCK = "up.lock"
KEYS_MADE = "keys-made"
_ASKING_SECONDS = 2.0
RENEWABLE = frozenset(
    {"hub-auth-state", "hub-cookies", "identity-session", "proxy-interface", "reports"}
    | {f"{name}-forms" for name in SERVICES}
)
"""Keys of sessions: without them people log in again, and nothing else is lost."""


class CannotStart(Exception):
    """Nothing was started; the message says what to do."""


@dataclass(frozen=True)
class Holder:
    """Who runs the enclave of this home."""

    pid: int
    url: str
    port: int


UNKNOWN = Holder(0, "", 0)


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


def require_keys(settings: Settings) -> None:
    """Raises CannotStart when a key of the last start is gone: a new one would hide that what it sealed (the
    audit log, the pseudonyms, the identity provider's trust in the hub) no longer fits.
    """
    record = settings.home / KEYS_MADE
    made = set(record.read_text().split("\n")) if record.exists() else set()
    if lost := sorted(name for name in made - RENEWABLE if name and not (settings.keys_dir / name).exists()):
        raise CannotStart(
            f"Gone from {settings.keys_dir}: {', '.join(lost)}. Restore them from your backup of that "
            "directory. Without one, start afresh elsewhere (P4DP_HOME) and keep this home as it is."
        )


def note_keys(settings: Settings) -> None:
    """Remember the keys there are, for `require_keys` at the next start."""
    names = sorted(path.name for path in settings.keys_dir.iterdir() if not path.name.startswith("."))
    write_private(settings.home / KEYS_MADE, "\n".join(names))


def logs_dir(settings: Settings) -> Path:
    return settings.home / "logs"


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the home while the enclave runs.

    Raises CannotStart if another `up` does; dies with the process.
    """
    descriptor = os.open(settings.home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked_soon(descriptor):
            raise CannotStart(_already(settings))
        os.ftruncate(descriptor, 0)
        record = {"pid": os.getpid(), "url": settings.hub_url, "port": settings.port}
        os.write(descriptor, json.dumps(record).encode())
        yield
    finally:
        os.close(descriptor)


def _locked_soon(descriptor: int) -> bool:
    """Whoever asks for the `holder` has the lock for a moment: that is no enclave."""
    deadline = time.monotonic() + _ASKING_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_ASKING_SECONDS / 20)
        else:
            return True


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
        return Holder(int(values["pid"]), str(values["url"]), int(values["port"]))
    except (ValueError, KeyError, TypeError):
        return UNKNOWN


def _already(settings: Settings) -> str:
    running = holder(settings) or UNKNOWN
    return (
        f"The enclave of {settings.home} is already running (process {running.pid}) at {running.url}. "
        f"Use it, or stop it with Ctrl-C where it was started (or: kill {running.pid})."
    )


def ensure_warehouse(settings: Settings, preset: str, scale: float) -> Snapshot | None:
    """The newest usable snapshot; a synthetic one is made when there never was any. Its own command shows the
    progress.

    One that is broken is not replaced: projects are pinned to it, and another would hide that from them.
    """
    if not snapshot_numbers(settings.warehouse_dir) and preset != "none":
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
            manifest, recorder = synthetic[0].manifest, store.recorder("enclave")
            made = actions.ensure_demo(session, manifest.number, synthetic=True, audit=recorder)
            ensure_demo_entries(session, audit=recorder)
            if made:  # only then: whoever was unlinked since stays so
                persons.ensure_demo_link(session, manifest.source, audit=recorder)
            return made
    finally:
        store.close()
