"""Whatever is sent to the register's forms: kept or refused in words, never a failure; and what was typed is
not lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from hub_config.governance.register.facts import State
from hub_config.governance.roles import Role
from hub_config.web.forms import FIELD, HEADER
from tests.pages import Visit

from .conftest import ANSWERS, Registry

EVERY_FIELD = (
    *ANSWERS, "version", "round", "do", "ballot", "comment", "reserve", "reason", "verdict", "retention",
    "dpia", "snapshot", "user", "centre", "kept", "listed", "kind", "accept", "answer",
)  # fmt: skip
HOSTILE = {
    "control": "\x00\x01\x1b[31m\u202eevil\u2028\ud7ff",
    "over-long": "x" * 5_000,
    "superscript digits": "²³",
    "other digits": "٣",
    "a huge number": "9" * 30,
    "markup": "<script>alert(1)</script>{{7*7}}",
}


def posts(registry: Registry, number: str, slug: str) -> Iterator[str]:
    for route in registry.app.routes:
        if isinstance(route, APIRoute) and "POST" in route.methods and route.path != "/logout":
            yield route.path.format(dossier_id=number, slug=slug, reserve=10**20)


def test_no_form_fails_whatever_it_is_sent(either: Registry) -> None:
    number = either.sent()
    slug = str(either.dossier(number).project)
    boss = either.at("boss", Role.INTERNE, Role.CSE, Role.DPO, Role.ADMIN, Role.DMG)
    boss.get("/")
    boss.house.pace.note_person = lambda *_, **__: None  # type: ignore[method-assign]
    for path in posts(either, number, slug):
        answers = [boss.post(path)]
        answers += [boss.post(path, dict.fromkeys(EVERY_FIELD, value)) for value in HOSTILE.values()]
        answers.append(boss.post(path, {name: ["a", "b", "a"] for name in EVERY_FIELD}))
        token = {HEADER: boss.csrf}
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded; charset=utf-7"):
            headers = {**token, "Content-Type": kind}
            answers.append(boss.request("POST", path, content=b'{"reason": ["x"]}', headers=headers))
        files = {name: (name, b"\x00\xff") for name in ("reason", "title", "version")}
        answers.append(boss.request("POST", path, files=files, data={FIELD: boss.csrf}))
        for answer in answers:
            assert answer.status_code < 500, (path, answer.status_code)
    dossier = either.dossier(number)
    assert dossier.state is State.IN_REVIEW and dossier.opinions == ()


@pytest.mark.parametrize("odd", ["p-%00", "%ED%A0%80", "x" * 300, "p-1%0d%0aSet-Cookie:a=b", "..%2f.."])
def test_no_address_fails_whatever_it_names(either: Registry, odd: str) -> None:
    boss = either.at("boss", Role.INTERNE, Role.CSE, Role.DPO, Role.ADMIN)
    for folder in ("demandes", "instruction", "projets"):
        assert boss.get(f"/{folder}/{odd}").status_code in (404, 409, 422), folder


def test_a_form_without_its_version_overwrites_nothing(registry: Registry) -> None:
    number = registry.begun()
    registry.fill(registry.ines, number)
    assert registry.ines.post(f"/demandes/{number}/formulaire", {"title": ""}).status_code == 409
    assert registry.dossier(number).title == ANSWERS["title"]


def test_an_office_loses_nothing_of_what_it_typed(registry: Registry) -> None:
    number = registry.sent()
    page = registry.judged(number, reason="", retention="Deux ans en archive", dpia="AIPD-99")
    assert page.status_code == 422
    for kept in ('value="Deux ans en archive"', 'value="AIPD-99"', 'id="erreur-dpo-reason"'):
        assert kept in page.text
    page = registry.granted(number, expires_on="2031-01-01", tables=["patients"], reason="Vu avec l'équipe.")
    assert page.status_code == 422 and 'id="erreur-until"' in page.text
    assert "Vu avec l&#39;équipe." in page.text
    assert 'value="patients" checked' in page.text and 'value="diagnoses" checked' not in page.text
    page = registry.judged(number, round="7", reason="Un long avis motivé.")
    assert page.status_code == 409 and "Un long avis motivé." in page.text
    assert registry.dossier(number).opinions == ()


def test_reading_somebody_else_s_request_is_an_event(registry: Registry) -> None:
    number = registry.sent()
    registry.ines.get(f"/demandes/{number}")
    assert "dossier.read" not in registry.events()
    registry.dora.get(f"/instruction/{number}")
    registry.charles.get(f"/demandes/{number}")
    assert registry.events().count("dossier.read") == 2


def test_two_administrators_at_once_decide_once(either: Registry) -> None:
    from concurrent.futures import ThreadPoolExecutor

    number = either.sent()
    admins = [either.at(name, Role.ADMIN) for name in ("admin", "alain", "agnes")]
    for each in admins:
        each.get("/")
    with ThreadPoolExecutor(3) as together:
        answers = list(together.map(lambda each: either.granted(number, each), admins))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    assert len(either.dossier(number).opinions) == 1


def test_each_form_of_the_page_says_what_it_was_made_from(registry: Registry) -> None:
    number = registry.sent()
    registry.voted(number, registry.charles, reserve="Quelle tranche d'âge ?")
    registry.voted(number, registry.claire)
    boss = registry.at("boss", Role.CSE, Role.DPO, Role.ADMIN)
    forms = boss.get(f"/instruction/{number}").text.split("<form ")
    for path, name in (
        ("vote", "round"),
        ("avis", "round"),
        ("octroi", "round"),
        ("clore", "version"),
        ("lever", "version"),
    ):
        (form,) = [form for form in forms if f'/{path}"' in form.partition(">")[0]]
        assert f'name="{name}" value="' in form, path


def test_the_pages_own_fields_lead_to_an_open_project(registry: Registry) -> None:
    """As a browser sends them: what is hidden in the form, and what the person fills in."""
    number = registry.sent()

    def send(visit: Visit, path: str, **typed: object) -> int:
        forms = visit.get(f"/instruction/{number}").text.split("<form ")
        (form,) = [form for form in forms if f'/{path}"' in form.partition(">")[0]]
        form = form.partition("</form>")[0]
        hidden = dict(re.findall(r'type="hidden" name="(round|version)" value="(\d+)"', form))
        (address,) = re.findall(r'action="([^"]+)"', form)
        return visit.post(address, {**hidden, **typed}).status_code

    judged = {"legal_basis": "MR-004", "legal_reference": "2026-004", "retention": "Deux ans"}
    granted = {"access": "aggregate", "tables": ["patients"], "centres": ["*"], "snapshot": "1"}
    yes = {"verdict": "favourable", "reason": "Bien."}
    assert send(registry.dora, "avis", **yes, **judged) == 303
    assert send(registry.charles, "vote", ballot="for", reserve="Quel âge ?") == 303
    assert send(registry.claire, "vote", ballot="for") == 303
    assert send(registry.charles, "clore", reason="Pertinent.") == 303
    assert send(registry.charles, "lever", reason="Dit.") == 303
    assert send(registry.admin, "octroi", **yes, **granted, expires_on="2027-09-30") == 303
    assert registry.dossier(number).state is State.APPROVED
