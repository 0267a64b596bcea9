"""Reads the whole chain again and says where it first breaks. Writes nothing; may run beside a busy
enclave.

Found: any change, insertion, swap or deletion of bytes, lines, seals or segments, and any truncation. Not
found from these files alone: someone who holds the key, or who puts back an older copy of the whole
directory, or another one with another key. Against these stand the anchors that were noted outside (see
`anchors`): a number and a hash through which the chain must still pass.

Where retention dropped old segments, the chain is read from the signed mark it left (see `retention`).
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub_config.governance.audit.failures import AuditBroken
from hub_config.governance.audit.keys import KEY_FILE, fingerprint, load_key
from hub_config.governance.audit.record import (
    GENESIS,
    HEAD_FILE,
    LOCK_FILE,
    PRUNED_FILE,
    Head,
    NotCanonical,
    Pruned,
    Record,
    Seal,
    parse_head,
    parse_pruned,
    parse_seal,
    seal_file,
    segment_file,
)
from hub_config.governance.audit.segment import digest_of


@dataclass(frozen=True)
class Break:
    """The first thing that is not as it was written: the number of the event concerned, its file, and what
    is wrong."""

    number: int
    file: str
    problem: str


@dataclass(frozen=True)
class Verification:
    """What a reading of the chain found. `events` is the number of the last one before the break, if there is
    one; `dropped` that of the last one that retention removed."""

    events: int
    segments: int
    head: str
    key: str
    torn: bool = (
        False  # a crash cut the newest line short; the head holds that event, the next append repairs it
    )
    broken: Break | None = None
    quarantined: tuple[str, ...] = ()
    dropped: int = 0

    @property
    def intact(self) -> bool:
        return self.broken is None


class _Broken(Exception):
    def __init__(self, number: int, file: str, problem: str) -> None:
        super().__init__(problem)
        self.found = Break(number, file, problem)


def verify(
    directory: Path,
    keys: Path,
    *,
    noted: tuple[int, str] | None = None,
    anchors: Mapping[int, str] | None = None,
) -> Verification:
    """Check every byte of the chain in `directory` against itself and the key in `keys`.

    `noted` is the number and hash an earlier verification printed, `anchors` the hash of each number noted
    outside: the chain must still pass through all of them, but those that retention dropped.
    """
    passages = {**(anchors or {}), **({noted[0]: noted[1]} if noted else {})}
    while True:
        reading = _Reading(directory, keys)
        try:
            _pass_through(reading, passages)
        except _DroppedMeanwhile:
            continue
        except _Broken as broken:
            return reading.outcome(broken.found)
        return reading.outcome(None)


def _pass_through(reading: _Reading, passages: Mapping[int, str]) -> None:
    for record in reading.records():
        if passages.get(record.number, record.hash) != record.hash:
            raise _Broken(record.number, reading.file, "not the event that was noted at this number")
    if passages.get(reading.dropped, reading.dropped_hash) != reading.dropped_hash:
        raise _Broken(reading.dropped, PRUNED_FILE, "not the event that was noted at this number")
    if passages and reading.number < max(passages):
        raise _Broken(reading.number + 1, HEAD_FILE, "the log ends before the event that was noted")


class _DroppedMeanwhile(Exception):
    """Retention removed a segment while it was to be read: read again."""


def read_records(directory: Path, keys: Path) -> Iterator[Record]:
    """Every event in order, each checked before it is given. Raises AuditBroken at the first that is not as
    written."""
    try:
        yield from _Reading(directory, keys).records()
    except _DroppedMeanwhile:
        raise AuditBroken("Old events were dropped while the log was read. Do it again.") from None
    except _Broken as broken:
        found = broken.found
        raise AuditBroken(
            f"The audit log breaks at event {found.number} ({found.file}): {found.problem}. "
            "Run `p4dp-enclave audit verify`."
        ) from None


class _Reading:
    """One pass over the chain: what has been read so far, and what is expected next."""

    def __init__(self, directory: Path, keys: Path) -> None:
        self.directory = directory
        self.keys = keys
        self.number = 0
        self.hash = GENESIS
        self.segments = 0
        self.file = ""
        self.key = ""
        self.torn = False
        self.dropped = 0
        self.dropped_hash = GENESIS

    def outcome(self, broken: Break | None) -> Verification:
        quarantined = tuple(sorted(path.name for path in self.directory.glob("quarantine-*")))
        return Verification(
            self.number, self.segments, self.hash, self.key, self.torn, broken, quarantined, self.dropped
        )

    def records(self) -> Iterator[Record]:
        state = self.state()
        if state.key is None:
            return
        self.key = fingerprint(state.key)
        first = self._begin(state)
        head = self._head(state.head, state.key, first)
        for segment in range(first, head.segment):
            yield from self._closed_segment(segment, state.key)
        yield from self._open_segment(head, state.sizes.get(head.segment, 0))
        self._nothing_after(head, state)

    def _begin(self, state: _State) -> int:
        """The first segment that is kept. What retention dropped is vouched for by the mark it left."""
        if state.pruned is None or state.key is None:
            return 1
        try:
            pruned = parse_pruned(state.pruned, state.key)
        except NotCanonical as problem:
            raise _Broken(1, PRUNED_FILE, str(problem)) from None
        self.number, self.hash = pruned.number, pruned.hash
        self.dropped, self.dropped_hash = pruned.number, pruned.hash
        return pruned.segment + 1

    def state(self) -> _State:
        """Key, head and sizes between two appends; afterwards segments only grow, and closed ones don't."""
        with _shared_lock(self.directory) as locked:
            state = _State.read(self.directory, self.keys)
        if not locked and (self.directory / LOCK_FILE).exists():
            return self.state()  # the very first append began meanwhile
        if state.key is None and state.sizes:
            raise _Broken(1, KEY_FILE, "the audit key is missing; restore keys/ from its backup")
        return state

    def _head(self, content: bytes | None, key: Ed25519PublicKey, first: int) -> Head:
        """The head; if it is not as written, the segments are still read, for the break may lie earlier."""
        try:
            if content is None:
                raise NotCanonical("the head is missing")
            return parse_head(content, key)
        except NotCanonical as problem:
            self._read_without_head(key, first)
            raise _Broken(max(self.number, 1), HEAD_FILE, str(problem)) from None

    def _read_without_head(self, key: Ed25519PublicKey, first: int) -> None:
        newest = max(_sizes(self.directory), default=0)
        for segment in range(first, newest):
            deque(self._closed_segment(segment, key), maxlen=0)
        deque(self._lines(newest, None) if newest else (), maxlen=0)

    def _closed_segment(self, segment: int, key: Ed25519PublicKey) -> Iterator[Record]:
        first, prev = self.number + 1, self.hash
        yield from self._lines(segment, None)
        self.file = seal_file(segment)
        try:
            seal = parse_seal((self.directory / self.file).read_bytes(), key)
        except FileNotFoundError:
            raise _Broken(self.number, self.file, "the seal is missing") from None
        except NotCanonical as problem:
            raise _Broken(self.number, self.file, str(problem)) from None
        if seal.last > self.number:
            raise _Broken(
                self.number + 1, segment_file(segment), "the segment ends before the event its seal names"
            )
        digest = digest_of(self.directory / segment_file(segment))
        if seal != Seal(segment, first, self.number, prev, self.hash, digest):
            raise _Broken(self.number, self.file, "the segment is not the one that was sealed")

    def _open_segment(self, head: Head, size: int) -> Iterator[Record]:
        """The head's segment. Its last line may be torn or missing after a crash: the head holds that event
        whole."""
        yield from self._lines(head.segment, min(size, head.offset))
        tail = self._tail(head, size)
        if not head.line.startswith(tail[: len(head.line)]):
            raise _Broken(head.number, self.file, "the newest event is not the one the head holds")
        self.torn = len(tail) < len(head.line)
        if head.record is not None:
            self._accept(head.record)
            yield head.record
        if len(tail) > len(head.line):
            raise _Broken(head.number + 1, self.file, "there is more after the newest event")

    def _tail(self, head: Head, size: int) -> bytes:
        if size <= head.offset:
            return b""
        with (self.directory / segment_file(head.segment)).open("rb") as file:
            file.seek(head.offset)
            return file.read(size - head.offset)

    def _lines(self, segment: int, length: int | None) -> Iterator[Record]:
        self.file = segment_file(segment)
        path = self.directory / self.file
        if length == 0:
            self.segments += 1
            return
        try:
            with path.open("rb") as file:
                while (length is None or file.tell() < length) and (line := file.readline()):
                    yield self._record(line)
        except FileNotFoundError:
            if segment <= dropped_through(self.directory, self.keys):
                raise _DroppedMeanwhile from None
            raise _Broken(self.number + 1, self.file, "the segment is missing") from None
        self.segments += 1

    def _record(self, line: bytes) -> Record:
        try:
            record = Record.parse(line)
        except NotCanonical as problem:
            raise _Broken(self.number + 1, self.file, str(problem)) from None
        self._accept(record)
        return record

    def _accept(self, record: Record) -> None:
        if record.number != self.number + 1:
            raise _Broken(self.number + 1, self.file, f"event {record.number} stands in its place")
        if record.prev != self.hash:
            raise _Broken(record.number, self.file, "the event does not follow the one before it")
        self.number, self.hash = record.number, record.hash

    def _nothing_after(self, head: Head, state: _State) -> None:
        """Segments before the mark are what a crash left of those that retention dropped."""
        for segment in sorted(state.sizes):
            if not 1 <= segment <= head.segment:
                raise _Broken(head.number + 1, segment_file(segment), "a segment that no head vouches for")


@dataclass(frozen=True)
class _State:
    """What stands on disk at one instant."""

    key: Ed25519PublicKey | None
    head: bytes | None
    sizes: Mapping[int, int]
    pruned: bytes | None

    @classmethod
    def read(cls, directory: Path, keys: Path) -> Self:
        try:
            key = load_key(keys)
        except AuditBroken as problem:
            raise _Broken(1, KEY_FILE, str(problem)) from None
        return cls(
            key.public_key() if key else None,
            _content(directory / HEAD_FILE),
            _sizes(directory),
            _content(directory / PRUNED_FILE),
        )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def at_rest(directory: Path, keys: Path) -> tuple[Head | None, int]:
    """The head between two appends (None: nothing was ever recorded), and the first segment that is kept.
    Raises AuditBroken where they are not as written."""
    try:
        state = _Reading(directory, keys).state()
        if state.key is None or state.head is None:
            return None, 1
        return parse_head(state.head, state.key), dropped_through(directory, keys) + 1
    except NotCanonical as problem:
        raise AuditBroken(f"{directory / HEAD_FILE}: {problem}. Run `p4dp-enclave audit verify`.") from None
    except _Broken as broken:
        raise AuditBroken(f"{broken.found.problem}. Run `p4dp-enclave audit verify`.") from None


def dropped_through(directory: Path, keys: Path) -> int:
    """The last segment that retention dropped; 0 where none was. Raises AuditBroken for a mark that this
    enclave did not sign."""
    pruned = read_pruned(directory, keys)
    return pruned.segment if pruned else 0


def read_pruned(directory: Path, keys: Path) -> Pruned | None:
    """The mark that retention left, or None. Raises AuditBroken where it is not this enclave's."""
    content, key = _content(directory / PRUNED_FILE), load_key(keys)
    if content is None or key is None:
        return None
    try:
        return parse_pruned(content, key.public_key())
    except NotCanonical as problem:
        raise AuditBroken(f"{directory / PRUNED_FILE}: {problem}. Run `p4dp-enclave audit verify`.") from None


def _sizes(directory: Path) -> dict[int, int]:
    return {int(path.stem): path.stat().st_size for path in directory.glob(f"{'[0-9]' * 6}.jsonl")}


@contextmanager
def _shared_lock(directory: Path) -> Iterator[bool]:
    """Wait out a running append. False: there is no lock file, so nothing was ever appended."""
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield True
    finally:
        os.close(descriptor)
