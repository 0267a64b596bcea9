"""Takes files of a requester's own home into a draft, as the pages ask: the same `receive` as the workspace's
door, with a turn for each person, since a check takes a process and the pages' threads are everybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from hub_config.airlock.actions import drafting
from hub_config.airlock.actions.holding import require_here
from hub_config.airlock.intake.home import KINDS, Home, read, record_beside
from hub_config.airlock.intake.receiving import Desk as Receiving
from hub_config.airlock.intake.receiving import Search, receive
from hub_config.airlock.rules.permission import Someone
from hub_config.airlock.texts import AirlockProblem, Problem
from hub_config.governance.releases.facts import FileFacts, RequestFacts
from p4dp_sdk.figures.proof import Proof
from p4dp_sdk.figures.sheets import csv_of
from p4dp_sdk.wire.publication import NotGenuine

MOST_AT_ONCE: Final = 10  # files of one form
MOST_BYTES: Final = 160 * 1024**2  # of a request's files together
MOST_BYTES_A_DAY: Final = 1024**3  # of one person
_CHECKS: Final = 2  # people whose files are checked at once
_MEGABYTE: Final = 1024**2


@dataclass
class Turns:
    """Who is having files checked now: one form a person, few people at once."""

    busy: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock, repr=False)
    sent: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage()), repr=False
    )

    def note_bytes(self, user: str, size: int) -> None:
        """By any door, and whatever became of them: the shelf is everybody's. Raises AirlockProblem beyond
        what one person may send in a day."""
        most = MOST_BYTES_A_DAY // _MEGABYTE
        if not self.sent.hit(parse(f"{most}/day"), user, cost=max(1, -(-size // _MEGABYTE))):
            raise AirlockProblem(Problem.TOO_MANY_BYTES_TODAY, megabytes=most)

    @contextmanager
    def of(self, user: str) -> Iterator[None]:
        """Raises AirlockProblem where it is not one's turn: nobody waits in line with a thread in hand."""
        with self.lock:
            if user in self.busy or len(self.busy) >= _CHECKS:
                raise AirlockProblem(Problem.TOO_FAST)
            self.busy.add(user)
        try:
            yield
        finally:
            with self.lock:
                self.busy.discard(user)


def pick(
    desk: Receiving,
    person: Someone,
    request: RequestFacts,
    folder: Sequence[str],
    names: Sequence[str],
    search: Search | None = None,
    *,
    note: Callable[[int], None],
) -> list[FileFacts]:
    """Put these files of one folder into the request, each in place of one of its name. Raises AirlockProblem
    for the first that can't be taken; those before it are in. `note` is told the bytes of each."""
    if any(Path(name).suffix.lower() not in KINDS for name in names):
        raise AirlockProblem(Problem.HOME_KIND)
    if len(names) > MOST_AT_ONCE:
        raise AirlockProblem(Problem.TOO_MANY_FILES, most=MOST_AT_ONCE)
    home = Home(desk.settings.homes_dir, request.project, person.username)
    sizes = {file.name: file.size for file in request.files}
    added = []
    for name in names:
        content = content_of(home, folder, name, limit=desk.settings.airlock.file_bytes)
        sizes[name] = len(content)
        if sum(sizes.values()) > MOST_BYTES:
            raise AirlockProblem(Problem.TOO_MANY_BYTES, megabytes=MOST_BYTES // _MEGABYTE)
        note(len(content))
        added.append(_added(desk, person, request, name, content, search))
    return added


def content_of(home: Home, folder: Sequence[str], name: str, *, limit: int) -> bytes:
    """The file's bytes; of a signed table or figure that was saved here, its record, where the file is still
    what was saved with it."""
    content = read(home, folder, name, limit=limit)
    record = record_beside(home, folder, name, limit=limit)
    return record if record is not None and _tells_of(record, name, content) else content


def _tells_of(record: bytes, name: str, content: bytes) -> bool:
    """Whether the record is one, and of a table's file made this very file. Whether it is genuine is judged
    where every proof is."""
    try:
        proof = Proof.from_json(record)
        return not name.lower().endswith(".csv") or csv_of(proof.document.statement) == content
    except (NotGenuine, ValueError, TypeError, KeyError):
        return False


def _added(
    desk: Receiving, person: Someone, request: RequestFacts, name: str, content: bytes, search: Search | None
) -> FileFacts:
    received = receive(desk, request.project, name, content, search)
    with desk.store.change() as session:
        require_here(session, person)
        return drafting.add_file(
            session,
            person,
            request.id,
            received.name,
            received.shelved,
            received.checked,
            settings=desk.settings.airlock,
            at=desk.now(),
            audit=desk.store.recorder(person.username),
            replacing=True,
        )
