"""Log-ins and sessions under attack. Each attack works once its defence is taken out."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from hub_config.governance.roles import Role
from hub_config.web import login
from hub_config.web.answers import local_path
from hub_config.web.sessions import Arrivals, Sessions
from tests.pages import Visit, hub_of, known, put_out, stranger, visiting


def begin(visit: Visit, path: str = "/") -> str:
    """Where the hub is asked."""
    answer = visit.get(path)
    assert answer.status_code == 303
    return answer.headers["location"]


def logged_in(app: FastAPI, visit: Visit, username: str, path: str = "/") -> httpx.Response:
    return visit.get(hub_of(app).approve(begin(visit, path), known(app, username, Role.INTERNE)))


def is_in(visit: Visit, name: str) -> bool:
    answer = visit.get("/")
    return answer.status_code == 200 and name in answer.text


def test_a_stranger_goes_to_the_hub_and_comes_back_to_the_page(app: FastAPI) -> None:
    visit = stranger(app)
    url = begin(visit, "/?page=2&q=a%20b")
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith("http://p4dp.localhost:8000/hub/api/oauth2/authorize?")
    assert asked["client_id"] == ["service-airlock"]
    assert asked["redirect_uri"] == ["http://sas.p4dp.localhost:8000/oauth_callback"]
    assert len(asked["state"][0]) >= 43 and len(asked["code_challenge"][0]) == 43
    answer = visit.get(hub_of(app).approve(url, known(app, "ines", Role.INTERNE)))
    assert answer.headers["location"] == "/?page=2&q=a%20b"
    assert is_in(visit, "Ines")


def test_two_tabs_of_one_browser_may_log_in_at_once(app: FastAPI) -> None:
    visit, token = stranger(app), known(app, "ines", Role.INTERNE)
    first, second = begin(visit, "/?tab=1"), begin(visit, "/?tab=2")
    assert visit.get(hub_of(app).approve(first, token)).headers["location"] == "/?tab=1"
    assert visit.get(hub_of(app).approve(second, token)).headers["location"] == "/?tab=2"


def test_a_log_in_begun_in_another_browser_is_refused(app: FastAPI) -> None:
    """Else a victim would write into the attacker's session, or an attacker choose who the victim is."""
    lure = hub_of(app).approve(begin(stranger(app)), known(app, "mallory", Role.INTERNE))
    victim = stranger(app)
    begin(victim)
    assert victim.get(lure).status_code == 403
    assert not is_in(victim, "Mallory")


def test_power_of_the_log_in_of_another_browser(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Arrivals, "take", lambda self, state, browser: self._kept.pop(state))
    lure = hub_of(app).approve(begin(stranger(app)), known(app, "mallory", Role.INTERNE))
    victim = stranger(app)
    victim.get(lure)
    assert is_in(victim, "Mallory")


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?state=é&code=x", "?error=access_denied&state=x"]
)
def test_a_return_that_nobody_began_is_refused_in_words(app: FastAPI, query: str) -> None:
    answer = stranger(app).get(f"/oauth_callback{query}")
    assert answer.status_code == 403 and "<h1>" in answer.text


def test_a_code_is_good_once(app: FastAPI) -> None:
    visit = stranger(app)
    back = hub_of(app).approve(begin(visit), known(app, "ines", Role.INTERNE))
    cookies = dict(visit.cookies)
    assert visit.get(back).status_code == 303
    thief = stranger(app)
    thief.cookies.update(cookies)
    assert thief.get(back).status_code == 403, "the state was used up"
    assert not is_in(thief, "Ines")


def test_a_stolen_code_is_worth_nothing_without_its_verifier(app: FastAPI) -> None:
    """The thief puts the victim's code into a log-in of their own."""
    victim, thief = stranger(app), stranger(app)
    stolen = parse_qs(urlsplit(hub_of(app).approve(begin(victim), known(app, "ines", Role.INTERNE))).query)
    own = parse_qs(urlsplit(begin(thief)).query)["state"][0]
    answer = thief.get("/oauth_callback", params={"state": own, "code": stolen["code"][0]})
    assert answer.status_code == 403 and not is_in(thief, "Ines")


def test_a_log_in_that_waited_too_long_is_refused(app: FastAPI, clock: Any) -> None:
    visit = stranger(app)
    back = hub_of(app).approve(begin(visit), known(app, "ines", Role.INTERNE))
    clock.now += login.ARRIVAL_SECONDS + 1
    assert visit.get(back).status_code == 403


def test_a_session_planted_before_the_log_in_is_not_the_persons(app: FastAPI) -> None:
    house = app.state.house
    planted = house.sessions.begin(known(app, "mallory", Role.INTERNE))
    victim, attacker = stranger(app), stranger(app)
    lure = hub_of(app).approve(begin(victim), known(app, "ines", Role.INTERNE))
    for visit in (victim, attacker):
        visit.cookies.set(house.session_cookie, planted)
    victim.get(lure)
    assert not is_in(attacker, "Ines")
    assert not is_in(attacker, "Mallory"), "the session of before is over"


def test_power_of_the_planted_session(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    house = app.state.house
    planted = house.sessions.begin(known(app, "mallory", Role.INTERNE))
    session = house.sessions.find(planted)

    def reuse(self: Sessions, token: str, csrf: str | None = None) -> str:
        session.token = token
        return planted

    monkeypatch.setattr(Sessions, "begin", reuse)
    monkeypatch.setattr(Sessions, "end", lambda self, handle: None)
    victim, attacker = stranger(app), stranger(app)
    attacker.cookies.set(house.session_cookie, planted)
    logged_in(app, victim, "ines")
    assert is_in(attacker, "Ines")


@pytest.mark.parametrize("forged", ["", "x", "é" * 40, "a" * 8000, "token-of-ines-0"])
def test_a_forged_session_is_a_stranger(app: FastAPI, forged: str) -> None:
    known(app, "ines", Role.INTERNE)
    cookie = f"{app.state.house.session_cookie}={forged}".encode()
    assert stranger(app).get("/", headers={"Cookie": cookie}).status_code == 303


def test_a_session_ends_after_an_hour_without_a_page_and_after_twelve_hours_anyway(
    app: FastAPI, clock: Any
) -> None:
    idle, busy = visiting(app, "ines", Role.INTERNE), visiting(app, "diane", Role.MEDECIN_DIM)
    for _ in range(14):
        assert is_in(busy, "Diane")
        clock.now += 3000
    assert not is_in(idle, "Ines")
    clock.now += 1300
    assert not is_in(busy, "Diane")


def test_the_session_of_one_service_is_none_at_the_other(build: Any) -> None:
    airlock, register = build("airlock"), build("register")
    handle = visiting(airlock, "diane", Role.MEDECIN_DIM).cookies[airlock.state.house.session_cookie]
    visit = stranger(register)
    for name in (airlock.state.house.session_cookie, register.state.house.session_cookie):
        visit.cookies.set(name, handle)
    assert visit.get("/").status_code == 303


def test_who_is_put_out_is_out_at_once(app: FastAPI) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    assert is_in(ines, "Ines")
    token = ines.csrf
    put_out(app, "ines")
    assert ines.post("/notes", {"note": "still here"}, token=token).status_code == 403
    assert ines.get("/").status_code == 303
    assert app.state.notes == []


def test_a_role_that_is_taken_back_is_gone_at_the_next_page(app: FastAPI) -> None:
    diane = visiting(app, "diane", Role.MEDECIN_DIM)
    assert "Relire les demandes" in diane.get("/").text
    people = hub_of(app).people
    for token, person in list(people.items()):
        people[token] = dataclasses.replace(person, roles=frozenset({Role.INTERNE}))
    assert "Relire les demandes" not in diane.get("/").text


def test_where_the_hub_is_silent_nobody_gets_in(app: FastAPI) -> None:
    ines, newcomer = visiting(app, "ines", Role.INTERNE), stranger(app)
    back = hub_of(app).approve(begin(newcomer), known(app, "rachid", Role.CHERCHEUR))
    hub_of(app).silent = True
    assert ines.get("/").status_code == 503
    assert "Le portail ne répond pas" in ines.get("/").text
    assert ines.post("/notes", {"note": "x"}).status_code == 503
    assert newcomer.get(back).status_code == 503
    assert app.state.notes == []
    hub_of(app).silent = False
    assert is_in(ines, "Ines"), "the session itself is not lost"


def test_a_site_without_a_hub_lets_nobody_in(app: FastAPI) -> None:
    visit = Visit(app)
    visit.cookies.set(app.state.house.session_cookie, app.state.house.sessions.begin("any"))
    assert visit.get("/").status_code == 503


def test_who_logs_out_is_out_with_the_same_cookie_too(app: FastAPI) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    kept = ines.cookies[app.state.house.session_cookie]
    answer = ines.post("/logout")
    assert answer.status_code == 200 and "http://p4dp.localhost:8000/hub/logout" in answer.text
    assert "Max-Age=0" in answer.headers["set-cookie"]
    ines.cookies.set(app.state.house.session_cookie, kept)
    assert ines.get("/").status_code == 303


def test_a_page_of_elsewhere_logs_nobody_out(app: FastAPI) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    assert ines.post("/logout", token="").status_code == 403
    assert ines.get("/logout").status_code == 405
    assert is_in(ines, "Ines")


ELSEWHERE = [
    "//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "javascript:alert(1)", "/a//evil.example", "///evil.example", "/\r\nSet-Cookie: a=b", "evil.example", "",
]  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
@pytest.mark.parametrize("path", ["/login", "/language/en"])
def test_no_log_in_and_no_language_leads_elsewhere(app: FastAPI, path: str, wanted: str) -> None:
    visit = stranger(app)
    answer = visit.get(path, params={"next": wanted})
    if path == "/login":
        answer = visit.get(hub_of(app).approve(answer.headers["location"], known(app, "ines", Role.INTERNE)))
    assert answer.headers["location"] == "/"


def test_power_of_a_log_in_that_leads_elsewhere(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "local_path", lambda wanted: wanted)
    answer = stranger(app).get("/language/en", params={"next": "//evil.example"})
    assert answer.headers["location"] == "//evil.example"


@given(st.text(st.characters(codec="utf-8"), max_size=30) | st.text("/\\.:@?#%ab\t\n", max_size=12))
def test_whatever_is_asked_for_is_a_page_of_this_site(wanted: str) -> None:
    stripped = "".join(sign for sign in local_path(wanted) if sign not in "\t\r\n").replace("\\", "/")
    assert urlsplit(urljoin("http://sas.example/", stripped)).netloc == "sas.example"


def test_nothing_a_browser_gets_holds_the_hubs_token(app: FastAPI) -> None:
    visit, token = stranger(app), known(app, "ines", Role.INTERNE)
    back = hub_of(app).approve(begin(visit), token)
    answers = [visit.get(back), visit.get("/"), visit.post("/notes", {"note": "x"}), visit.get("/")]
    for answer in answers:
        assert token not in answer.text and token not in str(answer.headers)


def test_cookies_are_closed_to_scripts_and_to_other_hosts(app: FastAPI, build: Any) -> None:
    plain = stranger(app).get("/").headers["set-cookie"]
    assert "HttpOnly" in plain and "SameSite=lax" in plain and "Domain" not in plain and "Secure" not in plain
    behind_tls = build(hostname="p4dp.example.org")
    visit = stranger(behind_tls)
    visit.cookies.clear()
    answer = visit.get("https://sas.p4dp.example.org/")
    guarded = answer.headers["set-cookie"]
    assert guarded.startswith("__Host-p4dp-airlock-login=")
    assert "Secure" in guarded and "HttpOnly" in guarded and "Path=/" in guarded and "Domain" not in guarded
    back = hub_of(behind_tls).approve(answer.headers["location"], known(behind_tls, "ines", Role.INTERNE))
    assert "__Host-p4dp-airlock=" in visit.get(back).headers["set-cookie"]
