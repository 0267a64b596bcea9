"""What a DMG lead may ask for, and when the committee votes on it."""

from __future__ import annotations

import pytest

from hub_config.governance.register import reading
from hub_config.governance.register.facts import Scope, State
from hub_config.governance.roles import Role

from .conftest import Registry


@pytest.fixture
def damien(registry: Registry):  # type: ignore[no-untyped-def]
    """Leads C02, as the committee says."""
    visit = registry.at("damien", Role.DMG)
    visit.get("/")
    registry.leads("damien", "C02")
    return visit


def agreed(registry: Registry, number: str, **granted: object) -> State:
    registry.judged(number)
    registry.granted(number, centres=["C02"], **granted)
    return registry.dossier(number).state


def test_dpo_and_administrator_open_a_lead_s_own_region(registry: Registry, damien) -> None:  # type: ignore[no-untyped-def]
    number = registry.sent(damien, centres=["C02"])
    assert "Aucune demande" in registry.charles.get("/instruction").text  # nothing waits for the committee
    assert "pas de vote" in damien.get(f"/demandes/{number}").text
    assert agreed(registry, number) is State.APPROVED
    slug = str(registry.dossier(number).project)
    with registry.store.session() as session:
        entry = reading.entry(session, slug)
    assert entry is not None and (entry.scope, entry.lead) == (Scope.REGIONAL, "damien")
    assert registry.project(slug).grant.centres == {"C02"}


def test_a_vote_takes_it_up_for_the_committee(registry: Registry, damien) -> None:  # type: ignore[no-untyped-def]
    number = registry.sent(damien, centres=["C02"])
    registry.voted(number, registry.charles, "against")
    assert agreed(registry, number) is State.IN_REVIEW
    registry.voted(number, registry.claire, "against")
    registry.closed(number)
    assert registry.dossier(number).state is State.REFUSED


@pytest.mark.parametrize(
    "more",
    [
        {"access": "microdata"},
        {"tables": ["patients", "snds_stays"], "need_snds_stays": "Les séjours."},
    ],
)
def test_rows_and_the_snds_are_the_committee_s(registry: Registry, damien, more: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    number = registry.sent(damien, centres=["C02"], **more)
    assert agreed(registry, number, tables=more.get("tables", ["patients"])) is State.IN_REVIEW


def test_the_form_cannot_say_it_is_regional(registry: Registry) -> None:
    number = registry.sent(centres=["C02"], scope="regional")
    assert agreed(registry, number) is State.IN_REVIEW


def test_nobody_names_themselves_or_their_like(registry: Registry) -> None:
    clara = registry.at("clara", Role.CSE, Role.DMG)
    clara.get("/")
    assert clara.post("/personnes/centres", {"user": "clara", "centre": "C01"}).status_code == 422
    assert clara.post("/personnes/centres", {"user": "CLARA ", "centre": "C01"}).status_code == 422
    assert registry.admin.post("/personnes/centres", {"user": "clara", "centre": "C01"}).status_code == 403
    slug = registry.approved()
    boss = registry.at("boss", Role.ADMIN, Role.CHERCHEUR)
    boss.get("/")
    assert boss.post(f"/projets/{slug}/responsable", {"user": "boss"}).status_code == 403
    assert registry.admin.post(f"/projets/{slug}/responsable", {"user": "dora"}).status_code == 422
