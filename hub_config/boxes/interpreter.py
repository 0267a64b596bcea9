"""The part of the host's files that any Python program needs in its box, each at its own path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub_config.boxes.box import Mount

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")


class NoEnvironment(Exception):
    """There is no usable interpreter; the message names the folder."""


def system_mounts() -> Iterator[Mount]:
    """The system's programs and libraries."""
    yield from (Mount(Path(path), path) for path in _SYSTEM if Path(path).exists())


def interpreter_mounts(environment: Path) -> Iterator[Mount]:
    """The environment and, at their own paths, the installation its python comes from (links on the way
    included)."""
    python = environment / "bin" / "python"
    if not python.exists():
        raise NoEnvironment(f"No interpreter for workspaces: {python} is missing. `make` builds it.")
    yield Mount(environment, str(environment))
    installations = {python.resolve().parent.parent}
    if python.is_symlink() and (named := python.readlink()).is_absolute():
        installations.add(named.parent.parent)
    for installation in sorted(installations):
        if not any(installation.is_relative_to(path) for path in _SYSTEM):
            yield Mount(installation.resolve(), str(installation))
