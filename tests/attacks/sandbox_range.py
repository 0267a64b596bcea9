"""A small enclave to attack from inside a real box: files, sockets and processes that must stay out of reach.

`Range.tell(box, code)` runs `code` in the box, by the way the launcher starts one, and returns what it
printed. An attack prints a secret; a test takes one defence out of the box, sees the secret, puts it back,
and sees it no more.

Two ways to be an enclave. "own uid": root gives the box a user of its own. "same uid": nobody runs the
enclave and the box has nobody's uid too, so bubblewrap alone stands between them. A machine without root has
the second only.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from hub_config.boxes.box import Box, Mount
from hub_config.boxes.confinement import become, open_the_way
from hub_config.spawner.furnishing import Place, furnish

CHECKOUT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("sandbox_driver.py")
NOBODY, WORKSPACE = 65534, 79_999
SECRET = "the secret of the enclave"


class Mode(StrEnum):
    OWN_UID = "own uid"
    SAME_UID = "same uid"


MODES = [Mode.OWN_UID, Mode.SAME_UID] if os.geteuid() == 0 else [Mode.SAME_UID]


@dataclass
class Range:
    mode: Mode
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="p4r-")))

    def __post_init__(self) -> None:
        self.directory.chmod(0o755)
        for folder in (
            "state/warehouse/1",
            "state/keys",
            "state/homes/modeles-rachid/rachid",
            "runtime/w/1/hub",
        ):
            (self.directory / folder).mkdir(parents=True)
        for folder in ("state/homes/these-ines/ines", "runtime/s/mine", "runtime/s/theirs"):
            (self.directory / folder).mkdir(parents=True)
        for name in ("warehouse/1/warehouse.duckdb", "governance.db", "keys/pseudonyms"):
            (self.state / name).write_text(SECRET)
        (self.state / "homes/modeles-rachid/rachid/cohort.csv").write_text(SECRET)
        for file in (path for path in self.state.rglob("*") if path.is_file()):
            file.chmod(0o600)
        for closed in (self.state, self.runtime):
            closed.chmod(0o700)
        if os.geteuid() == 0:
            self._give()

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @property
    def runtime(self) -> Path:
        return self.directory / "runtime"

    @property
    def home(self) -> Path:
        return self.state / "homes/these-ines/ines"

    @property
    def enclave_uid(self) -> int:
        return 0 if self.mode is Mode.OWN_UID else (NOBODY if os.geteuid() == 0 else os.geteuid())

    @property
    def box_uid(self) -> int:
        return WORKSPACE if self.mode is Mode.OWN_UID else self.enclave_uid

    def _give(self) -> None:
        for path in (self.directory, *self.directory.rglob("*")):
            os.chown(path, self.enclave_uid, self.enclave_uid)
        os.chown(self.home, self.box_uid, self.box_uid)

    def box(self) -> Box:
        """The box the spawner would make here."""
        place = Place("ines", self.home, self.runtime / "s/mine", self.runtime / "w/1/hub")
        return furnish(place, Path(sys.prefix), CHECKOUT / "templates_notebooks", {"PATH": "/usr/bin:/bin"})

    def tell(
        self, box: Box, code: str, *, own_uid: bool = True, environment: dict[str, str] | None = None
    ) -> str:
        """What python `code` prints in the box.

        `own_uid=False` keeps the enclave's user even where it could change.
        """
        return self.tell_program(box, (python(), "-I", "-c", code), own_uid=own_uid, environment=environment)

    def tell_program(
        self,
        box: Box,
        command: Sequence[str],
        *,
        own_uid: bool = True,
        environment: dict[str, str] | None = None,
    ) -> str:
        with self.program(box, command, own_uid=own_uid, environment=environment) as process:
            return process.communicate(timeout=200)[0]

    @contextmanager
    def program(
        self,
        box: Box | None,
        command: Sequence[str],
        *,
        own_uid: bool = True,
        environment: dict[str, str] | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """`command` in the box, or with None the attacker without any box, as the box's user."""
        uid = WORKSPACE if own_uid and self.mode is Mode.OWN_UID else None
        order = {"box": asdict(box) if box else None, "command": list(command), "uid": uid}
        with subprocess.Popen(
            [sys.executable, str(DRIVER), json.dumps(order, default=str)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), **(environment or {})},
            preexec_fn=self._as_the_enclave(),
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def _as_the_enclave(self) -> Callable[[], None] | None:
        if self.mode is Mode.OWN_UID or os.geteuid() != 0:
            return None
        needed = [Path(sys.base_prefix), Path(sys.prefix), CHECKOUT, self.directory]

        def drop() -> None:
            os.umask(0o022)
            open_the_way(needed)
            become(NOBODY)

        return drop

    @contextmanager
    def listening(self, address: str | tuple[str, int]) -> Iterator[str | tuple[str, int]]:
        """A server of the host that says the secret to whoever connects."""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family) as server:
            server.bind(address)
            server.listen()
            if isinstance(address, str) and not address.startswith("\0"):
                Path(address).chmod(0o666)
            saying = threading.Thread(target=_say_the_secret, args=(server,), daemon=True)
            saying.start()
            try:
                yield server.getsockname()
            finally:
                server.shutdown(socket.SHUT_RDWR)
                saying.join()  # its accept holds the address until it has returned

    def close(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


def python() -> str:
    return str(Path(sys.prefix) / "bin" / "python")


def showing(box: Box, folder: Path, *, writable: bool = False) -> Box:
    """The box with a folder of the host in it, at its own path."""
    return replace(box, mounts=(*box.mounts, Mount(folder, str(folder), writable)))


def with_mount(box: Box, target: str, source: Path, *, writable: bool) -> Box:
    """The box with other content at `target`."""
    mounts = [Mount(source, target, writable) if m.target == target else m for m in box.mounts]
    return replace(box, mounts=tuple(mounts))


def _say_the_secret(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(SECRET.encode())
