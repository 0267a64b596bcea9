"""A project that is suspended, closed or expired: what may still leave it.

The attack is an intern of such a project, with two physicians who look at the request and not at the project.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hub_config.airlock.actions import drafting, holding, releasing, reviewing, tending
from hub_config.airlock.actions.releasing import Handed
from hub_config.airlock.actions.reviewing import Remark
from hub_config.airlock.actions.tending import Tended
from hub_config.airlock.intake.words import told
from hub_config.airlock.texts import TEXTS, AirlockProblem, Problem
from hub_config.governance import actions
from hub_config.governance.models import Grant
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import Membership, State, Verdict
from tests.services.airlock.domain.house import DENIS, DIANE, DORA, INES, TABLE, WORDS, House
from tests.services.airlock.domain.refusing import problem

SLUG = "these-ines"
CHANGES = Verdict.CHANGES


def step(house: House, act: Callable[..., object]) -> None:
    with house.store.change() as session:
        act(session, SLUG, audit=house.store.recorder("admin"))


def expire(house: House) -> None:
    with house.store.change() as session:
        grant = session.get(Grant, SLUG)
        assert grant is not None
        grant.expires_on = house.now.date() - timedelta(days=1)


def as_if_it_went_on(session: object, project: str) -> Membership:
    return replace(reading.membership(session, project), stopped=False, closed=False, last_day=date.max)  # type: ignore[arg-type]


@pytest.fixture
def undefended(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def take_out() -> None:
        for room in (drafting, holding):
            monkeypatch.setattr(room, "membership", as_if_it_went_on)

    return take_out


def test_nothing_leaves_a_suspended_project(house: House, undefended: Callable[[], None]) -> None:
    drafted, waiting, left = house.draft(), house.submitted(), house.released()
    step(house, actions.suspend)
    attempts = (
        lambda: house.draft(),
        lambda: house.submit(drafted),
        lambda: house.vote(waiting, DIANE),
        lambda: house.download(left),
    )
    assert {problem(attempt) for attempt in attempts} == {Problem.PROJECT_SUSPENDED}
    undefended()
    house.submit(drafted)
    for who in (DIANE, DENIS):
        house.vote(drafted, who)
    house.release(drafted)
    assert isinstance(house.download(drafted), Handed), "undefended, it leaves"


def test_what_was_approved_before_waits_until_the_project_goes_on(house: House) -> None:
    request = house.submitted()
    for who in (DIANE, DENIS):
        house.vote(request, who)
    step(house, actions.suspend)
    assert problem(lambda: house.release(request)) is Problem.PROJECT_SUSPENDED
    tend(house)
    assert house.facts(request).state is State.APPROVED
    step(house, actions.approve)
    tend(house)
    assert house.facts(request).state is State.RELEASED


def tend(house: House) -> Tended:
    return tending.tend(house.store, house.shelf, settings=house.settings, at=house.now)


ENDS: dict[str, Callable[[House], None]] = {
    "suspended": lambda house: step(house, actions.suspend),
    "closed": lambda house: step(house, actions.close),
    "expired": expire,
}
MAY = """
a request that is   one would      suspended           closed          expired
none                begin          project-suspended   project-closed  project-over
draft               describe       project-suspended   project-closed  project-over
draft               submit         project-suspended   project-closed  project-over
draft               withdraw       yes                 yes             yes
submitted           describe       project-suspended   project-closed  project-over
submitted           take           project-suspended   yes             yes
submitted           vote           project-suspended   yes             yes
submitted           comment        project-suspended   yes             yes
submitted           ask            project-suspended   yes             yes
submitted           answer         project-suspended   yes             yes
submitted           withdraw       yes                 yes             yes
half-voted          vote-last      project-suspended   yes             yes
in-conflict         consolidate    project-suspended   yes             yes
in-conflict         give-back      project-suspended   yes             yes
approved            release        project-suspended   yes             yes
approved            withdraw       yes                 yes             yes
released            download       project-suspended   yes             yes
released            recall         yes                 yes             yes
returned            resubmit       project-suspended   project-closed  project-over
withdrawn           resubmit       project-suspended   project-closed  project-over
"""


def rows() -> list[tuple[str, str, dict[str, str]]]:
    """(state, act, outcome by the way in which the project stopped)."""
    _, *lines = MAY.strip().splitlines()
    words = (line.split() for line in lines)
    return [(state, act, dict(zip(ENDS, told, strict=True))) for state, act, *told in words]


def made(house: House, state: str) -> str:
    """A request in this state, of a project that goes on."""
    if state == "none":
        return ""
    request = house.draft() if state == "draft" else house.submitted()
    if state in ("half-voted", "in-conflict", "approved", "released", "returned"):
        house.vote(request, DIANE, Verdict.CHANGES if state == "returned" else Verdict.APPROVE)
    if state in ("approved", "released"):
        house.vote(request, DENIS)
    if state == "in-conflict":
        house.vote(request, DENIS, Verdict.CHANGES)
    if state == "returned":
        house.vote(request, DENIS, Verdict.CHANGES)
    if state == "released":
        house.release(request)
    if state == "withdrawn":
        with house.doing(INES) as (session, how):
            drafting.withdraw(session, INES, request, **how)
    return request


def attempt(house: House, act: str, request: str) -> object:
    """Raises AirlockProblem where it is refused."""
    match act:
        case "vote":
            return house.vote(request, DIANE)
        case "vote-last":
            return house.vote(request, DENIS)
        case "consolidate":
            return house.consolidate(request, DENIS)
        case "submit":
            return house.submit(request)
        case "release":
            return house.release(request)
        case "download":
            return house.download(request)
    who = {"take": DIANE, "comment": DIANE, "ask": DIANE, "give-back": DENIS, "recall": DORA}.get(act, INES)
    with house.doing(who) as (session, how):
        match act:
            case "begin":
                return drafting.open_draft(session, INES, SLUG, WORDS, **how)
            case "describe":
                return drafting.describe(session, INES, request, WORDS, **how)
            case "withdraw":
                return drafting.withdraw(session, INES, request, **how)
            case "resubmit":
                return drafting.resubmit(session, INES, request, **how)
            case "answer":
                return reviewing.answer(session, INES, request, "Oui.", question=None, **how)
            case "take":
                return reviewing.take(session, DIANE, request, **how)
            case "comment":
                return reviewing.comment(session, DIANE, request, Remark("Voir."), **how)
            case "ask":
                return reviewing.ask(session, DIANE, request, Remark("Voir ?", private=False), **how)
            case "give-back":
                return reviewing.give_back(session, DENIS, request, house.ballot(request, CHANGES), **how)
            case "recall":
                return releasing.recall(session, DORA, request, "Erreur.", settings=house.settings, **how)
    raise AssertionError(act)


def outcome(house: House, act: str, request: str) -> str:
    try:
        attempt(house, act, request)
    except AirlockProblem as refused:
        return refused.problem.value
    return "yes"


@pytest.mark.parametrize("end", ENDS)
def test_what_may_be_done_state_by_state(house: House, end: str, undefended: Callable[[], None]) -> None:
    prepared = [(state, act, expected[end], made(house, state)) for state, act, expected in rows()]
    again = [(act, made(house, state)) for state, act, _, _ in prepared]
    ENDS[end](house)
    for state, act, expected, request in prepared:
        before = house.facts(request).state if request else None
        assert outcome(house, act, request) == expected, (state, act)
        if expected != "yes" and request:
            assert house.facts(request).state is before, (state, act)
    undefended()
    assert {act: outcome(house, act, request) for act, request in again} == {act: "yes" for act, _ in again}


@pytest.mark.parametrize("end", ["closed", "expired"])
def test_what_was_asked_for_before_the_end_leaves_and_stays(house: House, end: str) -> None:
    """Two physicians look after the project is over; its requester has the file, then and later."""
    request = house.submitted()
    ENDS[end](house)
    for who in (DIANE, DENIS):
        house.vote(request, who)
    house.release(request)
    assert house.facts(request).state is State.RELEASED
    house.later(days=400)
    assert house.download(request) == Handed("tableau1.csv", house.facts(request).files[0].sha256, TABLE)


def test_a_suspended_project_waits_for_nobody(house: House) -> None:
    """No draft is withdrawn that nobody can touch, no reviewer is reminded of what they can't vote on."""
    drafted, waiting = house.draft(), house.submitted()
    step(house, actions.suspend)
    house.later(days=house.settings.airlock.draft_days + 60)
    tended = tend(house)
    assert (tended.expired, tended.reminded, tended.reassigned) == ((), (), ())
    assert house.facts(drafted).state is State.DRAFT
    step(house, actions.approve)
    assert waiting in tend(house).reminded


@pytest.mark.parametrize("problem", [Problem.PROJECT_SUSPENDED, Problem.PROJECT_CLOSED, Problem.PROJECT_OVER])
def test_a_refusal_speaks_of_renewal_only_where_there_is_one(problem: Problem) -> None:
    french, english = TEXTS[problem], told(AirlockProblem(problem, project=SLUG), "en")
    renewable = problem is Problem.PROJECT_OVER
    assert ("prolongation" in french, "renewal" in english) == (renewable, renewable)
    assert SLUG in english


def test_the_gate_itself_asks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever approved, and whenever: the last look is the gate's."""
    request = house.submitted()
    for who in (DIANE, DENIS):
        house.vote(request, who)
    step(house, actions.suspend)
    monkeypatch.setattr(releasing, "why_not_release", lambda *_: None)
    house.release(request)
    assert house.facts(request).state is State.RELEASED
