"""What is sent again after a log-in is read first: each choice stands in the words of its page. And who
floods the place where forms wait puts out their own. Attacks work with the defence taken out."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.roles import Role
from hub_config.settings import Settings
from hub_config.web import held, resuming
from hub_config.web.forms import FIELD
from hub_config.web.held import Marks
from hub_config.web.login import Visitor
from hub_config.web.pace import Rates
from hub_config.web.pages import page
from hub_config.web.recalled import Kind, Row, rows
from hub_config.web.site import Site, create_site
from tests.pages import put_out, stranger, visiting

from .test_ended_sessions import TEXT, back_in, fields

VOTE = """{% extends "layout.html" %}{% block main %}
<section aria-labelledby="nom-3"><h2 id="nom-3">tableau.csv</h2>
<fieldset><legend>Votre avis sur ce fichier</legend>
<label><input type="radio" form="avis" name="file-3" value="approve">Bon à sortir <kbd>a</kbd></label>
<label><input type="radio" form="avis" name="file-3" value="changes">À corriger</label></fieldset></section>
<form method="post" action="/autre"><input type="hidden" name="seal" value="x"></form>
<form id="avis" method="post" action="/notes">{{ csrf_field() }}<input type="hidden" name="seal" value="s-1">
<select id="ground" name="ground">
<option value="">–</option><option value="r4">Effectifs trop petits</option></select>
<label for="ground">Motif</label>
<input type="checkbox" id="told" name="told" value="yes"><label for="told">Le demandeur est prévenu</label>
<label for="comment">Remarque privée</label><textarea id="comment" name="comment"></textarea>
<input type="text" id="word" name="word"><label for="word">Mot-clé</label>
<button type="submit" name="end" value="return">Rendre sans accord</button></form>{% endblock %}"""
SENT = {
    "seal": "s-1", "file-3": "approve", "ground": "r4", "told": "yes", "comment": TEXT, "word": "",
    "end": "return",
}  # fmt: skip
SEEN = (
    "tableau.csv · Votre avis sur ce fichier",
    "Bon à sortir",
    "Effectifs trop petits",
    "Rendre sans accord",
)


@pytest.fixture
def voting(tmp_path: Any, clock: Any) -> FastAPI:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "vote.html").write_text(VOTE)
    routes = APIRouter()

    @routes.get("/vote")
    async def vote(request: Request, person: Visitor) -> Response:
        return page(request, "vote.html", person)

    @routes.post("/notes")
    async def note(person: Visitor) -> Response:
        return Response(status_code=204)

    settings, patience = Settings(home=tmp_path), Rates(address=100_000, logins=100_000)
    site = Site("airlock", "Sas", settings, templates=tmp_path / "templates", menu=(), rates=patience)
    return create_site(site, routers=[routes], clock=clock)


def given_back(app: FastAPI, where: str = "/vote", sent: dict[str, str] = SENT) -> str:
    ines = visiting(app, "ines", Role.INTERNE)
    token = ines.csrf
    put_out(app, "ines")
    referer = {"Referer": f"{ines.house.origin}{where}"}
    return back_in(app, ines, ines.post("/notes", sent, token=token, headers=referer), "ines").text


def visible(html: str) -> str:
    """What a person reads of the page's main part."""
    main = re.sub(r"<input[^>]*>", "", html.partition("<main")[2])
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


@pytest.mark.parametrize("defended", [False, True], ids=["texts only", "all"])
def test_no_choice_is_sent_again_unread(
    voting: FastAPI, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    """Who began in haste, and comes back after a break, sees what a click would now decide."""
    if not defended:
        monkeypatch.setattr(resuming, "rows", lambda found, _page, _path: rows(found, "", "")[4:5])
    seen = visible(given_back(voting))
    assert all(each in seen for each in SEEN) is defended
    assert unescape("deux lignes") in seen


def test_every_field_is_shown_and_goes_along(voting: FastAPI) -> None:
    html = given_back(voting)
    assert fields(html).items() >= SENT.items()
    seen = visible(html)
    for label in ("Motif", "Le demandeur est prévenu", "Remarque privée", "Mot-clé", "(vide)", "seal", "s-1"):
        assert label in seen, label


@pytest.mark.parametrize(
    "where",
    ["", "/nowhere", "/held/x", "/logout", "/health", "/" + "x" * 70_000],
    ids=["none", "nowhere", "held", "logout", "health", "long"],
)
def test_where_the_page_is_gone_the_values_are_shown_as_they_came(voting: FastAPI, where: str) -> None:
    seen = visible(given_back(voting, where))
    assert "La page a changé" in seen and "file-3 approve" in seen and "ground r4" in seen


def test_what_is_hostile_in_a_field_is_text(voting: FastAPI) -> None:
    html = given_back(voting, sent={"file-3": "<img src=x onerror=alert(1)>", '"><b>': "x"})
    assert "<img src=x" not in html and "<b>" not in html


def test_sent_again_too_late_it_is_still_in_the_words_of_its_page(voting: FastAPI) -> None:
    html, where = given_back(voting), next(iter(voting.state.house.held._kept))
    put_out(voting, "ines")
    later = stranger(voting)
    referer = {"Referer": f"{later.house.origin}/held/{where}"}
    answer = later.post("/notes", SENT, token=fields(html)[FIELD], headers=referer)
    assert "Bon à sortir" in visible(back_in(voting, later, answer, "ines").text)


def of_nobody_in_particular(_marks: Marks, _token: str) -> str:
    return "anybody"


@pytest.mark.parametrize("defended", [False, True], ids=["one for all", "each their own"])
def test_nobody_puts_out_what_somebody_else_wrote(
    voting: FastAPI, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    """Strangers with tokens they made up, and one with an account, send form after form."""
    monkeypatch.setattr(held, "_MOST", 12)
    if not defended:
        monkeypatch.setattr(Marks, "writer_of", of_nobody_in_particular)
        monkeypatch.setattr(Marks, "is_for", lambda *_: True)
    ines, mallory = visiting(voting, "ines", Role.INTERNE), visiting(voting, "mallory", Role.INTERNE)
    tokens = ines.csrf, mallory.csrf
    put_out(voting, "ines")
    answer = ines.post("/notes", {"note": TEXT}, token=tokens[0])
    for number in range(30):
        stranger(voting).post("/notes", {"note": f"x {number}"}, token=f"made.up.{number}")
        stranger(voting).post("/notes", {"note": f"y {number}"}, token=tokens[1])
    found = back_in(voting, ines, answer, "ines")
    assert (found.status_code == 200) is defended
    assert len(voting.state.house.held._kept) <= 12


def test_where_all_are_too_many_who_has_most_gives_way(
    voting: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_MOST", 6)
    people = {who: visiting(voting, who, Role.INTERNE).csrf for who in ("ines", "lea", "mallory", "paul")}
    for who in ("ines", "lea", "mallory", "mallory", "mallory", "mallory", "paul"):
        stranger(voting).post("/notes", {"note": TEXT}, token=people[who])
    marks: Marks = voting.state.house.marks
    left = [one.writer for one in voting.state.house.held._kept.values()]
    assert [left.count(str(marks.writer_of(token))) for token in people.values()] == [1, 1, 3, 1]


@pytest.mark.parametrize("name", ["ines", "token", "a\nb", "é", ""])
def test_a_token_is_of_one_person_and_one_site(name: str) -> None:
    marks, other = Marks(b"k" * 32), Marks(b"x" * 32)
    token = marks.token_for(name)
    assert marks.is_for(token, name) and not marks.is_for(token, name + "x")
    assert marks.writer_of(token) == marks.writer_of(marks.token_for(name))
    assert other.writer_of(token) is None
    chance, writer, mark = token.split(".")
    for forged in (f"{chance}x.{writer}.{mark}", f"{chance}.x{writer}.{mark}", f"{chance}.{writer}.{mark}x"):
        assert marks.writer_of(forged) is None


def test_a_page_that_is_no_form_gives_the_names_alone() -> None:
    for text in ("", " ", "<", "<form>", "<form action='//[x/notes'></form>", "\x00"):
        assert rows([("a", "b")], text, "/notes") == [Row("a", "b", Kind.CARRIED)]
