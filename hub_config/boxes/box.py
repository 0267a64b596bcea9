"""What a workspace may see and do, as one frozen value that becomes bubblewrap's arguments. Pure: no I/O.

Every defence is a field, on by default, so that a test can take out exactly one and show what it stops.
Nothing of the host is in the box unless a `Mount` names it; no variable of the enclave is in it unless
`environment` names it.

The kernel's second box (kernel apart from its server) starts here: the outer box then needs
`further_namespaces=True`, and the inner one is another `Box`, started inside by a kernel provisioner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

USER_INSIDE = 1000
MEGABYTE = 1024**2


@dataclass(frozen=True)
class Mount:
    """`source` on the host appears as `target` in the box; read-only unless `writable`."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class ScratchSpace:
    """An empty folder in memory, gone with the box, that may not grow beyond `size` bytes."""

    target: str
    size: int


@dataclass(frozen=True)
class Box:
    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    home: str = "/"
    scratch: tuple[ScratchSpace, ...] = (
        ScratchSpace("/tmp", 1024 * MEGABYTE),  # noqa: S108
        ScratchSpace("/dev/shm", 512 * MEGABYTE),  # noqa: S108
    )
    own_network: bool = True
    own_processes: bool = True
    own_ipc: bool = True
    own_hostname: bool = True
    own_terminal_session: bool = True
    cleared_environment: bool = True
    no_capabilities: bool = True
    further_namespaces: bool = False
    fixed_root: bool = True
    dies_with_parent: bool = True

    def arguments(self) -> tuple[str, ...]:
        """bubblewrap's arguments, without the command.

        They carry secrets: pass them by `--args`, never on a command line.
        """
        return (
            *self._namespaces(),
            *self._privileges(),
            *self._files(),
            *self._variables(),
            *(["--die-with-parent"] if self.dies_with_parent else []),
        )

    def _namespaces(self) -> Iterator[str]:
        yield from (
            "--unshare-user",
            "--uid",
            str(USER_INSIDE),
            "--gid",
            str(USER_INSIDE),
            "--unshare-cgroup-try",
        )
        if self.own_network:
            yield "--unshare-net"
        if self.own_processes:
            yield "--unshare-pid"
        if self.own_ipc:
            yield "--unshare-ipc"
        if self.own_hostname:
            yield from ("--unshare-uts", "--hostname", "p4dp")

    def _privileges(self) -> Iterator[str]:
        yield from ("--cap-drop" if self.no_capabilities else "--cap-add", "ALL")
        if not self.further_namespaces:
            yield "--disable-userns"
        if self.own_terminal_session:
            yield "--new-session"

    def _files(self) -> Iterator[str]:
        yield from ("--dev", "/dev", "--proc", "/proc")
        for space in self.scratch:
            yield from ("--size", str(space.size), "--tmpfs", space.target)
        for mount in self.mounts:
            yield from ("--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target)
        if self.fixed_root:
            yield from ("--remount-ro", "/", "--remount-ro", "/dev")
        yield from ("--chdir", self.home)

    def _variables(self) -> Iterator[str]:
        if self.cleared_environment:
            yield "--clearenv"
        for name, value in self.environment.items():
            yield from ("--setenv", name, value)
