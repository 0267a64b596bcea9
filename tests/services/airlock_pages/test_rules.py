"""Every address has a rule, and nobody gets past one: the whole table, each address asked by everybody."""

from __future__ import annotations

import re
from itertools import product

import pytest
from fastapi.routing import APIRoute

from hub_config.airlock.pages import home, mine, news, notebooks, pool, record, reports, review
from hub_config.airlock.pages.asking import asked
from hub_config.airlock.pages.rules import RULES, Door
from hub_config.airlock.rules.permission import Act
from hub_config.airlock.states import CHANGEABLE
from hub_config.governance.releases.facts import State
from tests.pages import stranger

from .little_airlock import PEOPLE, LittleAirlock

ROUTES = [
    r
    for one in (mine, home, reports, notebooks, review, record, pool, news)
    for r in one.router.routes
    if isinstance(r, APIRoute)
]
ADDRESSES = [(method, route.path) for route in ROUTES for method in route.methods]
NOBODYS_BUSINESS = {404}
REFUSED = {403, 404}


def address(path: str, request: str) -> str:
    return re.sub(r"\{(number|block|finding)\}", "1", path.replace("{id}", request))


def test_the_table_names_every_address_and_no_other() -> None:
    assert set(ADDRESSES) == set(RULES)


def test_every_handler_asks() -> None:
    for route in ROUTES:
        assert asked in [each.call for each in route.dependant.dependencies], route.path


def test_an_address_without_a_rule_answers_nobody(airlock: LittleAirlock) -> None:
    """The power of the table: take one address out, and nobody gets in."""
    without = {at: rule for at, rule in RULES.items() if at != ("GET", "/demandes")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub_config.airlock.pages.asking.RULES", without)
        assert airlock.visit("ines").get("/demandes").status_code == 500
    assert airlock.visit("ines").get("/demandes").status_code == 200


def test_who_is_not_logged_in_is_sent_to_log_in_or_refused(airlock: LittleAirlock) -> None:
    for method, path in ADDRESSES:
        answer = stranger(airlock.app).request(method, address(path, "d-23456789"))
        assert answer.status_code in (303, 307, 403), path
        if answer.status_code != 403:
            assert "/login" in answer.headers["location"] or "oauth2" in answer.headers["location"]


def test_of_a_request_of_others_nobody_learns_that_it_exists(airlock: LittleAirlock) -> None:
    """Rachid, who has no part in it, is told the same of Inès's request and of one that never was."""
    there, never = airlock.sent(), "d-23456789"
    rachid = airlock.visit("rachid")
    for method, path in ADDRESSES:
        if not isinstance(RULES[method, path], Act):
            continue
        answers = [_ask(rachid, method, address(path, id)) for id in (there, never)]
        assert [a.status_code for a in answers] == [404, 404], path
        assert _without(answers[0].text, there) == _without(answers[1].text, never), path


@pytest.mark.parametrize("who", ["ines", "rachid", "diane", "denis", "charles", "dora"])
@pytest.mark.parametrize("state", ["draft", "sent", "released"])
def test_an_address_answers_exactly_whom_the_rule_lets_in(
    airlock: LittleAirlock, who: str, state: str
) -> None:
    request = {"draft": airlock.draft, "sent": airlock.sent, "released": airlock.released}[state]()
    visit = airlock.visit(who)
    for method, path in (at for at in ADDRESSES if at[0] == "GET" and "{id}" in at[1]):
        act = RULES[method, path]
        assert isinstance(act, Act)
        allowed = _allowed(who, act, airlock.facts(request).state)
        answer = visit.get(address(path, request))
        if who == "ines" and path == "/relecture/{id}":
            assert answer.status_code == 403  # it is hers: she is told so
        elif "images" in path or "dessin" in path:
            assert answer.status_code == 404  # there is none in it; whoever may not know is told no other
        else:
            assert (answer.status_code not in REFUSED) is allowed, (who, path, answer.status_code)


def _allowed(who: str, act: Act, state: State) -> bool:
    reviewer = who in ("diane", "denis") and state is not State.DRAFT
    match act:
        case Act.VIEW:
            return who == "ines" or reviewer
        case Act.READ_RECORD:
            return who == "ines" or reviewer or (who == "dora" and state is not State.DRAFT)
        case Act.EDIT:
            return who == "ines" and state in CHANGEABLE
        case Act.READ_NAMES:
            return who == "dora" and state is State.RELEASED
        case Act.DOWNLOAD:
            return who == "ines" and state is State.RELEASED
        case _:
            raise AssertionError(act)


def test_doors_open_by_role(airlock: LittleAirlock) -> None:
    for who, door in product(PEOPLE, Door):
        _opens_by_role(airlock, who, door)


def _opens_by_role(airlock: LittleAirlock, who: str, door: Door) -> None:
    path = {Door.OWN: "/demandes", Door.REVIEWERS: "/relecture", Door.POOL: "/relecteurs"}.get(door)
    let_in = {
        Door.OWN: set(PEOPLE),
        Door.REVIEWERS: {"diane", "denis", "dorian"},
        Door.POOL: {"diane", "denis", "dorian", "charles", "dora"},
        Door.NAMING: {"charles"},
    }[door]
    visit = airlock.visit(who)
    answer = visit.get(path) if path else visit.post("/relecteurs/nommer", {"reviewer": "didier"})
    assert (answer.status_code in (200, 303)) is (who in let_in), (who, door)


def _ask(visit, method: str, path: str):
    return visit.post(path) if method == "POST" else visit.get(path)


def _without(text: str, request: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", text.replace(request, "…"))
