"""The right to have patients re-contacted: asked for with its reason, never decided without the committee,
granted no further than asked, told to the public and in the register of processing."""

from __future__ import annotations

import csv
import io

import pytest

from hub_config.governance import actions
from hub_config.governance.register.facts import State
from hub_config.governance.roles import Role

from .conftest import Registry

WHY = "Proposer à des patients diabétiques un essai ; chacun accepte ou refuse chez son médecin."
ASKED = {"recontact": "yes", "recontact_why": WHY}
PUBLIC = "peuvent être invités à recontacter des patients"


def opened_with_recontact(registry: Registry) -> str:
    number = registry.sent(**ASKED)
    registry.judged(number)
    registry.granted(number, recontact="yes")
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    assert registry.closed(number).status_code == 303
    return str(registry.dossier(number).project)


def test_the_three_offices_read_what_they_decide(registry: Registry) -> None:
    number = registry.sent(**ASKED)
    for visit in (registry.charles, registry.dora, registry.admin):
        assert "recontact</span>" in visit.get("/instruction").text
        assert WHY in visit.get(f"/instruction/{number}").text
    assert 'id="grant-recontact"' in registry.admin.get(f"/instruction/{number}").text
    assert registry.project(str(registry.dossier(number).project)).status.value == "draft"


def test_what_is_granted_is_told_to_the_public_and_in_the_register(registry: Registry) -> None:
    slug = opened_with_recontact(registry)
    assert registry.project(slug).grant.recontact
    assert PUBLIC in registry.stranger.get("/public").text
    assert "oui : des cabinets" in registry.ines.get(f"/projets/{slug}").text
    assert "recontact</span>" in registry.dora.get("/projets").text
    sheet = registry.dora.get("/export/registre.csv").text.lstrip("\ufeff")
    (row,) = csv.DictReader(io.StringIO(sheet), delimiter=";")
    assert row["Recontact de patients"].startswith("Oui") and WHY in row["Recontact de patients"]
    assert "cabinets participants" in row["Destinataires (d)"]


def test_a_project_without_it_says_so(registry: Registry) -> None:
    slug = registry.approved()
    assert not registry.project(slug).grant.recontact
    assert PUBLIC not in registry.stranger.get("/public").text
    sheet = registry.dora.get("/export/registre.csv").text.lstrip("\ufeff")
    (row,) = csv.DictReader(io.StringIO(sheet), delimiter=";")
    assert row["Recontact de patients"] == "non" and "cabinets" not in row["Destinataires (d)"]


def test_the_administrator_may_grant_less_and_never_more(registry: Registry) -> None:
    number = registry.sent()
    refused = registry.granted(number, recontact="yes")
    assert refused.status_code == 422
    asked = registry.sent(title="Un essai chez l'adulte", **ASKED)
    registry.judged(asked)
    registry.granted(asked)
    registry.voted(asked, registry.charles)
    registry.voted(asked, registry.claire)
    registry.closed(asked)
    assert registry.dossier(asked).state is State.APPROVED
    assert not registry.project(str(registry.dossier(asked).project)).grant.recontact


def test_a_lead_s_own_region_needs_the_committee_for_it(registry: Registry) -> None:
    damien = registry.at("damien", Role.DMG)
    damien.get("/")
    registry.leads("damien", "C02")
    number = registry.sent(damien, centres=["C02"], **ASKED)
    registry.judged(number)
    registry.granted(number, centres=["C02"], recontact="yes")
    assert registry.dossier(number).state is State.IN_REVIEW


def test_a_reason_is_needed(registry: Registry) -> None:
    number = registry.begun()
    answer = registry.fill(registry.ines, number, do="submit", recontact="yes", recontact_why="Parce que.")
    assert answer.status_code == 422 and 'id="erreur-recontact_why"' in answer.text


@pytest.mark.parametrize("stands", [True, False])
def test_a_renewal_starts_from_what_stands(registry: Registry, stands: bool) -> None:
    """Whoever gave or took it since: an operator's command, too."""
    from dataclasses import replace

    slug = registry.approved() if stands else opened_with_recontact(registry)
    with registry.store.change() as session:
        facts, audit = actions.project_facts(session, slug), registry.store.recorder("operator:root")
        terms = registry.office.terms(1)
        actions.amend(session, slug, replace(facts.grant, recontact=stands), terms=terms, audit=audit)
        actions.approve(session, slug, audit=audit)
    begun = registry.ines.post(f"/projets/{slug}/demandes", {"kind": "renewal"})
    shown = registry.ines.get(begun.headers["location"]).text
    assert ('id="recontact-oui" name="recontact" value="yes" checked' in shown) is stands
