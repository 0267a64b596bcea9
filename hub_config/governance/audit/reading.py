"""A page of the log, newest first, without reading all of it: the newest segment backwards, then the one
before.

Each event's own hash is checked as it is read; that the events follow each other is `verify`'s to say, not a
page's. A segment that lies outside the days asked for is told by its first line, and skipped; a line that
can't match is told by its bytes, and not parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from hub_config.governance.audit.failures import AuditBroken
from hub_config.governance.audit.record import NotCanonical, Record, segment_file
from hub_config.governance.audit.verification import at_rest

PAGE: Final = 100


@dataclass(frozen=True)
class Wanted:
    """Which events. Days are UTC, both included. `what`: names, or beginnings of names that end with a dot;
    empty: all."""

    who: str = ""
    project: str = ""
    what: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None

    def admits(self, record: Record) -> bool:
        return (
            (not self.who or record.who == self.who)
            and (not self.project or record.project == self.project)
            and (not self.decision or record.decision in self.decision)
            and (not self.what or any(_is(record.what, name) for name in self.what))
            and (self.first is None or record.at[:10] >= self.first.isoformat())
            and (self.last is None or record.at[:10] <= self.last.isoformat())
        )

    def may_hold(self, line: bytes) -> bool:
        """Whether the bytes of a record can be one that is admitted: never false for one that is."""
        return (
            (not self.who or _pair("who", self.who) in line)
            and (not self.project or _pair("project", self.project) in line)
            and (not self.what or any(_pair("what", name).rstrip(b'"') in line for name in self.what))
        )


def _is(what: str, name: str) -> bool:
    return what.startswith(name) if name.endswith(".") else what == name


def _pair(name: str, value: str) -> bytes:
    return f'"{name}":{json.dumps(value)}'.encode("ascii")


@dataclass(frozen=True)
class Page:
    """`older`: ask again with `before` this number; None: there is nothing older."""

    records: tuple[Record, ...]
    older: int | None


def newest(
    directory: Path, keys: Path, wanted: Wanted, *, limit: int = PAGE, before: int | None = None
) -> Page:
    """The newest events that are `wanted`, up to `limit`. Raises AuditBroken at a line that is not as
    written."""
    found = list(islice(backwards(directory, keys, wanted, before=before), limit + 1))
    return Page(tuple(found[:limit]), found[limit - 1].number if len(found) > limit else None)


def backwards(directory: Path, keys: Path, wanted: Wanted, *, before: int | None = None) -> Iterator[Record]:
    """Every event that is `wanted`, newest first. Raises AuditBroken at a line that is not as written."""
    head, first_segment = at_rest(directory, keys)
    if head is None or head.record is None:
        return
    if (before is None or head.number < before) and wanted.admits(head.record):
        yield head.record
    for segment in range(head.segment, first_segment - 1, -1):
        path = directory / segment_file(segment)
        length = head.offset if segment == head.segment else None
        begins = _first(path, length)
        if begins is None or _too_new(begins, wanted, before):
            continue
        yield from _matching(path, length, wanted, before)
        if wanted.first is not None and begins.at[:10] < wanted.first.isoformat():
            return


def _too_new(begins: Record, wanted: Wanted, before: int | None) -> bool:
    too_late = wanted.last is not None and begins.at[:10] > wanted.last.isoformat()
    return too_late or (before is not None and begins.number >= before)


def _first(path: Path, length: int | None) -> Record | None:
    if length == 0:
        return None
    try:
        with path.open("rb") as file:
            return _parsed(path, file.readline())
    except FileNotFoundError:
        raise AuditBroken(f"{path} is missing. Run `p4dp-enclave audit verify`.") from None


def _matching(path: Path, length: int | None, wanted: Wanted, before: int | None) -> Iterator[Record]:
    with path.open("rb") as file:
        content = file.read() if length is None else file.read(length)
    for line in reversed(content.splitlines(keepends=True)):
        if not wanted.may_hold(line):
            continue
        record = _parsed(path, line)
        if (before is None or record.number < before) and wanted.admits(record):
            yield record


def _parsed(path: Path, line: bytes) -> Record:
    try:
        return Record.parse(line)
    except NotCanonical as problem:
        raise AuditBroken(f"{path}: {problem}. Run `p4dp-enclave audit verify`.") from None


def days_of(months: int, today: date) -> date:
    """The first day of a window of so many months of 30 days, for a page's default."""
    return today - timedelta(days=30 * months)


def find(directory: Path, keys: Path, digest: str) -> Record | None:
    """The event whose hash begins so (at least 12 digits), newest first; None where none does."""
    if len(digest) < 12 or any(sign not in "0123456789abcdef" for sign in digest):
        return None
    head, first_segment = at_rest(directory, keys)
    if head is None or head.record is None:
        return None
    if head.record.hash.startswith(digest):
        return head.record
    mark = f'"hash":"{digest}'.encode("ascii")
    for segment in range(head.segment, first_segment - 1, -1):
        path = directory / segment_file(segment)
        length = head.offset if segment == head.segment else None
        for line in reversed(_lines(path, length)):
            if mark in line and (record := _parsed(path, line)).hash.startswith(digest):
                return record
    return None


def _lines(path: Path, length: int | None) -> list[bytes]:
    if length == 0:
        return []
    with path.open("rb") as file:
        return (file.read() if length is None else file.read(length)).splitlines(keepends=True)
