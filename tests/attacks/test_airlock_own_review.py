"""Somebody looks at what is theirs, or looks twice: by a stand-in, by a second seat, by naming themselves.
Each succeeds with the defence taken out, then fails with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from hub_config.airlock.actions import drafting
from hub_config.airlock.pool import actions as pool
from hub_config.airlock.rules import permission
from hub_config.airlock.texts import AirlockProblem
from hub_config.governance.releases.facts import Pool, State
from hub_config.governance.roles import Person, Role
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.services.airlock.domain.house import (
    CHARLES,
    DENIS,
    DIANE,
    INES,
    ODILE,
    SAFE,
    WORDS,
    House,
    furnished,
)

PAUL = Person("paul", "Paul", frozenset({Role.MEDECIN_DIM}))  # a friend whom the committee never named


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    yield furnished(House(store, settings))
    store.close()


def stands_in(house: House, reviewer: Person, friend: Person) -> None:
    today = house.now.date()
    with house.doing(reviewer) as (session, how):
        pool.be_absent(session, reviewer, today, today + timedelta(days=9), **how)
        pool.delegate(session, reviewer, friend.username, today, today + timedelta(days=9), **how)


def approved(house: House, request: str, *voters: Person) -> bool:
    try:
        for voter in voters:
            house.vote(request, voter)
    except AirlockProblem:
        return False
    return house.facts(request).state is State.APPROVED


def own_stand_in(house: House, project: str, *, asks: Person) -> bool:
    """Diane, a reviewer, has a part in the project; Paul looks in her place."""
    house.project(project, INES)
    house.join(project, DIANE)
    stands_in(house, DIANE, PAUL)
    return approved(house, house.submitted(person=asks, project=project, checked=SAFE), PAUL)


def whoever_stands_in(of: Pool, outside: Collection[str]) -> frozenset[str]:
    return (of.named | {each.delegate for each in of.delegations}).difference(outside)


@pytest.mark.parametrize("asks", [DIANE, INES], ids=["her request", "her project's"])
def test_nobody_reviews_in_the_place_of_who_may_not(house: House, asks: Person) -> None:
    with patch.object(Pool, "able_but", whoever_stands_in):
        assert own_stand_in(house, "these-marc", asks=asks)
    assert not own_stand_in(house, "these-lise", asks=asks)


def one_seat_twice(house: House, *, back: bool) -> bool:
    """Paul looks in Diane's place, and Diane does, the same week."""
    request = house.submitted()
    stands_in(house, DIANE, PAUL)
    house.vote(request, PAUL)
    if back:
        with house.doing(DIANE) as (session, how):
            pool.be_back(session, DIANE, **how)
        house.later(days=1)
    return approved(house, request, DIANE)


@pytest.mark.parametrize("back", [False, True], ids=["while away", "back at work"])
def test_a_reviewer_and_their_stand_in_are_one_look(house: House, back: bool) -> None:
    with patch.object(permission, "shares_a_seat", lambda *_: False):
        assert one_seat_twice(house, back=back)
    assert not one_seat_twice(house, back=back)


def test_but_neither_keeps_the_request_from_another(house: House) -> None:
    request = house.submitted()
    stands_in(house, DIANE, PAUL)
    house.vote(request, PAUL)
    assert approved(house, request, DENIS)


def test_a_stand_in_has_no_stand_in(house: House) -> None:
    stands_in(house, DIANE, PAUL)
    with pytest.raises(AirlockProblem):
        stands_in(house, PAUL, Person("marc", "Marc", PAUL.roles))


def names_themselves(house: House, *, as_stand_in: bool) -> bool:
    """Charles, of the committee and a physician, names himself; or has Odile stood in for, by himself."""
    charles = Person("charles", "Charles", frozenset({Role.CSE, Role.MEDECIN_DIM}))
    today = house.now.date()
    try:
        with house.doing(charles) as (session, how):
            if as_stand_in:
                pool.delegate(session, charles, "charles", today, today, who=ODILE.username, **how)
            else:
                pool.name_reviewer(session, charles, "Charles", **how)
    except AirlockProblem:
        return False
    return approved(house, house.submitted(checked=SAFE), charles)


@pytest.mark.parametrize("as_stand_in", [False, True], ids=["on the pool", "as a stand-in"])
def test_nobody_of_the_committee_names_themselves(house: House, as_stand_in: bool) -> None:
    assert not names_themselves(house, as_stand_in=as_stand_in)
    with patch.object(pool, "_named_by", lambda person, who: who.lower()):
        assert names_themselves(house, as_stand_in=as_stand_in)


def test_a_service_neither_asks_nor_reviews(house: House) -> None:
    """Reports run as `svc-…`: no member of a project, no account that can be named."""
    service = Person("svc-these-ines", "", frozenset({Role.MEDECIN_DIM}))
    with pytest.raises(AirlockProblem), house.doing(service) as (session, how):
        drafting.open_draft(session, service, "these-ines", WORDS, **how)
    with pytest.raises(AirlockProblem), house.doing(CHARLES) as (session, how):
        pool.name_reviewer(session, CHARLES, service.username, **how)


def test_a_requester_on_the_pool_is_expected_by_nobody(house: House) -> None:
    house.join("these-ines", DIANE)
    request = house.submitted(person=DIANE)
    assert "diane" not in house.facts(request).assigned
    assert not approved(house, request, DIANE)
