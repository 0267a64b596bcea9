"""A project that is suspended, closed or expired: what may still leave it.

The attack is an intern of such a project, with two physicians who look at the request and not at the project.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hub_config.airlock.actions import drafting, holding, releasing, tending
from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.actions.releasing import Handed
from hub_config.airlock.texts import Problem
from hub_config.governance import actions
from hub_config.governance.models import Grant
from hub_config.governance.releases import reading
from hub_config.governance.releases.facts import Membership, State, Verdict
from tests.services.airlock.domain.house import DENIS, DIANE, INES, WORDS, House
from tests.services.airlock.domain.refusing import problem

SLUG = "these-ines"


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


def tend(house: House) -> None:
    tending.tend(house.store, house.shelf, settings=house.settings, at=house.now)


@pytest.mark.parametrize("end", [lambda house: step(house, actions.close), expire], ids=["closed", "expired"])
def test_of_a_project_that_is_over_nothing_new_is_asked_for(
    house: House, end: Callable[[House], None], undefended: Callable[[], None]
) -> None:
    drafted, waiting, left = house.draft(), house.submitted(), house.released()
    end(house)
    assert problem(lambda: house.draft()) is Problem.PROJECT_OVER
    assert problem(lambda: house.submit(drafted)) is Problem.PROJECT_OVER
    house.vote(waiting, DIANE, Verdict.APPROVE)
    assert isinstance(house.download(left), Handed), "what left before stays theirs"
    undefended()
    with house.doing(INES) as (session, how):
        drafting.open_draft(session, INES, SLUG, Words(**vars(WORDS)), **how)


def test_the_gate_itself_asks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever approved, and whenever: the last look is the gate's."""
    request = house.submitted()
    for who in (DIANE, DENIS):
        house.vote(request, who)
    step(house, actions.suspend)
    monkeypatch.setattr(releasing, "why_not_release", lambda *_: None)
    house.release(request)
    assert house.facts(request).state is State.RELEASED
