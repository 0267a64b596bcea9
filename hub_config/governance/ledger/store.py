"""Reads and appends the ledger, one writer at a time, and believes nothing that its hashes don't vouch for.

`read` gives what is new since a position to whoever keeps an index of it. `appending` takes the lock that all
gateways share (SQLite: the database's own; PostgreSQL: the head's row), so that what is decided inside it
rests on everything that was shown. An answer is on disk when `appending` is left: SQLite syncs its log at
each commit, PostgreSQL is told to. What can't be read whole is CorruptLedger, and then nothing may be
answered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hub_config.governance.ledger.group import CorruptGroup, Group, Tally, checksum, decode, encode
from hub_config.governance.ledger.models import Answer, Audience, Head, Measured, Part
from hub_config.governance.moments import aware
from hub_config.governance.problems import GovernanceProblem
from hub_config.governance.store import Store

_FIRST_LINK: Final = bytes(32)
_ROWS_AT_ONCE: Final = 50  # groups in memory while reading: one may hold 100,000 cells


class CorruptLedger(GovernanceProblem):
    """The ledger is not as it was written. Nothing may be answered on it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The ledger is damaged: {what}. Nothing is answered until it is whole. Restore the governance "
            "database from a backup; `p4dp-enclave ledger check` says when it is good again."
        )


@dataclass(frozen=True)
class Position:
    """How far the ledger was read."""

    answers: int = 0
    link: bytes = _FIRST_LINK
    group: int = 0


@dataclass(frozen=True)
class Recorded:
    """An answer on disk: in which project, before whom, which groups."""

    number: int
    project: str
    publication: bool
    method: str
    audience: frozenset[str]
    groups: tuple[int, ...]
    given_at: datetime


@dataclass(frozen=True)
class NewAnswer:
    """An answer about to be given. `audience`: who is shown it."""

    request_id: str
    project: str
    username: str
    snapshot: int
    publication: bool
    method: str
    audience: frozenset[str]
    parts: tuple[tuple[Group, Tally], ...]


class Index(Protocol):
    """What keeps the ledger in memory. If a reading fails, it holds a part and must be thrown away."""

    def add_group(self, number: int, group: Group) -> None: ...

    def add_answer(self, answer: Recorded) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LedgerStore:
    """The ledger of one enclave. Safe to share between threads and processes."""

    store: Store
    clock: Callable[[], datetime] = _now

    def read(self, since: Position, index: Index) -> Position:
        """Give `index` what is newer than `since`. Raises CorruptLedger, or StoreProblem."""
        with self.store.session() as session:
            return _read(session, since, index)

    @contextmanager
    def appending(self) -> Iterator[Appending]:
        """Hold the ledger alone; what was appended is on disk when this is left normally."""
        with self.store.change() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text("SET LOCAL synchronous_commit = on"))
            session.execute(select(Head.answers).with_for_update())
            yield Appending(session, self.clock)


@dataclass(frozen=True)
class Appending:
    """The ledger while it is held alone."""

    session: Session
    clock: Callable[[], datetime]

    def read(self, since: Position, index: Index) -> Position:
        """What came between an earlier reading and the lock."""
        return _read(self.session, since, index)

    def append(self, answer: NewAnswer) -> None:
        """Add an answer. A group whose very bytes are on disk already is not written again."""
        head = _head(self.session)
        contents = [encode(group) for group, _ in answer.parts]
        known = _known_groups(self.session, [checksum(content) for content in contents])
        for content in contents:
            if (name := checksum(content)) not in known:
                row = Measured(checksum=name, content=content)
                self.session.add(row)
                self.session.flush()
                known[name] = row.id
        self._add(answer, [checksum(content) for content in contents], known, head)

    def _add(self, answer: NewAnswer, names: Sequence[bytes], known: dict[bytes, int], head: Head) -> None:
        row = Answer(
            number=head.answers + 1,
            request_id=answer.request_id,
            project=answer.project,
            username=answer.username,
            snapshot=answer.snapshot,
            publication=answer.publication,
            method=answer.method,
            given_at=self.clock(),
        )
        tallies = [tally for _, tally in answer.parts]
        row.link = _link(head.link, row, answer.audience, list(zip(names, tallies, strict=True)))
        self.session.add(row)
        self.session.flush()
        self.session.add_all(Audience(answer=row.number, username=name) for name in sorted(answer.audience))
        self.session.add_all(
            Part(
                answer=row.number,
                place=place,
                group=known[name],
                shown=tally.shown,
                snapped=tally.snapped,
                withheld=tally.withheld,
            )
            for place, (name, tally) in enumerate(zip(names, tallies, strict=True))
        )
        head.answers, head.link = row.number, row.link
        self.session.flush()


def _known_groups(session: Session, names: Sequence[bytes]) -> dict[bytes, int]:
    rows = session.execute(select(Measured.checksum, Measured.id).where(Measured.checksum.in_(names)))
    return {bytes(name): number for name, number in rows}


# --- reading -----------------------------------------------------------------------------------------------


def _read(session: Session, since: Position, index: Index) -> Position:
    head = _head(session)
    if head.answers < since.answers or (head.answers == since.answers and bytes(head.link) != since.link):
        raise CorruptLedger("answers that were there are gone")
    if head.answers == since.answers:
        return since
    newest = session.scalar(
        select(func.max(Part.group)).where(Part.answer > since.answers, Part.answer <= head.answers)
    )
    group = max(newest or 0, since.group)
    known = _read_groups(session, since.group, group, index)
    last, link = since.answers, since.link
    for recorded, stated in _answers(session, since.answers, head.answers, link):
        last, link = recorded.number, stated
        index.add_answer(recorded)
    if (last, link) != (head.answers, bytes(head.link)):
        raise CorruptLedger("its newest answers are missing")
    _require_groups(session, since, head.answers, known)
    return Position(head.answers, link, group)


def _head(session: Session) -> Head:
    head = session.get(Head, 1, populate_existing=True)
    if head is None:
        raise CorruptLedger("its head is missing")
    return head


def _read_groups(session: Session, after: int, last: int, index: Index) -> set[int]:
    """Give every group of these numbers to the index, its bytes checked; their numbers."""
    query = select(Measured).where(Measured.id > after, Measured.id <= last).order_by(Measured.id)
    seen = set()
    with session.scalars(query.execution_options(yield_per=_ROWS_AT_ONCE)) as rows:
        for row in rows:
            index.add_group(row.id, _group(row))
            seen.add(row.id)
            session.expunge(row)
    return seen


def _group(row: Measured) -> Group:
    if checksum(row.content) != bytes(row.checksum):
        raise CorruptLedger(f"group {row.id} does not match its checksum")
    try:
        return decode(row.content)
    except CorruptGroup as error:
        raise CorruptLedger(f"group {row.id}: {error}") from error


def _require_groups(session: Session, since: Position, last: int, known: set[int]) -> None:
    """What the new answers name is here, now or before."""
    query = select(Part.group).where(Part.answer > since.answers, Part.answer <= last).distinct()
    missing = [number for number in session.scalars(query) if number > since.group and number not in known]
    if missing:
        raise CorruptLedger(f"group {missing[0]} is missing")


def _answers(session: Session, after: int, last: int, link: bytes) -> Iterator[tuple[Recorded, bytes]]:
    """The answers of these numbers, each with its link, checked against the one before."""
    audiences = _listed(session, select(Audience.answer, Audience.username), Audience.answer, after, last)
    query = select(Part.answer, Part.group, Measured.checksum, Part.shown, Part.snapped, Part.withheld)
    query = query.join(Measured, Measured.id == Part.group).order_by(Part.answer, Part.place)
    parts = _listed(session, query, Part.answer, after, last)
    rows = select(Answer).where(Answer.number > after, Answer.number <= last).order_by(Answer.number)
    for expected, row in enumerate(session.scalars(rows), start=after + 1):
        audience = frozenset(name for (name,) in audiences.get(row.number, ()))
        named = parts.get(row.number, [])
        tallies = [(bytes(name), Tally(*counts)) for _, name, *counts in named]
        if row.number != expected or _link(link, row, audience, tallies) != bytes(row.link):
            raise CorruptLedger(f"answer {expected} is missing or was changed")
        link = bytes(row.link)
        groups = tuple(number for number, *_ in named)
        yield _recorded(row, audience, groups), link


def _recorded(row: Answer, audience: frozenset[str], groups: tuple[int, ...]) -> Recorded:
    return Recorded(
        row.number, row.project, row.publication, row.method, audience, groups, _in_utc(row.given_at)
    )


def _in_utc(moment: datetime) -> datetime:
    return aware(moment).astimezone(UTC)


def _listed(session: Session, query: Any, column: Any, after: int, last: int) -> dict[int, list[Any]]:
    """Rows by their first column, an answer's number, without it."""
    found: dict[int, list[Any]] = {}
    for number, *rest in session.execute(query.where(column > after, column <= last)):
        found.setdefault(number, []).append(rest)
    return found


def _link(
    before: bytes, row: Answer, audience: frozenset[str], parts: Sequence[tuple[bytes, Tally]]
) -> bytes:
    said = [
        row.number, row.request_id, row.project, row.username, row.snapshot, row.publication, row.method,
        _in_utc(row.given_at).isoformat(timespec="microseconds"),
        sorted(audience),
        [[name.hex(), tally.shown, tally.snapped, tally.withheld] for name, tally in parts],
    ]  # fmt: skip
    canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(before + canonical).digest()
