"""Paule did not vote; she lifts the committee's last reserve, by which the project opens, and enters it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_config.governance.register.facts import DossierFacts, Office
from hub_config.governance.roles import Role
from hub_config.register.actions import projects
from hub_config.settings import Settings
from tests.services.register.conftest import NOON, Registry, opened


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    found = opened(Settings(home=tmp_path / "home"), [NOON])
    yield found
    found.store.close()


def by_votes_and_opinions(username: str, dossier: DossierFacts) -> frozenset[Office]:
    spoke = {one.office for one in dossier.opinions if one.by == username}
    voted = {vote.voter for vote in dossier.votes} | dossier.voted_before
    return frozenset(spoke | ({Office.CSE} if username in voted else set()))


def enters(registry: Registry) -> bool:
    paule = registry.at("paule", Role.CSE, Role.CHERCHEUR)
    paule.get("/")
    number = registry.sent()
    registry.judged(number)
    registry.granted(number)
    registry.voted(number, registry.charles, reserve="Préciser.")
    registry.voted(number, registry.claire)
    registry.closed(number)
    assert registry.lifted(number, paule).status_code == 303
    slug = str(registry.dossier(number).project)
    return registry.ines.post(f"/projets/{slug}/membres", {"user": "paule"}).status_code == 303


@pytest.mark.parametrize("defended", [False, True])
def test_who_lifted_the_last_reserve_stays_out(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(projects, "offices_held", by_votes_and_opinions)
    assert enters(registry) is not defended
