"""Attacks on the three offices of the register: deciding on one's own project, deciding twice, deciding on
what changed meanwhile, counting those who left, gaining by one's own decision. Each succeeds with the defence
taken out, then fails with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy.orm import Session

from hub_config.governance.facts import ProjectStatus
from hub_config.governance.register import leaving, reading
from hub_config.governance.register.facts import DossierFacts, Office, State
from hub_config.governance.register.models import Dossier
from hub_config.governance.roles import Role
from hub_config.register import rules
from hub_config.register.actions import decisions, looking, projects, settling
from hub_config.settings import Settings
from tests.services.register.conftest import NOON, Registry, opened

ACTIONS = "hub_config.register.actions"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    found = opened(Settings(home=tmp_path / "home"), [NOON])
    yield found
    found.store.close()


def amendment(registry: Registry, slug: str, **changed: object) -> str:
    begun = registry.ines.post(f"/projets/{slug}/demandes", {"kind": "amendment"})
    number = begun.headers["location"].split("/")[2]
    assert registry.fill(registry.ines, number, do="submit", **changed).status_code == 303
    return number


def sent_again(registry: Registry, number: str, **changed: object) -> None:
    """The administrator sends it back; the requester changes it, and sends it anew."""
    registry.granted(number, verdict="return", reason="À préciser.")
    assert registry.fill(registry.ines, number, do="submit", **changed).status_code == 303


def votes_on_their_own_project(registry: Registry) -> bool:
    """Paule sits on the committee and works in the project; the form of its amendment leaves her out."""
    paule = registry.at("paule", Role.CHERCHEUR, Role.CSE)
    paule.get("/")
    slug = registry.approved()
    registry.ines.post(f"/projets/{slug}/membres", {"user": "paule"})
    return registry.voted(amendment(registry, slug, members=""), paule).status_code == 303


def leaves_to_vote(registry: Registry) -> bool:
    """The same, taken out of the project just before."""
    paule = registry.at("paule", Role.CHERCHEUR, Role.CSE)
    paule.get("/")
    slug = registry.approved()
    registry.ines.post(f"/projets/{slug}/membres", {"user": "paule"})
    registry.ines.post(f"/projets/{slug}/membres/retirer", {"user": "paule"})
    return registry.voted(amendment(registry, slug), paule).status_code == 303


def votes_from_a_page_of_before(registry: Registry) -> bool:
    """Charles read a request for protected results; his tab votes on the one for rows of patients."""
    number = registry.sent()
    sent_again(registry, number, access="microdata")
    fields = {"ballot": "for", "round": "1"}
    return registry.charles.post(f"/instruction/{number}/vote", fields).status_code == 303


def closes_on_a_count_of_before(registry: Registry) -> bool:
    """Two were for when Charles opened the page; a third voted against before he pronounced."""
    number = registry.sent()
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    version = str(registry.dossier(number).version)
    registry.voted(number, registry.at("colette", Role.CSE), "against")
    fields = {"reason": "Unanimité.", "version": version}
    return registry.charles.post(f"/instruction/{number}/clore", fields).status_code == 303


def lifts_on_an_answer_of_before(registry: Registry) -> bool:
    """The requester takes back the answer that the committee read."""
    number = registry.sent()
    registry.voted(number, registry.charles, reserve="Quelle tranche d'âge ?")
    (reserve,) = registry.dossier(number).reserves
    answer = f"/demandes/{number}/reserves/{reserve.id}/reponse"
    registry.ines.post(answer, {"answer": "De 6 à 15 ans."})
    version = str(registry.dossier(number).version)
    registry.ines.post(answer, {"answer": "Tous les âges, finalement."})
    fields = {"reason": "Tranche précisée.", "version": version}
    lifted = registry.charles.post(f"/instruction/{number}/reserves/{reserve.id}/lever", fields)
    return lifted.status_code == 303


def is_counted_after_leaving(registry: Registry) -> bool:
    """Claire voted, and left the committee and the platform before the vote was closed."""
    number = registry.sent()
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.dora.post("/personnes/depart", {"user": "claire", "reason": "Fin de mandat."})
    return registry.closed(number).status_code == 303


def asks_and_leaves(registry: Registry) -> bool:
    """Whoever asked has left: the project opens all the same, in their name."""
    number = registry.sent()
    registry.judged(number)
    registry.granted(number)
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.dora.post("/personnes/depart", {"user": "ines", "reason": "Fin d'internat."})
    registry.closed(number)
    return registry.dossier(number).state is State.APPROVED


def enters_what_they_agreed_to(registry: Registry) -> bool:
    """Denise is DPO and does research: she agrees, then is let in."""
    denise = registry.at("denise", Role.DPO, Role.CHERCHEUR)
    number = registry.sent()
    registry.judged(number, denise)
    registry.granted(number)
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.closed(number)
    slug = str(registry.dossier(number).project)
    return registry.ines.post(f"/projets/{slug}/membres", {"user": "denise"}).status_code == 303


def lifts_their_own_suspension(registry: Registry) -> bool:
    """An administrator who works in the project that the DPO suspended."""
    boss = registry.at("boss", Role.ADMIN, Role.CHERCHEUR)
    boss.get("/")
    slug = registry.approved()
    registry.ines.post(f"/projets/{slug}/membres", {"user": "boss"})
    registry.dora.post(f"/projets/{slug}/suspendre", {"reason": "Incident."})
    boss.post(f"/projets/{slug}/reprendre", {"reason": "Tout va bien."})
    return registry.project(slug).status is ProjectStatus.APPROVED


def speaks_for_two_offices(registry: Registry) -> bool:
    """Paule lifts the committee's reserve, then judges as DPO."""
    paule = registry.at("paule", Role.DPO, Role.CSE)
    number = registry.sent()
    registry.voted(number, registry.charles, reserve="Préciser.")
    assert registry.lifted(number, paule).status_code == 303
    return registry.judged(number, paule).status_code == 303


def votes_then_judges_what_is_sent_again(registry: Registry) -> bool:
    """Paule votes on the first version, is DPO for the second."""
    paule = registry.at("paule", Role.DPO, Role.CSE)
    number = registry.sent()
    assert registry.voted(number, paule).status_code == 303
    sent_again(registry, number)
    return registry.judged(number, paule).status_code == 303


def judges_then_votes_on_what_is_sent_again(registry: Registry) -> bool:
    paule = registry.at("paule", Role.DPO, Role.CSE)
    number = registry.sent()
    assert registry.judged(number, paule).status_code == 303
    sent_again(registry, number)
    return registry.voted(number, paule).status_code == 303


def leaves_between_two_offices(registry: Registry) -> bool:
    """Paule's vote on the first version goes with her departure; she comes back as DPO."""
    paule = registry.at("paule", Role.DPO, Role.CSE)
    number = registry.sent()
    assert registry.voted(number, paule).status_code == 303
    sent_again(registry, number)
    registry.dora.post("/personnes/depart", {"user": "paule", "reason": "Congé."})
    with registry.store.change() as session:
        leaving.take_back(session, "paule", audit=registry.store.recorder("admin"))
    return registry.judged(number, paule).status_code == 303


def enters_what_they_voted_on_before(registry: Registry) -> bool:
    """Paule does research too, and voted on the version that was sent back."""
    paule = registry.at("paule", Role.CSE, Role.CHERCHEUR)
    number = registry.sent()
    assert registry.voted(number, paule).status_code == 303
    sent_again(registry, number)
    for office in (registry.judged, registry.granted):
        office(number)
    for member in (registry.charles, registry.claire):
        registry.voted(number, member)
    registry.closed(number)
    slug = str(registry.dossier(number).project)
    return registry.ines.post(f"/projets/{slug}/membres", {"user": "paule"}).status_code == 303


def keeps_a_decision_made_in_conflict(registry: Registry) -> bool:
    """Charles declares his conflict once the committee's decision, which needed his voice, is out."""
    number = registry.sent()
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.closed(number, registry.claire)
    registry.charles.post(f"/instruction/{number}/conflit", {"reason": "Je dirige sa thèse."})
    return registry.dossier(number).opinion(Office.CSE) is not None


def opens_a_region_they_lead_no_more(registry: Registry) -> bool:
    damien = registry.at("damien", Role.DMG)
    damien.get("/")
    registry.leads("damien", "C02")
    number = registry.sent(damien, centres=["C02"])
    registry.judged(number)
    registry.charles.post("/personnes/centres/retirer", {"user": "damien", "centre": "C02"})
    registry.granted(number, centres=["C02"])
    return registry.dossier(number).state is State.APPROVED


def comes_back_by_an_amendment(registry: Registry) -> bool:
    """Léa was taken out while an amendment that names her was under way."""
    registry.at("lea", Role.INTERNE).get("/")
    slug = registry.approved(members="lea")
    number = amendment(registry, slug, members="lea")
    registry.ines.post(f"/projets/{slug}/membres/retirer", {"user": "lea"})
    registry.judged(number)
    registry.granted(number)
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    assert registry.closed(number).status_code == 303
    return "lea" in registry.project(slug).members


def whenever_it_was(session, dossier_id, person, act, *, quorum, version=None, round=None):  # type: ignore[no-untyped-def]
    return looking.opened(session, dossier_id, person, act, quorum=quorum)


def opinions_only(username: str, dossier: DossierFacts) -> frozenset[Office]:
    return frozenset(one.office for one in dossier.opinions if one.by == username)


def in_this_round(username: str, dossier: DossierFacts) -> frozenset[Office]:
    now = replace(
        dossier,
        voted_before=frozenset(),
        opinions=tuple(one for one in dossier.opinions if one.round == dossier.round),
    )
    return OFFICES_HELD(username, now)


def forgetting(session: Session, dossier: Dossier) -> DossierFacts:
    return replace(DOSSIER_FACTS(session, dossier), voted_before=frozenset())


def forgetting_all(session: Session, project: str) -> list[DossierFacts]:
    return [replace(each, voted_before=frozenset()) for each in DOSSIERS_ABOUT(session, project)]


def nothing(*_: object, **__: object) -> None:
    return None


OFFICES_HELD, DOSSIER_FACTS = rules.offices_held, reading.dossier_facts
DOSSIERS_ABOUT = reading.dossiers_about
NOBODY_BELONGS = (reading, "_belonging", lambda *_: {})
ANY_PAGE = (decisions, "opened", whenever_it_was)
VOTES_STAY = (leaving, "_out_of_dossiers", nothing)
ATTACKS: list[tuple[Callable[[Registry], bool], tuple[object, str, object]]] = [
    (votes_on_their_own_project, NOBODY_BELONGS),
    (leaves_to_vote, NOBODY_BELONGS),
    (votes_from_a_page_of_before, ANY_PAGE),
    (closes_on_a_count_of_before, ANY_PAGE),
    (lifts_on_an_answer_of_before, ANY_PAGE),
    (is_counted_after_leaving, VOTES_STAY),
    (asks_and_leaves, VOTES_STAY),
    (enters_what_they_agreed_to, (projects, "_require_no_part_in_deciding", nothing)),
    (lifts_their_own_suspension, (rules, "_NOT_ON_ONE_S_OWN", frozenset())),
    (speaks_for_two_offices, (rules, "offices_held", opinions_only)),
    (votes_then_judges_what_is_sent_again, (reading, "dossier_facts", forgetting)),
    (judges_then_votes_on_what_is_sent_again, (rules, "offices_held", in_this_round)),
    (leaves_between_two_offices, (rules, "offices_held", in_this_round)),
    (enters_what_they_voted_on_before, (reading, "dossiers_about", forgetting_all)),
    (keeps_a_decision_made_in_conflict, (decisions, "_take_back", lambda *_: False)),
    (opens_a_region_they_lead_no_more, (settling, "_require_lead", nothing)),
    (comes_back_by_an_amendment, (reading, "departed_since", lambda *_: frozenset())),
]


@pytest.mark.parametrize("defended", [False, True], ids=["without", "with"])
@pytest.mark.parametrize(("attack", "defence"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_the_attack_succeeds_only_without_the_defence(
    registry: Registry,
    attack: Callable[[Registry], bool],
    defence: tuple[object, str, object],
    defended: bool,
) -> None:
    where, name, instead = defence
    out: AbstractContextManager[object] = nullcontext() if defended else patch.object(where, name, instead)
    with out:
        assert attack(registry) is not defended
