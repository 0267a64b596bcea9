"""One reviewer's queue: what there is to do, the riskiest first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from hub_config.airlock.pages.rows import QueueRow, queue_row
from hub_config.airlock.rules.looks import batchable
from hub_config.airlock.rules.permission import Act, Denial, Someone, why_not
from hub_config.airlock.rules.sight import seen_by
from hub_config.airlock.states import OPEN
from hub_config.governance.releases.facts import Membership, Pool, RequestFacts


@dataclass(frozen=True)
class Case:
    """A request with what decides over it: its project's people and today's reviewers."""

    request: RequestFacts
    members: Membership
    pool: Pool

    def why_not(self, person: Someone, act: Act) -> Denial | None:
        return why_not(person, act, self.request, members=self.members, pool=self.pool)

    def may(self, person: Someone) -> frozenset[Act]:
        return frozenset(act for act in Act if self.why_not(person, act) is None)


@dataclass(frozen=True)
class Queue:
    conflicts: tuple[QueueRow, ...]
    to_read: tuple[QueueRow, ...]
    batch: tuple[QueueRow, ...]
    others: tuple[QueueRow, ...]
    waiting: tuple[QueueRow, ...]
    decided: tuple[QueueRow, ...]

    @property
    def minutes(self) -> int:
        """Of what waits for this reviewer."""
        return sum(row.head.minutes for row in self.expected)

    @property
    def expected(self) -> tuple[QueueRow, ...]:
        return (*self.conflicts, *self.to_read, *self.batch)


class _Place(Enum):
    CONFLICT = auto()
    TO_READ = auto()
    BATCH = auto()
    OTHER = auto()  # waits for others; this reviewer may look as well
    WAITING = auto()  # this reviewer has voted
    DECIDED = auto()
    HIDDEN = auto()


def queue_of(
    person: Someone,
    cases: Iterable[Case],
    titles: Mapping[str, str],
    age: Callable[[RequestFacts], int],
    *,
    late_after: int,
) -> Queue:
    """What `person` has before them, out of `cases`. Each row is made of what they may see of it."""
    rows: dict[_Place, list[QueueRow]] = {place: [] for place in _Place}
    for case in cases:
        place = _place(person, case)
        if place is not _Place.HIDDEN:
            seen = seen_by(person, case.request, case.members)
            row = queue_row(seen, titles[seen.project], age(seen), late_after=late_after)
            rows[place].append(row)
    ordered = {place: tuple(sorted(found, key=_order)) for place, found in rows.items()}
    return Queue(
        conflicts=ordered[_Place.CONFLICT],
        to_read=ordered[_Place.TO_READ],
        batch=ordered[_Place.BATCH],
        others=ordered[_Place.OTHER],
        waiting=ordered[_Place.WAITING],
        decided=tuple(rows[_Place.DECIDED]),
    )


def _place(person: Someone, case: Case) -> _Place:
    request = case.request
    if person.username == request.requester or case.why_not(person, Act.VIEW) is not None:
        return _Place.HIDDEN
    if request.state not in OPEN:
        return _Place.DECIDED
    if case.why_not(person, Act.CONSOLIDATE) is None:
        return _Place.CONFLICT
    if any(one.reviewer == person.username and one.seal == request.seal for one in request.reviews):
        return _Place.WAITING
    if case.why_not(person, Act.VOTE) is not None:
        return _Place.HIDDEN
    if batchable(request):
        return _Place.BATCH
    return _Place.TO_READ if person.username in request.assigned else _Place.OTHER


def _order(row: QueueRow) -> tuple[bool, tuple[tuple[int, ...], ...], int, str]:
    return not row.late, row.risk, -row.age, row.head.id
