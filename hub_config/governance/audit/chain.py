"""Appends to the audit chain: durable before it returns, one writer at a time, and safe to kill at any
instant.

The order of an append: (1) the newest record's line is completed in its segment if a crash left it torn or
missing; (2) the segment is sealed if it is full or of another month; (3) the signed head, which holds the
new record whole, replaces the old one; (4) the record's line is written to the segment. A crash before 3
leaves nothing of the new event; after it, step 1 of the next append restores the line. Bytes in a segment
that no head vouches for are moved to a quarantine file, never deleted, and the repair is itself an event.
Disk full is AuditDiskFull; anything odd is AuditBroken: callers must refuse.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.failures import AuditBroken, AuditDiskFull, AuditFailure
from hub_config.governance.audit.keys import load_key, save_key
from hub_config.governance.audit.record import (
    HEAD_FILE,
    LOCK_FILE,
    Head,
    NotCanonical,
    Record,
    Seal,
    parse_head,
    seal_file,
    segment_file,
    sign,
)
from hub_config.governance.audit.segment import digest_of, quarantine_tail, write_all, write_atomically

SEGMENT_BYTES = 8 * 1024 * 1024
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class AuditChain:
    """The audit log of one enclave: segments in `directory`, its key in `keys`. Many processes may hold one
    each."""

    directory: Path
    keys: Path
    segment_bytes: int = SEGMENT_BYTES
    clock: Callable[[], datetime] = _now

    def append(self, event: AuditEvent) -> str:
        """Record `event` durably and return its hash. Raises AuditFailure, and then nothing may be
        answered."""
        with self.exclusive() as (key, head):
            return self._extend(head, event, key).hash

    @contextmanager
    def exclusive(self) -> Iterator[tuple[Ed25519PrivateKey, Head]]:
        """The chain at rest and to oneself: its key, and its head, whose record is whole in its segment."""
        try:
            with self._locked():
                key = self._key()
                yield key, self._completed(self._read_head(key), key)
        except OSError as error:
            raise _failure(error, self.directory) from error

    def exists(self) -> bool:
        """Whether anything was ever recorded here."""
        return (self.directory / HEAD_FILE).exists()

    def now(self) -> str:
        """The time as records write it."""
        return self.clock().astimezone(UTC).isoformat(timespec="microseconds")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _key(self) -> Ed25519PrivateKey:
        """The key; made together with an empty signed head the first time, in an order that a crash can't
        spoil."""
        key = load_key(self.keys)
        if key is None:
            if any(self.directory.glob("*.jsonl")):
                raise AuditBroken(
                    f"{self.directory} holds a log, {self.keys} no audit key. Restore keys/ from its backup."
                )
            key = Ed25519PrivateKey.generate()
            self._write_head(Head(segment=1, offset=0, first_at="", record=None), key)
            save_key(self.keys, key)
        return key

    def _read_head(self, key: Ed25519PrivateKey) -> Head:
        try:
            return parse_head((self.directory / HEAD_FILE).read_bytes(), key.public_key())
        except FileNotFoundError:
            raise AuditBroken(
                f"The audit log in {self.directory} has lost its head. Restore it from backup."
            ) from None
        except NotCanonical as problem:
            raise AuditBroken(
                f"{self.directory / HEAD_FILE}: {problem}. Run `p4dp-enclave audit verify`."
            ) from None

    def _write_head(self, head: Head, key: Ed25519PrivateKey) -> None:
        write_atomically(self.directory / HEAD_FILE, sign(head, key))

    def _completed(self, head: Head, key: Ed25519PrivateKey) -> Head:
        """Make the segment end with the head's record, as it does unless the last append was cut short."""
        path = self.directory / segment_file(head.segment)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size < head.offset:
                raise AuditBroken(
                    f"{path} has lost events. Run `p4dp-enclave audit verify` and restore it from backup."
                )
            tail = os.pread(descriptor, size - head.offset, head.offset)
            if tail == head.line:
                return head
            foreign = not head.line.startswith(tail)
            if foreign:
                quarantine_tail(self.directory, head.segment, tail)
            os.ftruncate(descriptor, head.offset)
            write_all(descriptor, head.line, head.offset)
        finally:
            os.close(descriptor)
        return self._note_repair(head, len(tail), key) if foreign else head

    def _note_repair(self, head: Head, moved: int, key: Ed25519PrivateKey) -> Head:
        details = {"segment": head.segment, "quarantined_bytes": moved}
        return self._extend(head, AuditEvent("enclave", "audit.repair", None, Decision.FAILED, details), key)

    def _extend(self, head: Head, event: AuditEvent, key: Ed25519PrivateKey) -> Head:
        at = self.now()
        record = Record.of(event, number=head.number + 1, at=at, prev=head.hash)
        place = self._place(head, at, key)
        extended = replace(place, first_at=place.first_at or at, record=record)
        self._write_head(extended, key)
        descriptor = os.open(self.directory / segment_file(extended.segment), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            write_all(descriptor, record.line, extended.offset)
        finally:
            os.close(descriptor)
        return extended

    def _place(self, head: Head, at: str, key: Ed25519PrivateKey) -> Head:
        """Where the next record goes: after the head's, or at the start of a new segment once this one is
        sealed."""
        if head.record is None or not self._is_full(head, at):
            return replace(head, offset=head.end)
        self._seal(head, key)
        return Head(segment=head.segment + 1, offset=0, first_at="", record=head.record)

    def _is_full(self, head: Head, at: str) -> bool:
        return head.end >= self.segment_bytes or head.first_at[:7] != at[:7]

    def _seal(self, head: Head, key: Ed25519PrivateKey) -> None:
        path = self.directory / segment_file(head.segment)
        with path.open("rb") as file:
            first = Record.parse(file.readline())
        seal = Seal(head.segment, first.number, head.number, first.prev, head.hash, digest_of(path))
        write_atomically(self.directory / seal_file(head.segment), sign(seal, key))


def _failure(error: OSError, directory: Path) -> AuditFailure:
    if error.errno in _NO_SPACE:
        return AuditDiskFull(
            f"No space left for the audit log in {directory}. Free some; earlier events are intact."
        )
    return AuditFailure(f"The audit log in {directory} can't be written: {error.strerror}.")
