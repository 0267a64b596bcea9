"""The few system calls that Python lacks: take another user's place, see folders through a closed home, die
with the parent.

All of it runs in a child process between fork and exec. Standard library only: the launcher must start at
once.

Root opens the way for a workspace's uid in a *private* mount namespace: a folder that is closed to others (a
0700 home with a pyenv in it, the enclave's state) is covered by an empty one that holds nothing but the paths
named. So the host's permissions stay as they are, and the workspace's user can't reach their neighbours even
before bubblewrap starts.
"""

from __future__ import annotations

import ctypes
import os
import signal
import stat
from collections.abc import Iterable
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Be killed when `parent` dies; at once if it already has.

    Call after any change of user, which forgets it.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def become(uid: int) -> None:
    """Be user and group `uid` for good, with no other group and no capability."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def open_the_way(paths: Iterable[Path]) -> None:
    """Make `paths` reachable at their own place, in a private view of the files, whatever folder above them
    is closed."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    sources = [path.absolute() for path in paths]
    handles = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in dict.fromkeys(sources)}
    covers = {cover for path in handles if (cover := closed_folder_above(path)) is not None}
    for cover in covers:
        _mount("tmpfs", str(cover), "tmpfs", 0, "mode=0755,size=1m")
    for path, handle in sorted(handles.items()):
        if any(cover in path.parents for cover in covers):
            _show(path, handle)
    for handle in handles.values():
        os.close(handle)


def closed_folder_above(path: Path) -> Path | None:
    """The first folder, from the root, on the way to `path` that other users may not enter."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def _show(path: Path, handle: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        path.mkdir(exist_ok=True, mode=0o755)
    else:
        path.touch(exist_ok=True)
    _mount(f"/proc/self/fd/{handle}", str(path), None, _MS_BIND | _MS_REC)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    as_bytes = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _check(
        _libc.mount(as_bytes[0], as_bytes[1], as_bytes[2], ctypes.c_ulong(flags), as_bytes[3]),
        f"mount {target}",
    )


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
