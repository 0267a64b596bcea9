"""A site's everyday life: log in, look, send a form, log out, in two languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from hub_config.governance.roles import Role
from hub_config.web.login import Visitor
from hub_config.web.pages import page
from hub_config.web.texts import Catalogues
from tests.pages import stranger, visiting


def test_a_person_sees_the_page_with_their_name_and_their_menu(app: FastAPI) -> None:
    html = visiting(app, "diane", Role.MEDECIN_DIM, full_name="Diane Leroy").get("/").text
    assert "Diane Leroy" in html
    assert "Relire les demandes" in html
    assert "Relire les demandes" not in visiting(app, "ines", Role.INTERNE).get("/").text


def test_a_form_leads_on_with_a_message_said_once(app: FastAPI) -> None:
    ines = visiting(app, "ines", Role.INTERNE)
    answer = ines.post("/notes", {"note": "<b>bonjour</b>"})
    assert answer.status_code == 303
    assert "Noté : &lt;b&gt;bonjour&lt;/b&gt;" in ines.follow(answer).text
    assert "Noté" not in ines.get("/").text


def test_english_is_one_click_away(app: FastAPI) -> None:
    visit = stranger(app)
    assert 'lang="fr"' in visit.get("/public").text
    answer = visit.get("/language/en?next=/public")
    assert answer.headers["location"] == "/public"
    assert "My projects" in visit.follow(answer).text


def test_a_refusal_keeps_the_persons_name_and_menu(app: FastAPI) -> None:
    diane = visiting(app, "diane", Role.MEDECIN_DIM, full_name="Diane Leroy")
    html = diane.get("/refused").text
    assert "Trop tard." in html and "Diane Leroy" in html and "Relire les demandes" in html


def test_who_is_not_logged_in_is_not_told_that_they_work_here(app: FastAPI) -> None:
    assert "environnement protégé" not in stranger(app).get("/public").text
    assert "environnement protégé" in visiting(app, "ines", Role.INTERNE).get("/public").text


def test_the_menu_says_where_one_is(app: FastAPI) -> None:
    assert '<a href="/" aria-current="page">' in visiting(app, "ines", Role.INTERNE).get("/").text


def test_pictures_a_page_carries_itself_are_shown_where_it_asks_for_that(build: Any) -> None:
    app = build()

    @app.get("/pictures")
    async def pictures(request: Request, person: Visitor) -> Response:
        return page(request, "note.html", person, inline_images=True, said="")

    policy = visiting(app, "ines", Role.INTERNE).get("/pictures").headers["content-security-policy"]
    assert "img-src 'self' data:" in policy and "default-src 'none'" in policy


def test_a_place_with_two_packages_finds_the_words_of_both(tmp_path: Path) -> None:
    catalogues = Catalogues([(tmp_path, "nothing-here")])
    assert catalogues.translate("Mes projets", "en") == "My projects"
    assert catalogues.translate("Trop vite, %(name)s", "en", name="Inès") == "Trop vite, Inès"
    assert catalogues.translate("", "en") == ""
