"""The charter, members, the yearly review, leaving, the public page, the export; and who may open what."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime, timedelta

import pytest
from fastapi.routing import APIRoute

from hub_config.governance.facts import ProjectStatus
from hub_config.governance.problems import BadPerson
from hub_config.governance.register import charter, export, leaving, reading
from hub_config.governance.register.charter_texts import CHARTERS
from hub_config.governance.releases.models import Reviewer
from hub_config.governance.roles import Role
from hub_config.governance.rules import why_not
from hub_config.governance.spreadsheets import inert
from hub_config.web import login
from hub_config.web.login import maybe_visitor, visitor
from p4dp_sdk.wire.errors import ErrorCode
from tests import words

from .conftest import NOON, Registry

DAY = date(2026, 12, 1)


# the charter


def test_no_workspace_opens_before_the_charter_is_accepted(either: Registry) -> None:
    slug = either.approved()
    assert why_not("ines", either.project(slug), DAY) is None  # none is in force yet
    with either.store.change() as session:
        assert charter.put_in_force(session, audit=either.store.recorder("enclave"))
        assert not charter.put_in_force(session, audit=either.store.recorder("enclave"))
    denial = why_not("ines", either.project(slug), DAY)
    assert denial is not None and denial.code is ErrorCode.CHARTER_NOT_ACCEPTED
    assert why_not(f"svc-{slug}", either.project(slug), DAY) is None  # nobody's
    assert "J&#39;ai lu cette charte" in either.ines.get("/charte").text
    assert either.ines.post("/charte", {"version": "1"}).status_code == 422  # not ticked
    assert either.ines.post("/charte", {"version": "7", "accept": "yes"}).status_code == 409
    assert either.ines.post("/charte", {"version": "1", "accept": "yes"}).status_code == 303
    assert why_not("ines", either.project(slug), DAY) is None
    with either.store.session() as session:
        found = charter.accepted_at(session, "ines")
        assert found is not None and found[0] == 1
        assert charter.must_accept(session, "rachid") is not None
        assert charter.must_accept(session, "svc-any") is None


def test_both_languages_say_the_same_articles() -> None:
    for one in CHARTERS:
        assert len(one.french) == len(one.english) > 0
    assert [one.version for one in CHARTERS] == list(range(1, len(CHARTERS) + 1))


# members and the yearly review


def test_the_responsible_looks_after_the_members(either: Registry) -> None:
    slug = either.approved()
    either.at("lea", Role.INTERNE).get("/")
    either.at("diane", Role.MEDECIN_DIM).get("/")
    assert either.ines.post(f"/projets/{slug}/membres", {"user": "inconnue"}).status_code == 422
    assert either.ines.post(f"/projets/{slug}/membres", {"user": "diane"}).status_code == 422
    assert either.ines.post(f"/projets/{slug}/membres", {"user": "lea"}).status_code == 303
    assert either.project(slug).members == {"ines", "lea"}
    lea = either.at("lea", Role.INTERNE)
    assert lea.post(f"/projets/{slug}/membres", {"user": "ines"}).status_code == 403
    assert lea.post(f"/projets/{slug}/membres/retirer", {"user": "ines"}).status_code == 403
    either.ines.post(f"/projets/{slug}/membres/retirer", {"user": "lea"})
    assert either.project(slug).members == {"ines"}
    assert {"project.add-member", "project.remove-member"} <= set(either.events())


def test_a_review_nobody_makes_suspends(registry: Registry, clock: list[datetime]) -> None:
    slug = registry.approved(expires_on="2028-11-30", defence_on="")
    registry.at("lea", Role.INTERNE).get("/")
    registry.ines.post(f"/projets/{slug}/membres", {"user": "lea"})
    assert "Revue des accès à faire" not in registry.ines.get("/").text
    clock[0] = NOON + timedelta(days=370)
    assert "Revue des accès à faire" in registry.ines.get("/").text
    registry.admin.post("/projets/revue/suspendre")
    assert registry.project(slug).status is ProjectStatus.APPROVED  # still within the grace
    clock[0] = NOON + timedelta(days=400)
    assert registry.ines.post("/projets/revue/suspendre").status_code == 403
    registry.admin.post("/projets/revue/suspendre")
    assert registry.project(slug).status is ProjectStatus.SUSPENDED
    assert (
        registry.ines.post(f"/projets/{slug}/revue", {"kept": "ines", "listed": ["ines", "lea"]}).status_code
        == 303
    )
    assert registry.project(slug).members == {"ines"}
    assert registry.admin.post(f"/projets/{slug}/reprendre", {"reason": "Revue faite."}).status_code == 303
    registry.admin.post("/projets/revue/suspendre")
    assert registry.project(slug).status is ProjectStatus.APPROVED


# leaving


def test_who_leaves_is_out_everywhere_at_once(either: Registry) -> None:
    slug = either.approved()
    with either.store.change() as session:
        session.add(Reviewer(username="ines", named_by="charles", named_at=NOON))
    either.leads("ines", "C01")
    gone = either.dora.post("/personnes/depart", {"user": "ines", "reason": "Fin d'internat."})
    assert gone.status_code == 303
    project = either.project(slug)
    assert project.members == frozenset()
    denial = why_not("ines", project, DAY)
    assert denial is not None and denial.code is ErrorCode.NOT_A_MEMBER
    with either.store.session() as session:
        assert leaving.has_left(session, "ines")
        assert reading.centres_led_by(session, "ines") == frozenset()
        reviewer = session.get(Reviewer, "ines")
        assert reviewer is not None and reviewer.removed_at is not None
    assert either.ines.get("/").status_code == 403  # whatever the hub still says
    assert either.ines.post("/demandes").status_code == 403
    assert either.ines.post("/charte", {"accept": "yes", "version": "1"}).status_code == 403
    assert either.dora.post("/personnes/depart", {"user": "ines", "reason": "Encore."}).status_code == 422
    either.dora.post("/personnes/retour", {"user": "ines"})
    assert either.ines.get("/").status_code == 200
    assert either.project(slug).members == frozenset()  # back, with nothing


def test_who_left_has_no_sandbox_either(registry: Registry) -> None:
    from hub_config.governance import actions

    with registry.store.change() as session:
        actions.ensure_demo(session, 1, synthetic=True, audit=registry.store.recorder("enclave"))
        leaving.leave(session, "Rachid", reason="parti", audit=registry.store.recorder("operator"))
        with pytest.raises(BadPerson):
            leaving.leave(session, "svc-these-ines", reason="", audit=registry.store.recorder("operator"))
    assert why_not("rachid", registry.project("bac-a-sable"), DAY) is not None
    assert why_not("ines", registry.project("bac-a-sable"), DAY) is None


# the public page and the export


def test_the_public_reads_summaries_and_nothing_else(registry: Registry) -> None:
    registry.approved(lay_en="We count children with asthma followed by their general practitioner.")
    registry.sent(title="Projet à l'étude, pas encore public")
    page = registry.stranger.get("/public")
    assert page.status_code == 200
    assert "combien d&#39;enfants asthmatiques" in page.text and "opposer" in page.text
    for hidden in ("ines", "Durand", "diagnoses", "Étude descriptive", "pas encore public", "charles"):
        assert hidden not in page.text
    visit = registry.stranger
    visit.get("/language/en")
    english = visit.get("/public").text
    assert "children with asthma" in english and "You can object" in english


def test_the_public_sees_what_was_opened_and_what_became_of_it(registry: Registry) -> None:
    titles = {name: f"Étude {name} de l'asthme" for name in ("ouverte", "suspendue", "close", "retirée")}
    slugs = {name: registry.approved(title=title) for name, title in titles.items() if name != "retirée"}
    withdrawn = registry.sent(title=titles["retirée"], lay_fr="<b>Un résumé hostile</b> {{7*7}} " + "x" * 30)
    registry.ines.post(f"/demandes/{withdrawn}/retirer")
    registry.dora.post(f"/projets/{slugs['suspendue']}/suspendre", {"reason": "Un incident confidentiel."})
    registry.admin.post(f"/projets/{slugs['close']}/clore", {"reason": "Soutenance faite."})
    page = registry.stranger.get("/public")
    running, ended = page.text.split('id="termines"')
    shown = [name for name, title in titles.items() if title.replace("'", "&#39;") in running]
    assert shown == ["ouverte"]
    assert all(titles[name].replace("'", "&#39;") in ended for name in ("suspendue", "close"))
    for hidden in ("retirée", "hostile", "incident", *slugs.values()):
        assert hidden not in page.text
    assert page.headers["cache-control"] == "no-store" and "set-cookie" not in page.headers


def test_the_export_has_the_fields_of_article_30(registry: Registry) -> None:
    slug = registry.approved(director="=HYPERLINK(1)")
    sheet = registry.dora.get("/export/registre.csv").text.lstrip("\ufeff")
    (row,) = csv.DictReader(io.StringIO(sheet), delimiter=";")
    assert row["Référence"] == slug and row["Base légale"] == "MR-004 2026-004"
    assert row["Directeur"] == "'=HYPERLINK(1)"
    assert "Diagnostics" in row["Catégories de données (c)"]
    assert (
        "CSE : " in row["Décisions"]
        and row["Transferts vers un pays tiers ou une organisation internationale (e)"]
    )
    found = json.loads(registry.dora.get("/export/registre.json").text)
    assert [one["reference"] for one in found["activities"]] == [slug]
    assert registry.ines.get("/export/registre.csv").status_code == 403
    assert "register.export" in registry.events()
    assert set(export.TITLES) == set(found["activities"][0])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1+1", "\n\u00a0@x"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert inert(text).startswith("'")


# who may open what

OPEN_TO_ALL = {"/public"}
OFFICE = {"/instruction", "/personnes", "/export/registre.csv"}


def routes(registry: Registry) -> list[APIRoute]:
    shared = {route.path for route in login.router.routes}  # type: ignore[attr-defined]
    return [
        route for route in registry.app.routes if isinstance(route, APIRoute) and route.path not in shared
    ]


def test_every_route_says_who_asks(registry: Registry) -> None:
    for route in routes(registry):
        asked = {dependency.call for dependency in route.dependant.dependencies}
        assert (maybe_visitor if route.path in OPEN_TO_ALL else visitor) in asked, route.path


def test_a_stranger_opens_nothing_but_the_public_page(registry: Registry) -> None:
    registry.approved()
    for route in routes(registry):
        path = route.path.format(dossier_id="p-1", slug="x", reserve=1, kind="csv")
        for method in route.methods:
            answer = registry.stranger.request(method, path)
            if path in OPEN_TO_ALL:
                assert answer.status_code == 200
            elif method == "GET":
                assert "/oauth2/authorize" in answer.headers["location"], path
            else:
                assert answer.status_code == 403, path


def test_a_stranger_to_a_project_learns_nothing_of_it(registry: Registry) -> None:
    slug = registry.approved()
    number = registry.sent(title="Une autre demande sur le diabète")
    zoe = registry.at("zoe", Role.INTERNE)
    for path in (f"/projets/{slug}", f"/demandes/{number}", f"/demandes/{number}/formulaire"):
        assert zoe.get(path).status_code == zoe.get("/demandes/p-nowhere").status_code == 404
    assert zoe.get(f"/instruction/{number}").status_code == 403
    assert slug not in zoe.get("/projets").text
    for path in OFFICE:
        assert zoe.get(path).status_code == 403


def test_each_form_needs_the_session_s_token(registry: Registry) -> None:
    assert registry.ines.post("/demandes", token="").status_code == 403
    assert "dossier.begin" not in registry.events()


def test_everything_is_said_in_english() -> None:
    package = words.ROOT / "hub_config" / "register"
    assert words.unsaid(package, "p4dp-register") == []
    assert words.is_compiled(package, "p4dp-register")
