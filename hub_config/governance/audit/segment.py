"""Files of the chain: every write complete and on disk when it returns, and nothing ever deleted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def write_all(descriptor: int, content: bytes, offset: int) -> None:
    """Write `content` at `offset`, all of it, to the disk itself."""
    done = 0
    while done < len(content):
        done += os.pwrite(descriptor, content[done:], offset + done)
    os.fsync(descriptor)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path`: a reader, or a crash, sees the old content or the new."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, content, 0)
    finally:
        os.close(descriptor)
    draft.rename(path)
    _sync_directory(path.parent)


def quarantine_tail(directory: Path, segment: int, tail: bytes) -> None:
    """Keep bytes that no head vouches for, under their hash, for a person to look at."""
    write_atomically(
        directory / f"quarantine-{segment:06d}-{hashlib.sha256(tail).hexdigest()[:16]}.bin", tail
    )


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
