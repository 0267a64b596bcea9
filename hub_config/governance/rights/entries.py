"""Use cases of the inbound airlock: a file is handed in, somebody looks at it where that is needed, and it
lies in the project's folder.

Bytes lie under their SHA-256, apart from what workspaces see; what was checked and looked at is what comes
in. Rows in the store say what should lie in a project's folder, and `deliver` makes it so, however often it
is asked: a crash between the two leaves a file that the next look delivers.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance.charter import MemberRole
from hub_config.governance.models import Member
from hub_config.governance.moments import aware, aware_or_none
from hub_config.governance.recorder import Recorder
from hub_config.governance.rights import models
from hub_config.governance.rights.actions import BadRight, fresh_id
from hub_config.governance.rights.facts import (
    ENTRY_TRANSITIONS,
    Entry,
    EntryKind,
    EntryState,
    EntryStep,
)

FOLDER, FILE, PRIVATE = 0o755, 0o644, 0o700
_PURPOSE: Final = 400
_LEADS: Final = (MemberRole.MEDECIN_DIM.value, MemberRole.MEDECIN_REFERENT.value, MemberRole.DMG.value)


class Shelf:
    """The bytes that asked to come in, and the folders that workspaces see read-only."""

    def __init__(self, home: Path) -> None:
        self.bytes = home / "entries"
        self.projects = home / "entrees"

    def keep(self, content: bytes) -> str:
        """The hash it lies under from now on, on the disk."""
        sha256 = hashlib.sha256(content).hexdigest()
        folder = self.bytes / sha256[:2]
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        _write(folder / sha256, content, 0o600)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Raises BadRight where it is gone, or not what it was."""
        try:
            handle = os.open(self.bytes / sha256[:2] / sha256, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            raise BadRight("no-entry") from None
        with os.fdopen(handle, "rb") as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BadRight("no-entry")
        return content

    def folder(self, project: str) -> Path:
        """What the project's workspaces see; made where it is missing."""
        self.projects.mkdir(parents=True, exist_ok=True)
        for folder in (self.projects, self.projects / project):
            folder.mkdir(exist_ok=True)
            folder.chmod(FOLDER)
        return self.projects / project

    def deliver(self, entry: Entry) -> None:
        """Have the accepted file lie in its project's folder, whole; an older one of its name goes."""
        path = self.folder(entry.project) / entry.name
        if not _holds(path, entry.sha256):
            _write(path, self.read(entry.sha256), FILE)


def hand_in(
    session: Session,
    project: str,
    kind: EntryKind,
    name: str,
    *,
    sha256: str,
    size: int,
    purpose: str,
    look: bool,
    at: datetime,
    audit: Recorder,
) -> Entry:
    """A checked file asks to come in. Accepted at once unless it needs a `look`; a table always does, and so
    does what would take the place of a file that was looked at."""
    said = " ".join(purpose.split())[:_PURPOSE]
    if not said:
        raise BadRight("text")
    waits = look or kind is EntryKind.TABLE or _was_looked_at(session, project, name)
    state = EntryState.SUBMITTED if waits else EntryState.ACCEPTED
    row = models.IncomingFile(
        id=fresh_id("E"),
        project=project,
        requester=audit.who,
        kind=kind.value,
        name=name,
        sha256=sha256,
        size=size,
        purpose=said,
        state=state.value,
        findings=[],
        submitted_at=at,
    )
    session.add(row)
    audit.record(session, "entry.submit", project, **_told(row))
    if state is EntryState.ACCEPTED:
        audit.record(session, "entry.accept", project, **_told(row))
    return _entry(row)


def _was_looked_at(session: Session, project: str, name: str) -> bool:
    file = models.IncomingFile
    seen = select(file.id).where(file.project == project, file.name == name, file.looked_by.is_not(None))
    return session.scalars(seen.limit(1)).first() is not None


def look(
    session: Session, entry: str, step: EntryStep, *, reason: str, at: datetime, audit: Recorder
) -> Entry:
    """Accept or refuse what somebody else handed in. Raises BadRight."""
    row = session.get(models.IncomingFile, entry)
    if row is None:
        raise BadRight("no-entry")
    if row.requester == audit.who:
        raise BadRight("own")
    after = ENTRY_TRANSITIONS[EntryState(row.state)].get(step)
    if after is None:
        raise BadRight("step")
    if step is EntryStep.REFUSE and not reason.strip():
        raise BadRight("text")
    row.state, row.looked_by, row.looked_at = after.value, audit.who, at
    row.reason = reason.strip()[:_PURPOSE]
    audit.record(session, f"entry.{step.value}", row.project, **_told(row))
    return _entry(row)


def refused(audit: Recorder, session: Session, project: str, kind: EntryKind, codes: str) -> None:
    """That a file was turned away by the checks, and by which; nothing of it is kept."""
    audit.record(session, "entry.turn-away", project, kind=kind.value, code=codes)


def leads(session: Session, project: str) -> frozenset[str]:
    """The members who answer for a project: its DIM physicians, its referent, its department."""
    query = select(Member.username).where(Member.project == project, Member.role.in_(_LEADS))
    return frozenset(session.scalars(query))


def lying(entries: Iterable[Entry]) -> list[Entry]:
    """What should lie in a project's folder: of each name the file that was accepted last."""
    accepted = (each for each in entries if each.state is EntryState.ACCEPTED)
    by_name = {each.name: each for each in sorted(accepted, key=_accepted_at)}
    return list(by_name.values())


def _accepted_at(entry: Entry) -> datetime:
    return entry.looked_at or entry.submitted_at


def entries_of(session: Session, project: str) -> list[Entry]:
    query = select(models.IncomingFile).where(models.IncomingFile.project == project)
    return [_entry(row) for row in session.scalars(query.order_by(models.IncomingFile.submitted_at.desc()))]


def waiting(session: Session) -> list[Entry]:
    """What waits for a look, oldest first."""
    query = select(models.IncomingFile).where(models.IncomingFile.state == EntryState.SUBMITTED.value)
    return [_entry(row) for row in session.scalars(query.order_by(models.IncomingFile.submitted_at))]


def entry_of(session: Session, entry: str) -> Entry:
    row = session.get(models.IncomingFile, entry)
    if row is None:
        raise BadRight("no-entry")
    return _entry(row)


def _told(row: models.IncomingFile) -> dict[str, str | int]:
    return {"request": row.id, "kind": row.kind, "size": row.size, "sha256": row.sha256}


def _entry(row: models.IncomingFile) -> Entry:
    return Entry(
        row.id,
        row.project,
        row.requester,
        EntryKind(row.kind),
        row.name,
        row.sha256,
        row.size,
        row.purpose,
        EntryState(row.state),
        tuple(row.findings),
        aware(row.submitted_at),
        row.looked_by,
        aware_or_none(row.looked_at),
        row.reason or "",
    )


def _holds(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _write(path: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(mode)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
