"""What waits for somebody is what they can do; where a page offers nothing, it says why."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from html import unescape

from sqlalchemy import select

from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.governance.roles import Role
from tests.pages import Visit

from .conftest import NOON, Registry


def waits_for(visit: Visit, number: str) -> bool:
    """Whether the first page names the request among what waits, and the list of requests agrees."""
    home = visit.get("/").text.partition('id="attend"')[2].partition("</section>")[0]
    listed = visit.get("/instruction").text.partition("Ce qui vous attend")[2].partition("<h2>")[0]
    assert (f"/instruction/{number}" in home) == (f"/instruction/{number}" in listed)
    return f"/instruction/{number}" in home


def words(visit: Visit, path: str) -> str:
    main = visit.get(path).text.partition("<main")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def test_a_vote_waits_for_who_can_cast_or_close_it(registry: Registry) -> None:
    number, colette = registry.sent(), registry.at("colette", Role.CSE)
    assert waits_for(registry.charles, number)
    registry.voted(number, registry.charles)
    assert not waits_for(registry.charles, number)
    assert waits_for(registry.claire, number)
    assert "Le quorum n'est pas atteint" in words(registry.charles, f"/instruction/{number}")
    registry.voted(number, registry.claire, "against")
    assert not waits_for(registry.claire, number)
    assert "Les voix sont partagées" in words(registry.claire, f"/instruction/{number}")
    registry.voted(number, colette)
    assert waits_for(registry.charles, number), "now it can be closed"
    registry.closed(number)
    assert not waits_for(registry.charles, number)
    assert waits_for(registry.dora, number)
    registry.judged(number)
    assert not waits_for(registry.dora, number)


def test_a_reserve_waits_for_the_committee_and_not_for_who_stepped_back(registry: Registry) -> None:
    number = registry.sent()
    registry.voted(number, registry.charles, reserve="Préciser l'âge.")
    registry.charles.post(f"/instruction/{number}/conflit", {"reason": "Je suis son maître de stage."})
    registry.voted(number, registry.claire)
    assert waits_for(registry.claire, number)
    assert not waits_for(registry.charles, number)
    assert "vous ne prenez pas part" in words(registry.charles, f"/instruction/{number}")


def test_a_project_s_page_says_what_its_state_means(registry: Registry, clock: list[datetime]) -> None:
    slug = registry.approved()
    path = f"/projets/{slug}"
    assert "Demander un renouvellement" in words(registry.ines, path)
    registry.dora.post(f"{path}/suspendre", {"reason": "Un incident confidentiel."})
    told = words(registry.ines, path)
    assert "ni renouvellement ni modification" in told
    assert "Demander un renouvellement" not in told
    assert "confidentiel" not in told, "the reason is on the audit log"
    assert "La revue annuelle" not in told.partition("ni renouvellement")[2].partition("Membres")[0]
    clock[0] = NOON + timedelta(days=365 + 31)
    assert "le responsable du projet la fait d'abord" in words(registry.ines, path)
    registry.admin.post(f"{path}/clore", {"reason": "Fini."})
    assert "clos, pour de bon" in words(registry.ines, path)
    assert "accès jusqu'au" not in words(registry.stranger, "/public")


def told(registry: Registry) -> list[str]:
    """Who has a notice that a project is suspended."""
    with registry.store.session() as session:
        query = select(Notice.recipient).where(Notice.kind == NoticeKind.SUSPENDED.value)
        return sorted(session.scalars(query))


def test_who_answers_for_a_project_is_told_that_it_is_suspended(
    registry: Registry, clock: list[datetime]
) -> None:
    slug = registry.approved()
    registry.dora.post(f"/projets/{slug}/suspendre", {"reason": "Incident."})
    assert told(registry) == ["ines"]
    registry.admin.post(f"/projets/{slug}/reprendre", {"reason": "Réglé."})
    clock[0] = NOON + timedelta(days=365 + 31)
    registry.admin.post("/projets/revue/suspendre")
    assert told(registry) == ["ines", "ines"]


def test_who_suspends_their_own_or_left_is_not_told(registry: Registry) -> None:
    slug = registry.approved(title="Un projet dont Doris répond")
    registry.at("doris", Role.DPO).get("/")
    registry.admin.post(f"/projets/{slug}/responsable", {"user": "doris"})
    registry.at("doris").post(f"/projets/{slug}/suspendre", {"reason": "Le mien."})
    assert told(registry) == []
    other = registry.approved()
    registry.admin.post("/personnes/depart", {"user": "ines", "reason": "Fin."})
    registry.dora.post(f"/projets/{other}/suspendre", {"reason": "Incident."})
    assert told(registry) == []


def test_the_register_s_decisions_are_in_its_language(registry: Registry) -> None:
    registry.approved()
    sheet = registry.dora.get("/export/registre.csv").text.lstrip("\ufeff")
    (row,) = csv.DictReader(io.StringIO(sheet), delimiter=";")
    decided = sorted(one.split(",")[0] for one in row["Décisions"].split(" ; "))
    assert decided == ["CSE : favorable", "DPO : favorable", "administrateur : favorable"]
