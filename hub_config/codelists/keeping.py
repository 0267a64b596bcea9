"""How shared files are put in their place: whole, on record, and never over another.

They are for everybody: workspaces, which may run under users of their own, read them through a read-only
mount. So files are 0644 in folders 0755, below the home, which is 0700 and lets nobody else in.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hub_config.codelists.problems import CodeListProblem
from hub_config.governance.audit import AuditChain, AuditEvent, Decision
from hub_config.governance.audit.event import Scalar

FOLDER, FILE = 0o755, 0o644


def shared_folder(home: Path, *names: str) -> Path:
    """The folder `home/…/names`, made where it is missing."""
    folder = home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in names:
        folder = folder / name
        folder.mkdir(exist_ok=True)
        folder.chmod(FOLDER)
    return folder


def put(path: Path, content: bytes, event: AuditEvent, chain: AuditChain, *, replace: bool = False) -> None:
    """`content` at `path`, once `event` is on record. Raises CodeListProblem where something is there already
    and `replace` does not say that it may go."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(FILE)
        if not replace and path.exists():
            raise CodeListProblem(f"{path} is there already and stays as it is.")
        number = chain.append(event)
        _move(new, path, replace, number, event, chain)
    finally:
        new.unlink(missing_ok=True)


def _move(new: Path, path: Path, replace: bool, number: Scalar, event: AuditEvent, chain: AuditChain) -> None:
    try:
        if replace:
            new.replace(path)
        else:
            path.hardlink_to(new)  # fails where another was quicker
    except OSError:
        chain.append(AuditEvent(event.who, "audit.undone", None, Decision.FAILED, {"event": number}))
        raise
