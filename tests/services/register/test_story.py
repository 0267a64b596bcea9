"""An intern asks, three offices decide, the project opens: through the pages, on both databases."""

from __future__ import annotations

from datetime import date

from hub_config.governance.facts import ProjectStatus
from hub_config.governance.register.facts import State
from hub_config.governance.rules import why_not

from .conftest import Registry


def test_a_project_opens_when_all_three_agree_and_the_reserve_is_lifted(either: Registry) -> None:
    number = either.sent()
    slug = either.dossier(number).project
    assert slug == "asthme-enfant"
    assert either.project(slug).status is ProjectStatus.DRAFT

    assert either.judged(number).status_code == 303
    assert either.voted(number, either.charles, reserve="Préciser la tranche d'âge.").status_code == 303
    assert either.voted(number, either.claire).status_code == 303
    closing = either.closed(number, either.claire)
    assert closing.status_code == 303
    assert either.granted(number).status_code == 303
    assert either.project(slug).status is ProjectStatus.DRAFT  # a reserve stands

    (reserve,) = either.dossier(number).reserves
    told = either.ines.get(f"/demandes/{number}").text
    assert "Préciser la tranche d&#39;âge." in told
    either.ines.post(f"/demandes/{number}/reserves/{reserve.id}/reponse", {"answer": "De 6 à 15 ans."})
    page = either.charles.get(f"/instruction/{number}").text
    assert "De 6 à 15 ans." in page
    lifting = either.lifted(number)
    assert lifting.status_code == 303

    project = either.project(slug)
    assert either.dossier(number).state is State.APPROVED
    assert project.status is ProjectStatus.APPROVED and project.members == {"ines"}
    assert set(project.grant.tables) == {"patients", "diagnoses"}
    assert project.grant.expires_on == date(2027, 9, 30)
    assert project.grant.legal_basis == "MR-004 2026-004"
    assert why_not("ines", project, date(2026, 12, 1)) is None
    happened = either.events()
    for what in (
        "dossier.submit",
        "dossier.vote",
        "dossier.lift-reserve",
        "dossier.approve",
        "project.approve",
    ):
        assert what in happened
