"""A stand-in and whom they stand in for are one look, however often they change places. Pure."""

from __future__ import annotations

from hub_config.governance.releases.facts import Pool, RequestFacts


def shares_a_seat(one: str, other: str, request: RequestFacts, pool: Pool) -> bool:
    """Whether both would look at this request in one place of the pool: one stands, or stood since it was
    sent, in for the other, and was not named by the committee too."""
    if one == other or {one, other} <= pool.named:
        return False
    since = request.submitted_at.date() if request.submitted_at else None
    return any(
        {each.reviewer, each.delegate} == {one, other} and (since is None or each.last >= since)
        for each in pool.delegations
    )
