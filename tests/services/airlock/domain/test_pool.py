"""Who is expected to look, who stands in, who is reminded; two conflicted physicians deadlock nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from hub_config.airlock.actions import reviewing
from hub_config.airlock.actions.tending import tend
from hub_config.airlock.pool import actions as pool
from hub_config.airlock.pool.assigning import shortage
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance.notices.models import Notice
from hub_config.governance.register.leaving import leave
from hub_config.governance.register.models import Acquaintance
from hub_config.governance.releases.facts import Absence, Delegation, State, Verdict
from hub_config.governance.releases.models import Reviewer
from hub_config.governance.releases.reading import membership, pool_on
from hub_config.governance.roles import Person, Role
from hub_config.settings import Settings
from tests.services.airlock.domain.house import CHARLES, DENIS, DIANE, INES, ODILE, SAFE, House

PAUL = Person("paul", "Paul", frozenset({Role.MEDECIN_REFERENT}))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On SQLite: `test_life` and `test_at_once` see to both databases."""
    return Settings(home=tmp_path / "home")


def away(house: House, person: Person, days: int = 20) -> None:
    first = house.now.date()
    with house.doing(person) as (session, how):
        pool.be_absent(session, person, first, first + timedelta(days=days), **how)


def stands_in(house: House, person: Person, to: Person, days: int = 20) -> None:
    first = house.now.date()
    with house.doing(person) as (session, how):
        pool.delegate(session, person, to.username, first, first + timedelta(days=days), **how)


def take_off(house: House, person: Person) -> None:
    with house.doing(CHARLES) as (session, how):
        pool.remove_reviewer(session, CHARLES, person.username, **how)


def told(house: House, kind: str) -> list[str]:
    with house.store.session() as session:
        return sorted(session.scalars(select(Notice.recipient).where(Notice.kind == kind)))


def tended(house: House) -> object:
    return tend(house.store, house.shelf, house.settings, house.now)


def test_work_is_shared_among_those_who_can(house: House) -> None:
    away(house, ODILE)
    requests = [house.submitted() for _ in range(3)]
    assert all(set(house.facts(request).assigned) == {"diane", "denis"} for request in requests)
    assert told(house, "to-review") == ["denis"] * 3 + ["diane"] * 3


def test_one_look_goes_to_whoever_has_least_to_do(house: House) -> None:
    assigned = Counter(house.facts(house.submitted(checked=SAFE)).assigned[0] for _ in range(6))
    assert assigned == {"diane": 2, "denis": 2, "odile": 2}


def test_a_reviewer_of_the_project_is_not_expected(house: House) -> None:
    house.join("these-ines", DIANE)
    assert set(house.facts(house.submitted()).assigned) == {"denis", "odile"}


def test_two_conflicted_reviewers_deadlock_nothing(house: House) -> None:
    """Of three, two belong to the project: the committee is told, names another, and it goes on."""
    for member in (DIANE, DENIS):
        house.join("these-ines", member)
    request = house.submitted()
    assert house.facts(request).assigned == ("odile",)
    assert told(house, "too-few-reviewers") == ["charles"]
    with house.store.session() as session:
        missing = shortage(
            house.facts(request), membership(session, "these-ines"), pool_on(session, house.now.date())
        )
    assert missing is not None and (missing.needed, missing.able, missing.present) == (2, 1, 1)
    with house.doing(CHARLES) as (session, how):
        pool.name_reviewer(session, CHARLES, "paul", **how)
    tended(house)
    assert set(house.facts(request).assigned) == {"odile", "paul"}
    house.vote(request, ODILE)
    assert house.vote(request, PAUL).state is State.APPROVED


def comes(house: House, name: str, role: Role, *, leaves: bool = False) -> None:
    """Somebody logs in to the register, and perhaps leaves for good."""
    with house.store.change() as session:
        session.add(Acquaintance(username=name, full_name=name, roles=[role.value], seen_at=house.now))
        if leaves:
            leave(session, name, reason="Départ", audit=house.store.recorder("admin"))


def test_a_committee_that_named_nobody_yet_is_told(house: House) -> None:
    with house.store.change() as session:
        session.execute(delete(Reviewer))
    comes(house, "claire", Role.CSE)
    comes(house, "rachid", Role.CHERCHEUR)
    house.submitted()
    assert told(house, "too-few-reviewers") == ["claire"]


def test_who_left_the_committee_is_told_no_more(house: House) -> None:
    for member in (DIANE, DENIS):
        house.join("these-ines", member)
    comes(house, "claire", Role.CSE)
    comes(house, "charles", Role.CSE, leaves=True)
    house.submitted()
    assert told(house, "too-few-reviewers") == ["claire"]


def test_a_delegate_acts_for_whoever_is_away(house: House) -> None:
    take_off(house, ODILE)
    away(house, DENIS)
    stands_in(house, DENIS, PAUL)
    request = house.submitted()
    assert set(house.facts(request).assigned) == {"diane", "paul"}
    house.vote(request, PAUL)
    assert house.vote(request, DIANE).state is State.APPROVED


def test_a_delegation_ends(house: House) -> None:
    stands_in(house, DENIS, PAUL, days=3)
    request = house.submitted()
    house.later(days=4)
    with pytest.raises(Denied):
        house.vote(request, PAUL)


def test_nobody_delegates_once_taken_off(house: House) -> None:
    stands_in(house, DENIS, PAUL)
    take_off(house, DENIS)
    request = house.submitted()
    with pytest.raises(Denied):
        house.vote(request, PAUL)


def test_a_delegate_with_a_part_in_it_is_no_way_round(house: House) -> None:
    stands_in(house, DENIS, INES)
    with house.doing(CHARLES) as (session, how):
        pool.name_reviewer(session, CHARLES, "ines", **how)
    request = house.submitted()
    with pytest.raises(Denied) as caught:
        house.vote(request, INES)
    assert caught.value.problem is Problem.OWN_REQUEST


def test_who_goes_away_is_replaced_where_they_have_not_voted(house: House) -> None:
    away(house, ODILE, days=5)
    request = house.submitted()
    house.later(days=7)
    house.vote(request, DIANE)
    away(house, DENIS)
    tended(house)
    assert set(house.facts(request).assigned) == {"diane", "odile"}
    tended(house)
    assert told(house, "to-review") == ["denis", "diane", "odile"]


def test_a_voter_who_is_gone_is_put_aside_and_another_looks(house: House) -> None:
    away(house, ODILE, days=0)
    request = house.submitted()
    house.later(days=1)
    house.vote(request, DIANE)
    house.vote(request, DENIS, Verdict.CHANGES)
    with pytest.raises(AirlockProblem) as caught, house.doing(DIANE) as (session, how):
        reviewing.replace_voter(session, DIANE, request, "denis", **how)
    assert caught.value.problem is Problem.STILL_THERE
    away(house, DENIS)
    with house.doing(DIANE) as (session, how):
        reviewing.replace_voter(session, DIANE, request, "denis", **how)
    assert set(house.facts(request).assigned) == {"diane", "odile"}
    assert house.vote(request, ODILE).state is State.APPROVED


def test_reminders_come_at_five_working_days_and_again(house: House) -> None:
    """Monday 4 May; the 8th and the 14th are holidays."""
    away(house, ODILE, days=60)
    request = house.submitted()
    house.vote(request, DIANE)
    reminded = []
    for _ in range(22):
        house.later(days=1)
        before = len(told(house, "reminder"))
        tended(house)
        tended(house)
        if len(told(house, "reminder")) > before:
            reminded.append(house.now.date())
    assert reminded == [date(2026, 5, 12), date(2026, 5, 20)]
    assert told(house, "reminder") == ["denis", "denis"]


def test_in_a_consolidation_both_are_reminded(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    house.vote(request, DENIS, Verdict.CHANGES)
    assert told(house, "to-consolidate") == ["denis", "diane"]
    house.later(days=8)
    tended(house)
    assert told(house, "reminder") == ["denis", "diane"]


def test_only_the_committee_names_and_takes_off(house: House) -> None:
    for act in (pool.name_reviewer, pool.remove_reviewer):
        with pytest.raises(Denied), house.doing(DIANE) as (session, how):
            act(session, DIANE, "denis", **how)
    with pytest.raises(Denied), house.doing(DIANE) as (session, how):
        pool.be_absent(session, DIANE, house.now.date(), house.now.date(), who="denis", **how)


def test_the_pool_as_its_page_shows_it(house: House) -> None:
    away(house, DENIS)
    stands_in(house, DENIS, PAUL)
    today = house.now.date()
    with house.store.session() as session:
        shown = {each.username: each for each in pool.pool(session, today)}
    until = today + timedelta(days=20)
    assert list(shown) == ["denis", "diane", "odile"]
    assert shown["denis"].absences == (Absence("denis", today, until),)
    assert shown["denis"].delegations == (Delegation("denis", "paul", today, until),)
    with house.doing(DENIS) as (session, how):
        pool.be_back(session, DENIS, **how)
    with house.store.session() as session:
        assert not any(each.absences for each in pool.pool(session, today))
        assert [d.last for each in pool.pool(session, today) for d in each.delegations] == [today]


def test_dates_and_names_are_checked(house: House) -> None:
    today = house.now.date()
    for act, expected in (
        (lambda s, h: pool.be_absent(s, DENIS, today, today - timedelta(days=1), **h), Problem.BAD_DATES),
        (lambda s, h: pool.delegate(s, DENIS, "denis", today, today, **h), Problem.BAD_NAME),
        (lambda s, h: pool.delegate(s, DENIS, "svc-x", today, today, **h), Problem.BAD_NAME),
        (lambda s, h: pool.be_absent(s, PAUL, today, today, **h), Problem.UNKNOWN_REVIEWER),
    ):
        with pytest.raises(AirlockProblem) as caught, house.doing(DENIS) as (session, how):
            act(session, how)
        assert caught.value.problem is expected


def test_the_demonstrations_pool_is_made_once(house: House) -> None:
    with house.doing(CHARLES) as (session, how):
        assert pool.ensure_demo_pool(session, **how) == []


def test_what_was_approved_when_a_process_died_is_released(house: House) -> None:
    request = house.submitted(checked=SAFE)
    house.vote(request, DIANE)
    tended(house)
    assert house.facts(request).state is State.RELEASED
    tended(house)
    assert len(house.recorded("release.release")) == 1
