"""The folder of one person in one project: `homes/<project>/<user>`, closed to everyone else.

Only the folders are made here. What lies in them is the user's and may be a trap (a link to another place),
so the enclave never writes there: the templates are copied from inside the box.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"[a-z0-9_][a-z0-9._@+-]{0,63}")


class UnusableName(Exception):
    """A user's or a project's name can't name a folder."""


def prepare_home(homes: Path, project: str, user: str, uid: int | None) -> Path:
    """The home, made if need be, of mode 0700, owned by `uid` (None: by who runs the enclave).

    Raises UnusableName; OSError where the disk is full or the folder belongs to somebody else.
    """
    for name in (project, user):
        if not _NAME.fullmatch(name):
            raise UnusableName(name)
    for folder in (homes, homes / project, homes / project / user):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    home = homes / project / user
    if uid is not None and home.stat(follow_symlinks=False).st_uid != uid:
        _give(home, uid)
    home.chmod(0o700)
    return home


def prepare_entries(home: Path, project: str) -> Path:
    """The folder of what came into the project by the inbound airlock, made if need be: workspaces see it
    read-only, and what is accepted while they run appears in it."""
    if not _NAME.fullmatch(project):
        raise UnusableName(project)
    for folder in (home / "entrees", home / "entrees" / project):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    return home / "entrees" / project


def _give(home: Path, uid: int) -> None:
    """Change the owner of all of it; never through a link, and the folder itself last: a broken run is taken
    up again."""
    for _, folders, files, handle in os.fwalk(home, topdown=False, follow_symlinks=False):
        for name in (*folders, *files):
            os.chown(name, uid, uid, dir_fd=handle, follow_symlinks=False)
    os.chown(home, uid, uid, follow_symlinks=False)
