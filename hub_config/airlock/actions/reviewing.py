"""Use cases of reviewers: take, vote, consolidate, comment, ask, put an unavailable voter aside; and of the
requester, who answers.

Each is one transaction of the caller's session and one audit event. Where a vote settles the request, it
moves on in the same transaction; `releasing.release` follows in one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from sqlalchemy.orm import Session

from hub_config.airlock.actions.holding import Held, hold, move, set_aside
from hub_config.airlock.pool.assigning import assign, expect_voter
from hub_config.airlock.rules.looks import MOST_LOOKS, batchable
from hub_config.airlock.rules.permission import Act, Someone, barred, role_of
from hub_config.airlock.rules.voting import (
    LEAST_QUARANTINE_REASON,
    Agreed,
    Ballot,
    Conflict,
    Waiting,
    counted,
    outcome,
    why_not_this,
)
from hub_config.airlock.states import TRANSITIONS
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.notices.models import NoticeKind
from hub_config.governance.notices.outbox import post
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import RequestFacts, State, Step, Verdict
from hub_config.governance.releases.models import ReleaseComment, ReleaseReview

_MOST: Final = 8_000
_DECISIONS: Final = {Step.RETURN: NoticeKind.RETURNED, Step.REJECT: NoticeKind.REJECTED}


@dataclass(frozen=True)
class Remark:
    """What a reviewer writes beside a vote, about one file or the whole."""

    text: str
    private: bool = True
    file: int | None = None


def take(session: Session, person: Someone, request: str, *, at: datetime, audit: Recorder) -> RequestFacts:
    """A reviewer opens it: it is in review from the first who does. Records that once."""
    held = hold(session, person, Act.TAKE, request, at=at, audit=audit)
    if Step.TAKE in _possible(held):
        move(held.row, Step.TAKE, at)
        audit.record(session, "release.take", held.row.project, request=request)
    return held.facts


def vote(
    session: Session, person: Someone, request: str, ballot: Ballot, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Cast one's blind vote, or another until all have voted. Raises Denied, or AirlockProblem where the
    ballot can't be taken: above all, when its files are no longer those of the request."""
    held = hold(session, person, Act.VOTE, request, at=at, audit=audit)
    return _cast(session, held, person, ballot, at, audit)


def consolidate(
    session: Session, person: Someone, request: str, ballot: Ballot, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Vote anew, with the other's vote before one's eyes. It is settled as soon as all votes agree."""
    held = hold(session, person, Act.CONSOLIDATE, request, at=at, audit=audit)
    return _cast(session, held, person, ballot, at, audit)


def give_back(
    session: Session, person: Someone, request: str, ballot: Ballot, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """End a consolidation without agreement: the request goes back to its requester, with reasons. The one
    thing a voter can decide alone, since nothing leaves by it."""
    held = hold(session, person, Act.CONSOLIDATE, request, at=at, audit=audit)
    if ballot.verdict is not Verdict.CHANGES:
        raise Denied(Problem.NOT_ALLOWED)
    _keep(session, held, person, ballot, at)
    _decide(session, held, Step.RETURN, at)
    _record_vote(session, held, ballot, "given-back", audit)
    return held.facts


def approve_batch(
    session: Session, person: Someone, ballots: dict[str, str], *, at: datetime, audit: Recorder
) -> list[str]:
    """Approve several born-safe requests, each by its id and the seal that was shown. All of them, or none:
    raises Denied or AirlockProblem for the first that can't be. Those that this approved."""
    approved = []
    for request, seal in sorted(ballots.items()):
        held = hold(session, person, Act.VOTE, request, at=at, audit=audit)
        if not batchable(held.facts):
            raise AirlockProblem(Problem.NOT_BATCHABLE)
        after = _cast(session, held, person, Ballot(Verdict.APPROVE, seal), at, audit)
        if after.state is State.APPROVED:
            approved.append(request)
    return approved


def comment(
    session: Session, person: Someone, request: str, remark: Remark, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Write for the reviewers, or for the requester, who reads it with the outcome."""
    held = hold(session, person, Act.COMMENT, request, at=at, audit=audit)
    _say(held, person, remark.text, at, private=remark.private, file=remark.file)
    audit.record(
        session,
        "release.comment",
        held.row.project,
        request=request,
        private=remark.private,
        file=remark.file,
    )
    return held.facts


def ask(
    session: Session, person: Someone, request: str, remark: Remark, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Ask the requester, who is told at once. Votes stand."""
    held = hold(session, person, Act.ASK, request, at=at, audit=audit)
    _say(held, person, remark.text, at, private=False, file=remark.file, question=True)
    post(session, NoticeKind.QUESTION, [held.row.requester], request, at)
    audit.record(session, "release.ask", held.row.project, request=request, file=remark.file)
    return held.facts


def answer(
    session: Session,
    person: Someone,
    request: str,
    text: str,
    *,
    question: int | None,
    at: datetime,
    audit: Recorder,
) -> RequestFacts:
    """The requester answers a question, by its id, or adds a word for all reviewers. Votes stand."""
    held = hold(session, person, Act.ANSWER, request, at=at, audit=audit)
    asked = next((c for c in held.row.comments if c.id == question and c.question), None)
    if question is not None and asked is None:
        raise AirlockProblem(Problem.NOT_A_QUESTION)
    _say(held, person, text, at, private=False, answers=question)
    if asked is not None:
        post(session, NoticeKind.ANSWER, [asked.author], request, at)
    audit.record(session, "release.answer", held.row.project, request=request, question=question)
    return held.facts


def replace_voter(
    session: Session, person: Someone, request: str, voter: str, *, at: datetime, audit: Recorder
) -> RequestFacts:
    """Put aside the vote of somebody who can't act any more (away, or no reviewer now), so that another looks
    in their place. Raises AirlockProblem while they can."""
    held = hold(session, person, Act.REPLACE, request, at=at, audit=audit)
    theirs = [row for row in held.row.reviews if row.standing and row.reviewer == voter]
    if not theirs or voter == person.username:
        raise AirlockProblem(Problem.UNKNOWN_REVIEWER)
    if voter in held.pool.present:
        raise AirlockProblem(Problem.STILL_THERE)
    set_aside(theirs)
    held.row.round = 1
    session.flush()
    assign(session, held.row, held.facts, (held.members, held.pool), at)
    audit.record(session, "release.replace", held.row.project, request=request, voter=voter)
    return held.facts


def _possible(held: Held) -> frozenset[Step]:
    return frozenset(TRANSITIONS[State(held.row.state)])


def _cast(
    session: Session, held: Held, person: Someone, ballot: Ballot, at: datetime, audit: Recorder
) -> RequestFacts:
    if Step.TAKE in _possible(held):
        move(held.row, Step.TAKE, at)
    _keep(session, held, person, ballot, at)
    expect_voter(held.row, person.username, at)
    session.flush()
    facts = held.facts
    found = outcome(counted(facts, barred(facts, held.members)), facts.looks_needed)
    match found:
        case Waiting():
            pass
        case Conflict():
            _disagree(session, held, at)
        case Agreed(step):
            _decide(session, held, step, at)
        case _:
            assert_never(found)
    _record_vote(session, held, ballot, type(found).__name__.lower(), audit)
    return held.facts


def _keep(session: Session, held: Held, person: Someone, ballot: Ballot, at: datetime) -> None:
    """The vote, in place of one's earlier one. Raises AirlockProblem where it can't be taken."""
    if (problem := why_not_this(ballot, held.facts)) is not None:
        raise AirlockProblem(problem, **_blanks(problem))
    set_aside(row for row in held.row.reviews if row.reviewer == person.username)
    session.flush()  # the database takes one standing vote a person: the earlier one steps back first
    held.row.reviews.append(
        ReleaseReview(
            reviewer=person.username,
            role=role_of(person),
            verdict=ballot.verdict.value,
            files={str(number): verdict.value for number, verdict in ballot.files.items()},
            comment=_bounded(ballot.comment, "comment"),
            reasons=list(ballot.reasons),
            seal=ballot.seal,
            round=held.row.round,
            at=at,
            standing=True,
        )
    )
    if ballot.to_requester.strip():
        _say(held, person, ballot.to_requester, at, private=False)


def _disagree(session: Session, held: Held, at: datetime) -> None:
    """Two consolidate. One who is undecided alone is given a second, blind to the first."""
    if held.row.looks_needed < MOST_LOOKS:
        held.row.looks_needed = MOST_LOOKS
        assign(session, held.row, held.facts, (held.members, held.pool), at)
        return
    facts = held.facts
    voters = [review.reviewer for review in counted(facts, barred(facts, held.members))]
    held.row.round += 1
    post(session, NoticeKind.TO_CONSOLIDATE, voters, held.row.id, at, once=True)


def _decide(session: Session, held: Held, step: Step, at: datetime) -> None:
    move(held.row, step, at)
    held.row.decided_at = at
    if (kind := _DECISIONS.get(step)) is not None:
        post(session, kind, [held.row.requester], held.row.id, at)


def _record_vote(session: Session, held: Held, ballot: Ballot, found: str, audit: Recorder) -> None:
    audit.record(
        session,
        "release.vote",
        held.row.project,
        request=held.row.id,
        verdict=ballot.verdict.value,
        seal=ballot.seal,
        round=held.row.round,
        reasons=", ".join(ballot.reasons),
        outcome=found,
        after=held.row.state,
    )


def _say(
    held: Held,
    person: Someone,
    text: str,
    at: datetime,
    *,
    private: bool,
    file: int | None = None,
    question: bool = False,
    answers: int | None = None,
) -> None:
    if file is not None and held.facts.file(file) is None:
        raise AirlockProblem(Problem.UNKNOWN_FILE)
    words = _bounded(text, "comment")
    if not words:
        raise AirlockProblem(Problem.WORDS_MISSING, field="comment")
    held.row.comments.append(
        ReleaseComment(
            author=person.username,
            at=at,
            text=words,
            private=private,
            question=question,
            answers=answers,
            file=file,
        )
    )


def _bounded(text: str, field: str) -> str:
    words = text.strip()
    if len(words) > _MOST:
        raise AirlockProblem(Problem.WORDS_TOO_LONG, field=field, most=_MOST)
    return words


def _blanks(problem: Problem) -> dict[str, int]:
    return {"least": LEAST_QUARANTINE_REASON} if problem is Problem.QUARANTINE_REASON else {}
