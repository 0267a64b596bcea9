"""What of a request somebody may see: a copy without the rest. Pure.

Below the looks needed a reviewer sees nothing of another's vote, comments or questions, nor that there are
any; the copy has no version, round or assignment that would tell. A requester sees what is said to them, and
the votes never; reviewers stay nameless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hub_config.airlock.rules.looks import HousePolicy, looks_needed
from hub_config.airlock.rules.permission import Someone, barred, decided
from hub_config.airlock.rules.voting import counted, revealed
from hub_config.governance.releases.facts import Comment, Membership, RequestFacts, State


def seen_by(person: Someone, request: RequestFacts, members: Membership) -> RequestFacts:
    """What the requester, or a reviewer who may view it, sees. `why_not` says first whether they may."""
    if person.username == request.requester:
        return _for_requester(request)
    if decided(request) or _among_voters(person.username, request, members):
        return replace(request, version=0)
    return _blind(person.username, request)


def _among_voters(username: str, request: RequestFacts, members: Membership) -> bool:
    outside = barred(request, members)
    return revealed(request, outside) and username in {r.reviewer for r in counted(request, outside)}


def _blind(username: str, request: RequestFacts) -> RequestFacts:
    """All that is there before anybody votes, and one's own."""
    own = frozenset(comment.id for comment in request.comments if comment.author == username)
    return replace(
        request,
        state=State.IN_REVIEW if request.state is State.SUBMITTED else request.state,
        reviews=tuple(review for review in request.reviews if review.reviewer == username),
        comments=tuple(
            comment
            for comment in request.comments
            if comment.author == username
            or (comment.author == request.requester and (comment.answers is None or comment.answers in own))
        ),
        assigned=tuple(name for name in request.assigned if name == username),
        looks_needed=looks_needed(request.files, HousePolicy()),  # one look becomes two once it is undecided
        round=1,
        version=0,
    )


def _for_requester(request: RequestFacts) -> RequestFacts:
    return replace(
        request, reviews=(), comments=tuple(_told(request)), assigned=(), members_then=frozenset(), round=1
    )


def _told(request: RequestFacts) -> Iterator[Comment]:
    """One's own words, questions at once, the rest with the outcome."""
    for comment in request.comments:
        if comment.author == request.requester:
            yield comment
        elif not comment.private and (comment.question or decided(request)):
            yield replace(comment, author="")
