"""Drops the oldest events once nobody may keep them: whole sealed segments, never one of the last twelve
months.

The order, safe to kill at any instant: (1) each segment that goes is checked against its seal; (2) an event
says what is dropped, and up to which hash; (3) a signed mark takes the place of the old beginning; (4) the
files go. After a crash between 2 and 3 nothing is dropped; between 3 and 4 the files lie there unread, and go
with the next run.

A clock that runs ahead drops nothing more. The newest event written before is older than it, and the older of
the two counts; and what goes must have as many months *of events* after it as are kept: a year of a log that
was written, not of a calendar that jumped. A log that was not written to for months keeps its oldest events
longer.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub_config.governance.audit.chain import AuditChain
from hub_config.governance.audit.event import AuditEvent, Decision
from hub_config.governance.audit.failures import AuditBroken
from hub_config.governance.audit.record import (
    PRUNED_FILE,
    NotCanonical,
    Pruned,
    Record,
    Seal,
    parse_seal,
    seal_file,
    segment_file,
    sign,
)
from hub_config.governance.audit.segment import digest_of, write_atomically
from hub_config.governance.audit.verification import dropped_through

LEAST_MONTHS: Final = 12
_LONGEST_LINE: Final = 1024 * 1024


@dataclass(frozen=True)
class Dropped:
    """What a run removed: so many events, the last of them by its number and time."""

    events: int
    segments: int
    number: int
    at: str


def prune(chain: AuditChain, *, months: int, who: str) -> Dropped | None:
    """Drop the segments whose events are all older than `months`, and say so in the chain; None where there
    is none. Raises AuditBroken at a segment that is not as it was sealed: that is evidence, and stays."""
    if months < LEAST_MONTHS:
        raise ValueError(f"the audit log is kept for {LEAST_MONTHS} months at least")
    begin = _begin(chain)
    leaving = list(_leaving(chain, begin, months))
    if not leaving:
        _remove(chain.directory, begin)
        return None
    last, at = leaving[-1]
    dropped = Dropped(last.last - leaving[0][0].first + 1, len(leaving), last.last, at)
    chain.append(
        AuditEvent(
            who,
            "audit.prune",
            None,
            Decision.ALLOWED,
            {"events": dropped.events, "through": last.last, "through_at": at, "hash": last.hash},
        )
    )
    with chain.exclusive() as (key, _):
        if dropped_through(chain.directory, chain.keys) < last.segment:
            mark = Pruned(last.segment, last.last, last.hash, at, chain.now())
            write_atomically(chain.directory / PRUNED_FILE, sign(mark, key))
        _remove(chain.directory, last.segment)
    return dropped


def _begin(chain: AuditChain) -> int:
    return dropped_through(chain.directory, chain.keys)


def _leaving(chain: AuditChain, begin: int, months: int) -> Iterator[tuple[Seal, str]]:
    """The segments to drop, oldest first, each with the time of its last event."""
    if not chain.exists():
        return
    with chain.exclusive() as (key, head):
        newest = head.record.at if head.record else ""
        current = head.segment
    limit = months_before(min(chain.now(), newest) if newest else chain.now(), months)
    written = [_month_of(chain.directory / segment_file(each)) for each in range(begin + 1, current + 1)]
    for segment in range(begin + 1, current):
        at = _last_at(chain.directory / segment_file(segment))
        after = {month for month in written[segment - begin :] if month > at[:7]}
        if at >= limit or len(after) < months:
            return
        yield _checked(chain.directory, segment, key.public_key()), at


def months_before(at: str, months: int) -> str:
    """The moment so many months earlier, as records write time; the 31st becomes a month's last day."""
    moment = datetime.fromisoformat(at).astimezone(UTC)
    place = moment.year * 12 + moment.month - 1 - months
    year, month = place // 12, place % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day).isoformat(timespec="microseconds")


def _checked(directory: Path, segment: int, key: Ed25519PublicKey) -> Seal:
    """The seal of a segment that is as it was sealed."""
    path, seal_path = directory / segment_file(segment), directory / seal_file(segment)
    try:
        seal = parse_seal(seal_path.read_bytes(), key)
    except (NotCanonical, FileNotFoundError):
        raise AuditBroken(
            f"{seal_path} is missing or not this enclave's: nothing was dropped. "
            "Run `p4dp-enclave audit verify`."
        ) from None
    if seal.segment != segment or digest_of(path) != seal.sha256:
        raise AuditBroken(
            f"{path} is not as it was sealed: nothing was dropped. Run `p4dp-enclave audit verify`."
        )
    return seal


def _last_at(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LONGEST_LINE))
            return Record.parse(file.read().splitlines(keepends=True)[-1]).at
    except (FileNotFoundError, IndexError, NotCanonical):
        raise AuditBroken(
            f"{path} can't be read: nothing was dropped. Run `p4dp-enclave audit verify`."
        ) from None


def _month_of(path: Path) -> str:
    """The month of the segment's events: a segment holds those of one."""
    try:
        with path.open("rb") as file:
            return Record.parse(file.readline()).at[:7]
    except (FileNotFoundError, NotCanonical):
        raise AuditBroken(
            f"{path} can't be read: nothing was dropped. Run `p4dp-enclave audit verify`."
        ) from None


def _remove(directory: Path, through: int) -> None:
    """The files of the segments up to `through`, those that an earlier run left behind included."""
    for path in sorted(directory.glob("[0-9]*.*")):
        if path.suffix in (".jsonl", ".seal") and path.stem.isdecimal() and int(path.stem) <= through:
            path.unlink(missing_ok=True)
