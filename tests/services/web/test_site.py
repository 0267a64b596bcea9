"""A site's everyday life: log in, look, send a form, log out, in two languages."""

from __future__ import annotations

from fastapi import FastAPI

from hub_config.governance.roles import Role
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
