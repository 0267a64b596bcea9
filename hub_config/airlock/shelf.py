"""Files asked to leave, under their SHA-256: written whole and on disk before a row names them, hashed again
whenever they are read.

A file here is never changed: another content has another name. What no longer fits its name is refused
(`ShelfBroken`). Previews that the checks made lie beside, as JSON, by the file and the checks' version.
Nothing here is followed through a link.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from hub_config.airlock.texts import AirlockProblem, Problem

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CHUNK: Final = 1024 * 1024
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe in a file's place is waited for by nobody


class ShelfBroken(AirlockProblem):
    """A file on the shelf is gone, or its bytes are no longer those that were put there."""


@dataclass(frozen=True)
class Shelved:
    """Bytes that are on the shelf: only `Shelf.put` makes one."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Shelf:
    """The shelf in `directory` (0700)."""

    directory: Path

    def put(self, content: bytes | Iterable[bytes], *, limit: int) -> Shelved:
        """Keep `content`, on disk when this returns. Raises AirlockProblem beyond `limit` bytes, OSError."""
        chunks = (content,) if isinstance(content, bytes) else content
        self._ensure(self.directory)
        draft = self.directory / f".{secrets.token_hex(8)}.draft"
        try:
            shelved = _written(draft, chunks, limit)
            self._place(draft, shelved)
        finally:
            draft.unlink(missing_ok=True)
        return shelved

    def read(self, sha256: str) -> bytes:
        """The bytes put under this hash. Raises ShelfBroken where they are not there, whole and the same."""
        content = b"".join(self.chunks(sha256))
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ShelfBroken(Problem.SHELF_BROKEN)
        return content

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """As they lie there, unchecked; for those who hash what they read."""
        with self._open(sha256) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def verify(self, sha256: str) -> None:
        """Raises ShelfBroken unless the bytes under this hash have it."""
        digest = hashlib.sha256()
        for chunk in self.chunks(sha256):
            digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise ShelfBroken(Problem.SHELF_BROKEN)

    def path(self, sha256: str) -> Path:
        """Where the checks find it. Raises ValueError for what is no hash."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError("a SHA-256 in lower-case hexadecimal is expected")
        return self.directory / sha256[:2] / sha256

    def put_preview(self, sha256: str, version: str, preview: Mapping[str, Any]) -> None:
        """Keep what the checks show of a file; an earlier one of this version is replaced."""
        content = json.dumps(preview, allow_nan=False).encode()  # ASCII: half a character can be kept too
        place = self._preview(sha256, version)
        self._ensure(place.parent)
        draft = place.with_name(f".{secrets.token_hex(8)}.draft")
        try:
            _written(draft, (content,), len(content))
            draft.rename(place)
        finally:
            draft.unlink(missing_ok=True)

    def get_preview(self, sha256: str, version: str) -> Mapping[str, Any] | None:
        """What these checks showed of it; None where they have not."""
        try:
            descriptor = os.open(self._preview(sha256, version), _READ)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            preview = json.loads(file.read())
        return preview if isinstance(preview, dict) else None

    def held(self) -> Iterator[str]:
        """The hash of every file that lies here."""
        for folder in sorted(self.directory.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path.name for path in folder.iterdir() if _SHA256.fullmatch(path.name))

    def age(self, sha256: str, now: float) -> float:
        """Seconds since it was put there, the last time."""
        return now - self.path(sha256).lstat().st_mtime

    def clear_drafts(self, now: float, seconds: float) -> None:
        """Take away what a process that died was writing, so long ago."""
        for draft in (*self.directory.glob(".*.draft"), *self.directory.glob("??/.*.draft")):
            if now - draft.lstat().st_mtime > seconds:
                draft.unlink(missing_ok=True)

    def discard(self, sha256: str) -> None:
        """Take a file that no request names any more off the shelf, with its previews."""
        for preview in self.path(sha256).parent.glob(f"{sha256}.*.json"):
            preview.unlink(missing_ok=True)
        self.path(sha256).unlink(missing_ok=True)

    def _preview(self, sha256: str, version: str) -> Path:
        if not _VERSION.fullmatch(version):
            raise ValueError("a version is letters, digits and . _ -")
        return self.path(sha256).with_name(f"{sha256}.{version}.json")

    def _open(self, sha256: str) -> BinaryIO:
        try:
            descriptor = os.open(self.path(sha256), _READ)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.EACCES, errno.ENOTDIR):
                raise ShelfBroken(Problem.SHELF_BROKEN) from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ShelfBroken(Problem.SHELF_BROKEN)
        return os.fdopen(descriptor, "rb")

    def _place(self, draft: Path, shelved: Shelved) -> None:
        """By rename: whole or not at all; the same bytes twice are one file, mended where they were not."""
        place = self.path(shelved.sha256)
        self._ensure(place.parent)
        draft.rename(place)
        _sync_folder(place.parent)

    def _ensure(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_folder(folder.parent)


def _written(draft: Path, chunks: Iterable[bytes], limit: int) -> Shelved:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(draft, _NEW, 0o600), "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise AirlockProblem(Problem.FILE_TOO_BIG, megabytes=limit // 1024**2)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Shelved(digest.hexdigest(), size)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
