"""Secrets of this enclave: made on first use, kept in `keys/` (0700), one file (0600) each.

Never a setting, never logged.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class UnsafeKey(Exception):
    """A key file can be read by others; the message names it and the remedy."""


def ensure_key(directory: Path, name: str, *, nbytes: int = 32) -> str:
    """The key `name` in hexadecimal, generated when absent.

    Two processes that ask at once get the same key. Raises UnsafeKey where others may read the file.
    """
    path = directory / name
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _create(path, secrets.token_hex(nbytes))
    if path.stat().st_mode & 0o077:
        raise UnsafeKey(f"{path} can be read by other users. Run: chmod 600 {path}")
    return path.read_text().strip()


def write_private(path: Path, content: str) -> None:
    """Write `content` whole, readable by nobody else; what was there is replaced at once or not at all."""
    draft = _draft(path, content)
    draft.rename(path)


def _create(path: Path, value: str) -> None:
    """Link a whole file into place: the first writer wins, a reader never sees half a key."""
    draft = _draft(path, value)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _draft(path: Path, content: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft
