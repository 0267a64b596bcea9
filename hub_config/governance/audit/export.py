"""Writes a range of days of the log for the DPO, as JSON Lines (the records' own bytes) or CSV. Every event
is checked on the way; an export is recorded before it is written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TextIO, assert_never

from hub_config.governance.audit.chain import AuditChain
from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.record import Record
from hub_config.governance.audit.verification import read_records

_COLUMNS = ("number", "at", "who", "what", "project", "decision", "details", "prev", "hash")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True)
class Days:
    """From one day to another, both included, in UTC; None is open."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, record: Record) -> bool:
        day = date.fromisoformat(record.at[:10])
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def export(directory: Path, keys: Path, days: Days, kind: Format, output: TextIO, *, who: str) -> int:
    """Write the events of `days` to `output`; how many. Raises AuditFailure, and AuditBroken at a break."""
    said = {"first": str(days.first or ""), "last": str(days.last or ""), "format": kind.value}
    AuditChain(directory, keys).append(AuditEvent(who, "audit.export", None, Decision.ALLOWED, said))
    chosen = (record for record in read_records(directory, keys) if record in days)
    match kind:
        case Format.JSONL:
            return _write_lines(chosen, output)
        case Format.CSV:
            return _write_csv(chosen, output)
        case _:
            assert_never(kind)


def _write_lines(records: Iterable[Record], output: TextIO) -> int:
    count = 0
    for record in records:
        output.write(record.line.decode("ascii"))
        count += 1
    return count


def _write_csv(records: Iterable[Record], output: TextIO) -> int:
    writer = csv.writer(output)
    writer.writerow(_COLUMNS)
    count = 0
    for record in records:
        writer.writerow(_cells(record))
        count += 1
    return count


def _cells(record: Record) -> Iterator[str | int]:
    yield record.number
    details = json.dumps(dict(record.details), sort_keys=True)
    for text in (record.at, record.who, record.what, record.project or "", record.decision, details):
        yield _inert(text)
    yield record.prev
    yield record.hash


def _inert(text: str) -> str:
    """A spreadsheet would run a cell that begins like a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
