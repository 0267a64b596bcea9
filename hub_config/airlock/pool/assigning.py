"""Whom a request waits for: reviewers without a part in it, present, and with the least to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub_config.airlock.rules.permission import barred
from hub_config.airlock.rules.seats import shares_a_seat
from hub_config.airlock.rules.voting import counted
from hub_config.airlock.states import OPEN
from hub_config.governance.notices.models import NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.register import reading as register
from hub_config.governance.releases.facts import Membership, Pool, RequestFacts
from hub_config.governance.releases.models import ReleaseAssignment, ReleaseRequest, Reviewer
from hub_config.governance.roles import Role


@dataclass(frozen=True)
class Shortage:
    """Fewer can look than must. `able` of them would, were they there; the CSE names more, an absent one a
    delegate."""

    needed: int
    able: int
    present: int


def shortage(request: RequestFacts, members: Membership, pool: Pool) -> Shortage | None:
    """Why the request would wait for nobody; None where enough are present."""
    outside = barred(request, members)
    voted = {review.reviewer for review in counted(request, outside)}
    can = pool.able_but(outside)
    able = len(_seated([*sorted(voted), *sorted(can - voted)], request, pool))
    present = len(_seated([*sorted(voted), *sorted(can - voted - pool.absent)], request, pool))
    return Shortage(request.looks_needed, able, present) if present < request.looks_needed else None


def choose(
    request: RequestFacts, members: Membership, pool: Pool, loads: Mapping[str, int]
) -> tuple[str, ...]:
    """Who is expected to look: who voted already, who was expected and still can, then whoever has least to
    do. Those who are away only where nobody else is left. Pure."""
    outside = barred(request, members)
    voted = [review.reviewer for review in counted(request, outside)]
    wanted = max(request.looks_needed, len(voted))

    def order(name: str) -> tuple[bool, bool, bool, int, str]:
        known = name in request.assigned
        return (name not in voted, name in pool.absent, not known, loads.get(name, 0), _dealt(name, request))

    return tuple(_seated(sorted(pool.able_but(outside) | set(voted), key=order), request, pool)[:wanted])


def lacks_reviewers(request: RequestFacts, members: Membership, pool: Pool) -> bool:
    """Whether fewer are expected than must look, or somebody who has not voted is away or can't any more."""
    outside = barred(request, members)
    voted = {review.reviewer for review in counted(request, outside)}
    can = pool.able_but(outside) - pool.absent
    unable = {name for name in request.assigned if name not in voted and name not in can}
    return bool(unable) or len(voted | set(request.assigned)) < request.looks_needed


def _seated(names: Sequence[str], request: RequestFacts, pool: Pool) -> list[str]:
    """Those whose look would count beside that of all before them."""
    found: list[str] = []
    for name in names:
        if not any(shares_a_seat(name, other, request, pool) for other in found):
            found.append(name)
    return found


def expect_voter(row: ReleaseRequest, voter: str, at: datetime) -> None:
    """Who votes unasked is expected from then on, beside the others: to drop one would tell them of it."""
    if voter not in {each.reviewer for each in row.assignments}:
        row.assignments.append(ReleaseAssignment(reviewer=voter, assigned_at=at))


def _dealt(name: str, request: RequestFacts) -> str:
    """Who comes first among equals, another one for another request."""
    shift = sum(request.id.encode()) % 26
    return "".join(chr((ord(letter) + shift) % 128) for letter in name)


def assign(
    session: Session,
    row: ReleaseRequest,
    request: RequestFacts,
    people: tuple[Membership, Pool],
    at: datetime,
) -> None:
    """Expect those whom `choose` says, from now on; the new ones are told, and the CSE where too few can."""
    members, pool = people
    chosen = choose(request, members, pool, loads(session, excluding=row.id))
    kept = [each for each in row.assignments if each.reviewer in chosen]
    new = [name for name in chosen if name not in {each.reviewer for each in kept}]
    row.assignments = [*kept, *(ReleaseAssignment(reviewer=name, assigned_at=at) for name in new)]
    post(session, NoticeKind.TO_REVIEW, new, row.id, at)
    if shortage(request, members, pool) is not None:
        post(session, NoticeKind.TOO_FEW_REVIEWERS, namers(session), row.id, at, once=True)


def loads(session: Session, *, excluding: str) -> Mapping[str, int]:
    """How many open requests wait for each reviewer."""
    query = (
        select(ReleaseAssignment.reviewer, func.count())
        .join(ReleaseRequest, ReleaseRequest.id == ReleaseAssignment.request)
        .where(ReleaseRequest.state.in_([state.value for state in OPEN]), ReleaseRequest.id != excluding)
        .group_by(ReleaseAssignment.reviewer)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def namers(session: Session) -> Collection[str]:
    """Who of the CSE can name reviewers: whoever last came to the register as its member and has not left;
    where nobody came, who named some."""
    came = frozenset(one.username for one in register.people(session).values() if Role.CSE.value in one.roles)
    return came or frozenset(session.scalars(select(Reviewer.named_by)))
