"""Who may do what to a dossier, and what the opinions amount to: facts in, decision out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub_config.governance.register.facts import (
    TRANSITIONS,
    Ballot,
    Conflict,
    DossierFacts,
    Kind,
    Office,
    Opinion,
    Reserve,
    State,
    Step,
    Verdict,
    Vote,
)
from hub_config.governance.roles import Person, Role
from hub_config.register.rules import (
    Act,
    Denial,
    NoQuorum,
    ReviewPolicy,
    ReviewState,
    Tally,
    Tie,
    Waiting,
    next_review,
    next_state,
    review_state,
    settled,
    why_not,
)

AT = datetime(2026, 11, 22, tzinfo=UTC)
FOR, AGAINST, ABSTAIN = Ballot.FOR, Ballot.AGAINST, Ballot.ABSTAIN
GOOD, BACK, BAD = Verdict.FAVOURABLE, Verdict.RETURN, Verdict.UNFAVOURABLE

DOSSIER = DossierFacts(
    id="p-1", kind=Kind.CREATION, project="asthme", requester="ines", state=State.IN_REVIEW, round=1,
    answers={"title": "Asthme", "members": "lea, Charles", "director_login": "Dora"},
    created_at=AT, saved_at=AT, submitted_at=AT, closed_at=None, version=3,
)  # fmt: skip


def person(name: str, *roles: Role) -> Person:
    return Person(name, name.capitalize(), frozenset(roles))


INES, CLAIRE, COLIN = person("ines", Role.INTERNE), person("claire", Role.CSE), person("colin", Role.CSE)
DELPHINE, ADMIN = person("delphine", Role.DPO), person("admin", Role.ADMIN)


def voted(*ballots: tuple[str, Ballot]) -> DossierFacts:
    return replace(DOSSIER, votes=tuple(Vote(who, ballot, "", AT) for who, ballot in ballots))


def said(office: Office, verdict: Verdict = GOOD, *, by: str = "x", round: int = 1) -> Opinion:
    return Opinion(office, verdict, by, "…", AT, round)


# who may


@pytest.mark.parametrize(
    ("who", "act", "denial"),
    [
        (CLAIRE, Act.VOTE, None),
        (CLAIRE, Act.DECIDE_DPO, Denial.NOT_YOUR_ROLE),
        (DELPHINE, Act.DECIDE_DPO, None),
        (ADMIN, Act.DECIDE_ADMIN, None),
        (ADMIN, Act.VOTE, Denial.NOT_YOUR_ROLE),
        (INES, Act.WITHDRAW, None),
        (INES, Act.SAVE, Denial.NOT_NOW),
        (INES, Act.VOTE, Denial.NOT_YOUR_ROLE),
        (CLAIRE, Act.WITHDRAW, Denial.NOT_YOURS),
        (CLAIRE, Act.CLOSE_VOTE, Denial.NO_QUORUM),
        (CLAIRE, Act.LIFT_RESERVE, None),
        (person("charles", Role.CSE), Act.VOTE, Denial.INVOLVED),  # a member, whatever the case typed
        (person("dora", Role.DPO), Act.DECIDE_DPO, Denial.INVOLVED),  # directs it
        (person("ines", Role.CSE, Role.INTERNE), Act.VOTE, Denial.INVOLVED),  # asked for it
        (person("zoe", Role.INTERNE), Act.VIEW, Denial.NOT_YOURS),
        (CLAIRE, Act.VIEW, None),
        (person("lea", Role.INTERNE), Act.VIEW, None),
    ],
)
def test_who_may(who: Person, act: Act, denial: Denial | None) -> None:
    assert why_not(who, act, DOSSIER, quorum=2) is denial


def test_an_unsent_request_is_its_requester_s_alone() -> None:
    draft = replace(DOSSIER, state=State.DRAFT, submitted_at=None, round=0)
    assert why_not(INES, Act.VIEW, draft, quorum=2) is None
    for other in (CLAIRE, ADMIN, person("lea", Role.INTERNE)):
        assert why_not(other, Act.VIEW, draft, quorum=2) is Denial.NOT_YOURS


def test_a_declared_conflict_keeps_out() -> None:
    dossier = replace(DOSSIER, conflicts=(Conflict("claire", "sa sœur", AT),))
    for act in (Act.VOTE, Act.CLOSE_VOTE, Act.LIFT_RESERVE):
        assert why_not(CLAIRE, act, dossier, quorum=1) is Denial.CONFLICT_DECLARED
    assert why_not(COLIN, Act.VOTE, dossier, quorum=1) is None


def test_nobody_holds_two_offices_on_one_dossier() -> None:
    both = person("claire", Role.CSE, Role.DPO)
    assert why_not(both, Act.DECIDE_DPO, voted(("claire", FOR)), quorum=2) is Denial.OTHER_OFFICE
    judged = replace(DOSSIER, opinions=(said(Office.DPO, by="claire"),))
    assert why_not(both, Act.VOTE, judged, quorum=2) is Denial.OTHER_OFFICE


def test_nobody_votes_or_decides_twice() -> None:
    assert why_not(CLAIRE, Act.VOTE, voted(("claire", FOR)), quorum=2) is Denial.ALREADY_VOTED
    decided = replace(DOSSIER, opinions=(said(Office.DPO),))
    assert why_not(DELPHINE, Act.DECIDE_DPO, decided, quorum=2) is Denial.ALREADY_DECIDED


@pytest.mark.parametrize("state", [state for state in State if state is not State.IN_REVIEW])
@pytest.mark.parametrize("act", [Act.VOTE, Act.CLOSE_VOTE, Act.LIFT_RESERVE])
def test_the_committee_acts_on_nothing_that_is_not_before_it(state: State, act: Act) -> None:
    assert why_not(CLAIRE, act, replace(DOSSIER, state=state), quorum=1) is Denial.NOT_NOW


# the count


@pytest.mark.parametrize(
    ("count", "outcome"),
    [
        ((0, 0, 0), NoQuorum(2)),
        ((1, 0, 0), NoQuorum(1)),
        ((2, 0, 0), GOOD),
        ((1, 0, 1), GOOD),  # an abstention makes the quorum
        ((1, 1, 0), Tie()),
        ((0, 0, 2), Tie()),  # nobody decided anything
        ((1, 2, 0), BAD),
        ((2, 1, 0), GOOD),
    ],
)
def test_the_count(count: tuple[int, int, int], outcome: object) -> None:
    assert Tally(*count).outcome(2) == outcome


# what the opinions amount to


def with_opinions(*opinions: Opinion, reserves: tuple[Reserve, ...] = ()) -> DossierFacts:
    return replace(DOSSIER, opinions=opinions, reserves=reserves)


ALL = tuple(said(office) for office in Office)
OPEN = Reserve(1, "préciser", "claire", AT)
LIFTED = replace(OPEN, lifted_by="claire", lifted_at=AT, lifted_because="fait")


def test_only_all_three_open() -> None:
    for missing in Office:
        two = tuple(opinion for opinion in ALL if opinion.office is not missing)
        assert settled(with_opinions(*two)) == Waiting((missing,), 0)
    assert settled(with_opinions(*ALL)) is Step.APPROVE


def test_a_standing_reserve_keeps_closed() -> None:
    assert settled(with_opinions(*ALL, reserves=(OPEN,))) == Waiting((), 1)
    assert settled(with_opinions(*ALL, reserves=(LIFTED,))) is Step.APPROVE


def test_one_against_refuses_whatever_the_others_say() -> None:
    assert settled(with_opinions(*ALL[:2], said(Office.ADMIN, BAD))) is Step.REFUSE
    assert settled(with_opinions(said(Office.DPO, BACK))) is Step.RETURN
    assert settled(with_opinions(said(Office.DPO, BACK), said(Office.ADMIN, BAD))) is Step.REFUSE


def test_opinions_of_an_earlier_round_count_for_nothing() -> None:
    again = replace(with_opinions(*ALL), round=2)
    assert settled(again) == Waiting(tuple(Office), 0)


def test_every_state_is_in_the_table_and_ends_are_ends() -> None:
    assert set(TRANSITIONS) == set(State)
    reached = {State.DRAFT} | {after for steps in TRANSITIONS.values() for after in steps.values()}
    assert reached == set(State)
    for end in (State.APPROVED, State.REFUSED, State.WITHDRAWN):
        assert all(next_state(end, step) is None for step in Step)
    assert next_state(State.DRAFT, Step.APPROVE) is None


# the yearly review


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2027, 10, 1), ReviewState.NONE),
        (date(2027, 11, 10), ReviewState.COMING),
        (date(2027, 11, 22), ReviewState.DUE),
        (date(2027, 12, 22), ReviewState.DUE),
        (date(2027, 12, 23), ReviewState.OVERDUE),
    ],
)
def test_the_review_falls_due_and_then_late(day: date, state: ReviewState) -> None:
    assert review_state(date(2027, 11, 22), ReviewPolicy(12, 30), day, 30) is state


@pytest.mark.parametrize(
    ("day", "months", "next_one"),
    [
        (date(2026, 11, 22), 12, date(2027, 11, 22)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
    ],
)
def test_a_review_comes_on_the_same_day(day: date, months: int, next_one: date) -> None:
    assert next_review(day, ReviewPolicy(months, 30)) == next_one
