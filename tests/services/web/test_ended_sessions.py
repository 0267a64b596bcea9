"""A form sent after its session ended: its writer gets it back after the log-in, and nobody else does."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from hub_config.governance.roles import Role
from hub_config.web import held
from hub_config.web.forms import FIELD
from hub_config.web.held import HELD_SECONDS, LARGEST, Marks
from hub_config.web.house import House
from tests.pages import Visit, hub_of, known, put_out, stranger, visiting

TEXT = 'Étude "DIABÈTE" <script>alert(1)</script></textarea>\nsur deux lignes'
IDLE = 3601


def sent_too_late(
    app: FastAPI, clock: Any, visit: Visit, path: str = "/notes", **more: Any
) -> httpx.Response:
    """The page was open when the session ended."""
    token = visit.csrf
    clock.now += IDLE
    return visit.post(path, more.pop("data", {"note": TEXT, "kind": "b"}), token=token, **more)


def back_in(app: FastAPI, visit: Visit, answer: httpx.Response, username: str) -> httpx.Response:
    """Follow the page's button through the hub, as `username`."""
    assert answer.status_code == 403, answer.text
    (link,) = re.findall(r'<a class="button" href="(/login[^"]*)"', answer.text)
    asked = visit.get(unescape(link)).headers["location"]
    returned = visit.get(hub_of(app).approve(asked, known(app, username, Role.INTERNE)))
    return visit.follow(returned)


def fields(html: str) -> dict[str, str]:
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', html.partition("<main")[2])
    areas = re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>', html, re.DOTALL)
    return {name: unescape(value) for name, value in [*hidden, *areas]}


def test_the_page_says_that_the_session_ended_and_shows_nothing_yet(app: FastAPI, clock: Any) -> None:
    answer = sent_too_late(app, clock, visiting(app, "ines", Role.INTERNE))
    assert answer.status_code == 403 and "Votre session a pris fin" in answer.text
    assert "DIAB" not in answer.text and app.state.notes == []


def test_after_the_log_in_the_text_is_there_inert_and_can_be_sent(app: FastAPI, clock: Any) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    shown = back_in(app, ines, sent_too_late(app, clock, ines), "ines")
    assert shown.status_code == 200 and "<script>alert" not in shown.text
    form = fields(shown.text)
    assert (form["note"], form["kind"]) == (TEXT, "b") and app.state.notes == []
    assert 'action="/notes"' in shown.text
    sent = ines.post("/notes", form, token=form[FIELD])
    assert sent.status_code == 303 and app.state.notes == [TEXT]


def test_who_was_put_out_and_let_in_again_gets_it_too(app: FastAPI) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    token = ines.csrf
    put_out(app, "ines")
    shown = back_in(app, ines, ines.post("/notes", {"note": TEXT}, token=token), "ines")
    assert fields(shown.text)["note"] == TEXT


def test_a_restarted_service_still_knows_whose_it_is(build: Any, clock: Any) -> None:
    before, after = build(), None
    before.state.house.marks = Marks(b"k" * 32)
    ines = visiting(before, "ines", Role.INTERNE)
    token = ines.csrf
    (before.state.house.settings.home / "templates" / "note.html").unlink()
    (before.state.house.settings.home / "templates").rmdir()
    after = build()
    after.state.house.marks = Marks(b"k" * 32)
    again = stranger(after)
    shown = back_in(after, again, again.post("/notes", {"note": TEXT}, token=token), "ines")
    assert fields(shown.text)["note"] == TEXT


def test_another_person_on_the_same_browser_does_not_see_it(app: FastAPI, clock: Any) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    answer = sent_too_late(app, clock, ines)
    shown = back_in(app, ines, answer, "mallory")
    assert shown.status_code == 404 and "DIAB" not in shown.text
    assert "DIAB" not in ines.get("/").text
    assert fields(back_in(app, ines, answer, "ines").text)["note"] == TEXT, "it waits for its writer"


def test_power_of_another_person(app: FastAPI, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Marks, "is_for", lambda *_: True)
    ines = visiting(app, "ines", Role.INTERNE)
    assert "DIAB" in back_in(app, ines, sent_too_late(app, clock, ines), "mallory").text


@pytest.mark.parametrize("forged", ["", "x", "x.y", ".", "é.é", "a" * 43 + "." + "0" * 64])
def test_a_form_that_no_page_of_the_person_carried_is_never_given_back(app: FastAPI, forged: str) -> None:
    """Else a foreign page's text would wait for them under a button of ours."""
    visit = stranger(app)
    answer = visit.post("/notes", {"note": TEXT}, token=forged)
    if "/held/" in answer.text:
        assert back_in(app, visit, answer, "ines").status_code == 404
    assert app.state.notes == []


def test_the_mark_of_another_person_does_not_open_it(app: FastAPI, clock: Any) -> None:
    """Mallory's own token, on a form that Ines is made to send."""
    mallory, ines = visiting(app, "mallory", Role.INTERNE), stranger(app)
    answer = ines.post("/notes", {"note": TEXT}, token=mallory.csrf)
    assert back_in(app, ines, answer, "ines").status_code == 404


def test_the_token_of_the_ended_session_sends_nothing_in_the_new_one(app: FastAPI, clock: Any) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    old = ines.csrf
    back_in(app, ines, sent_too_late(app, clock, ines), "ines")
    answer = ines.post("/notes", {"note": "again"}, token=old)
    assert answer.status_code == 403 and "Rouvrez la page" in answer.text and app.state.notes == []


def test_a_foreign_page_holds_nothing(app: FastAPI, clock: Any) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    answer = sent_too_late(app, clock, ines, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403 and "/held/" not in answer.text


def test_files_are_not_held_and_the_page_says_so(app: FastAPI, clock: Any) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    answer = sent_too_late(
        app, clock, ines, "/requests/d-1/files", data={"why": TEXT}, files={"file": ("a.csv", b"4711;x")}
    )
    shown = back_in(app, ines, answer, "ines").text
    assert fields(shown)["why"] == TEXT and "4711" not in shown and 'type="submit">Envoyer' not in shown


def test_the_way_back_leads_to_the_page_it_was_written_on(app: FastAPI, clock: Any) -> None:
    for page, way in (
        ("http://sas.p4dp.localhost:8000/public?tab=2", 'href="/public?tab=2"'),
        ("http://sas.p4dp.localhost:8000//evil.example", 'href="/"'),
        ("", 'href="/"'),
    ):
        ines = visiting(app, "ines", Role.INTERNE)
        answer = sent_too_late(app, clock, ines, headers={"Referer": page})
        assert way in back_in(app, ines, answer, "ines").text


def test_no_form_of_ours_leads_elsewhere(app: FastAPI, clock: Any) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    token = ines.csrf
    clock.now += IDLE
    url = f"{ines.house.origin}//evil.example/notes"
    answer = ines.post(url, {"note": TEXT}, token=token)
    shown = back_in(app, ines, answer, "ines").text
    assert 'action="/"' in shown and "evil" not in shown


def test_it_is_bounded_in_size_number_and_time(
    app: FastAPI, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_MOST", 2)
    house: House = app.state.house
    ines = visiting(app, "ines", Role.INTERNE)
    assert "/held/" not in sent_too_late(app, clock, ines, data={"note": "a b" * LARGEST}).text
    assert "/held/" not in sent_too_late(app, clock, ines, data={"note": "é " * (LARGEST // 3 + 1)}).text
    assert "/held/" not in sent_too_late(app, clock, ines, data={}).text
    assert "/held/" not in stranger(app).post("/notes", {"note": TEXT}, token="x").text
    token = visiting(app, "ines", Role.INTERNE).csrf
    first = stranger(app).post("/notes", {"note": TEXT}, token=token).text
    for _ in range(3):
        stranger(app).post("/notes", {"note": TEXT}, token=token)
    assert len(house.held._kept) == 2 and _number(first) not in house.held._kept
    ines = visiting(app, "ines", Role.INTERNE)
    answer = sent_too_late(app, clock, ines)
    clock.now += HELD_SECONDS + 1
    assert back_in(app, ines, answer, "ines").status_code == 404


def test_nothing_that_was_written_stands_in_a_log_or_an_address(
    app: FastAPI, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        ines = visiting(app, "ines", Role.INTERNE)
        answer = sent_too_late(app, clock, ines)
        back_in(app, ines, answer, "ines")
    assert "DIAB" not in caplog.text
    assert "DIAB" not in repr(app.state.house.held._kept)
    assert answer.headers["cache-control"] == "no-store"


def _number(html: str) -> str:
    (link,) = re.findall(r'href="(/login\?next=[^"]*held[^"]*)"', html)
    return parse_qs(urlsplit(unescape(link)).query)["next"][0].removeprefix("/held/")
