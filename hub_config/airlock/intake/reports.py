"""The bytes of a report that the enclave keeps, found by its record alone: no path, name or hash comes from a
person. What lies there now must be what was written then.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from hub_config.governance.report_runs.facts import KeptFile, RunFacts

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def kept_bytes(reports: Path, run: RunFacts, file: KeptFile) -> bytes | None:
    """None where it is not there any more, can't be read, or is another."""
    try:
        content = _read(reports, (run.project, run.folder), file)
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == file.sha256 else None


def is_kept(reports: Path, run: RunFacts) -> bool:
    """Whether its folder is there; whether the files are those is looked at when one asks for them."""
    return (reports / run.project / run.folder).is_dir()


def _read(reports: Path, folders: tuple[str, ...], file: KeptFile) -> bytes:
    """Folder by folder, through no link, and no further than one byte beyond what was written."""
    at = os.open(reports, _FOLDER)
    try:
        for folder in folders:
            below = os.open(folder, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        handle = os.open(file.name, _FILE, dir_fd=at)
    finally:
        os.close(at)
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"{file.name} is no regular file")
        return opened.read(file.size + 1)
