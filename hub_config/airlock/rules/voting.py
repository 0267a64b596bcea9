"""What votes amount to. Pure.

A vote counts while it stands, is on exactly the files the request has now, and its reviewer has no part in
the project. Below the looks needed, nobody but its author sees a vote; from there on the voters see each
other's, and agree or consolidate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from hub_config.airlock.rules.looks import least_looks
from hub_config.airlock.rules.reasons import REASONS
from hub_config.airlock.rules.recourse import unanswered
from hub_config.airlock.texts import Problem
from hub_config.governance.releases.facts import RequestFacts, Review, Step, Verdict

LEAST_QUARANTINE_REASON: Final = 20


@dataclass(frozen=True)
class Waiting:
    """So many looks are missing."""

    missing: int


@dataclass(frozen=True)
class Conflict:
    """All have voted, and don't agree, or somebody is undecided."""


@dataclass(frozen=True)
class Agreed:
    """All have voted the same: the request takes this step."""

    step: Step


Outcome = Waiting | Conflict | Agreed
APPROVED: Final = Agreed(Step.APPROVE)


@dataclass(frozen=True)
class Ballot:
    """A vote as it is cast. `seal` is of the files the reviewer had before their eyes; `reasons` are canned
    ones, by id; `to_requester` is told with the outcome, `comment` stays among the reviewers."""

    verdict: Verdict
    seal: str
    files: Mapping[int, Verdict] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    comment: str = ""
    to_requester: str = ""


def counted(request: RequestFacts, barred: Collection[str]) -> tuple[Review, ...]:
    """The votes that count, one a reviewer, the last. `barred`: people with a part in the project."""
    valid = {
        review.reviewer: review
        for review in sorted(request.reviews, key=lambda review: review.at)
        if review.seal == request.seal and review.reviewer not in barred
    }
    return tuple(valid.values())


def outcome(reviews: Sequence[Review], looks_needed: int) -> Outcome:
    """What these votes, that count, amount to."""
    voters = {review.reviewer for review in reviews}
    if len(voters) < looks_needed or not voters:
        return Waiting(max(looks_needed, 1) - len(voters))
    verdicts = {review.verdict for review in reviews}
    if len(verdicts) > 1:
        return Conflict()
    return _of(verdicts.pop())


def _of(verdict: Verdict) -> Outcome:
    match verdict:
        case Verdict.APPROVE:
            return APPROVED
        case Verdict.CHANGES:
            return Agreed(Step.RETURN)
        case Verdict.REJECT:
            return Agreed(Step.REJECT)
        case Verdict.UNDECIDED:
            return Conflict()
        case _:
            assert_never(verdict)


def revealed(request: RequestFacts, barred: Collection[str]) -> bool:
    """Whether all looks are cast, so that the voters may see each other's."""
    return len(counted(request, barred)) >= max(request.looks_needed, 1)


def releasable(request: RequestFacts, barred: Collection[str]) -> bool:
    """Whether the approvals that count are as many as needed, and nobody's vote is another. The last question
    before a release."""
    if any(map(unanswered, request.files)) or not request.files:
        return False
    reviews = counted(request, barred)
    needed = max(request.looks_needed, least_looks(request.files))
    return len(reviews) >= needed and all(r.verdict is Verdict.APPROVE for r in reviews)


def why_not_this(ballot: Ballot, request: RequestFacts) -> Problem | None:
    """What keeps this ballot from being taken for this request; None if nothing does."""
    if ballot.seal != request.seal:
        return Problem.FILES_CHANGED
    if not set(ballot.files) <= {file.number for file in request.files}:
        return Problem.UNKNOWN_FILE
    if not set(ballot.reasons) <= set(REASONS):
        return Problem.UNKNOWN_REASON
    match ballot.verdict:
        case Verdict.APPROVE:
            return _why_not_approve(ballot, request)
        case Verdict.CHANGES | Verdict.REJECT:
            said = ballot.reasons or ballot.to_requester.strip()
            return None if said else Problem.REASON_MISSING
        case Verdict.UNDECIDED:
            return None
        case _:
            assert_never(ballot.verdict)


def _why_not_approve(ballot: Ballot, request: RequestFacts) -> Problem | None:
    if any(map(unanswered, request.files)):
        return Problem.BLOCKED_APPROVAL
    if any(verdict is not Verdict.APPROVE for verdict in ballot.files.values()):
        return Problem.FILE_VERDICTS
    if request.quarantined and len(ballot.comment.strip()) < LEAST_QUARANTINE_REASON:
        return Problem.QUARANTINE_REASON
    return None
