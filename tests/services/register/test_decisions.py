"""What the offices may not do, two tabs, a request sent back, refused, withdrawn."""

from __future__ import annotations

import pytest

from hub_config.governance import actions
from hub_config.governance.facts import AccessLevel, ProjectStatus
from hub_config.governance.problems import ForbiddenTransition
from hub_config.governance.register.facts import State
from hub_config.governance.roles import Role

from .conftest import Registry


def test_nobody_decides_on_what_they_asked_for(registry: Registry) -> None:
    """Whoever asks and holds offices too decides nothing of their own."""
    boss = registry.at("boss", Role.CHERCHEUR, Role.DPO, Role.CSE, Role.ADMIN)
    number = registry.sent(boss)
    answers = [
        registry.judged(number, boss),
        registry.granted(number, boss),
        registry.voted(number, boss),
        registry.closed(number, boss),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert registry.dossier(number).opinions == ()


def test_nobody_holds_two_offices_on_one_request(registry: Registry) -> None:
    number = registry.sent()
    both = registry.at("paule", Role.DPO, Role.ADMIN)
    assert registry.judged(number, both).status_code == 303
    assert registry.granted(number, both).status_code == 403
    assert registry.granted(number).status_code == 303


def test_who_spoke_for_one_office_speaks_for_no_other_when_it_is_sent_anew(either: Registry) -> None:
    """Paule votes; the request is sent back and mended. Its page tells her that another DPO judges it,
    and what to do where there is none; her vote is welcome again."""
    paule, number = either.at("paule", Role.DPO, Role.CSE), either.sent()
    assert either.voted(number, paule).status_code == 303
    either.granted(number, verdict="return", reason="Quelle tranche d'âge ?")
    either.fill(either.ines, number, do="submit", title="Asthme de 6 à 15 ans")
    again = either.dossier(number)
    assert (again.round, again.votes, again.voted_before) == (2, (), {"paule"})
    page = paule.get(f"/instruction/{number}").text
    assert "à un autre titre, lors de cet envoi ou d&#39;un précédent" in page
    assert "en dépose une nouvelle" in page
    assert f'action="/instruction/{number}/avis"' not in page
    assert f"/instruction/{number}/vote" in page
    refused = either.judged(number, paule)
    assert refused.status_code == 403
    assert "Laissez cette décision à un autre titulaire" in refused.text
    assert either.voted(number, paule).status_code == 303, "the same office, in a new round"
    assert either.judged(number).status_code == 303
    assert either.granted(number).status_code == 303, "and so the administrator's"


def test_a_new_request_frees_who_spoke_for_the_other_office(registry: Registry) -> None:
    """The way out that the refusal names: where nobody else holds the office, the request is filed anew."""
    paule, number = registry.at("paule", Role.DPO, Role.CSE), registry.sent()
    registry.voted(number, paule)
    assert registry.judged(number, paule).status_code == 403
    assert registry.ines.post(f"/demandes/{number}/retirer").status_code == 303
    assert registry.judged(registry.sent(), paule).status_code == 303


def test_a_vote_needs_its_quorum_and_no_tie(registry: Registry) -> None:
    number = registry.sent()
    registry.voted(number, registry.charles)
    assert registry.closed(number).status_code == 409
    registry.voted(number, registry.claire, "against")
    assert registry.closed(number).status_code == 409
    assert registry.voted(number, registry.claire, "for").status_code == 409  # once, in two tabs or one
    registry.voted(number, registry.at("colette", Role.CSE))
    assert registry.closed(number).status_code == 303


def test_a_conflict_voids_the_vote_and_keeps_out(registry: Registry) -> None:
    number = registry.sent()
    registry.voted(number, registry.charles)
    registry.charles.post(f"/instruction/{number}/conflit", {"reason": "Je suis son maître de stage."})
    assert registry.dossier(number).votes == ()
    assert registry.voted(number, registry.charles).status_code == 403


def test_a_decision_needs_a_written_reason(registry: Registry) -> None:
    number = registry.sent()
    assert registry.judged(number, reason="  ").status_code == 422
    assert registry.judged(number, retention="").status_code == 422
    assert registry.dossier(number).opinions == ()


@pytest.mark.parametrize(
    "more",
    [
        {"tables": ["patients", "prescriptions"]},
        {"access": "microdata"},
        {"access": "sandbox"},
        {"expires_on": "2030-01-01"},
        {"snapshot": "9"},
        {"centres": ["C01"]},
        {"tables": []},
    ],
)
def test_the_administrator_grants_no_more_than_was_asked(registry: Registry, more: dict[str, object]) -> None:
    number = registry.sent()
    assert registry.granted(number, **more).status_code == 422
    assert registry.dossier(number).opinions == ()


def test_the_administrator_may_grant_less(registry: Registry) -> None:
    number = registry.sent(access="microdata", centres=["C01", "C02"])
    registry.granted(
        number, access="aggregate", centres=["C02"], tables=["patients"], expires_on="2027-01-31"
    )
    registry.judged(number)
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.closed(number, registry.claire)
    grant = registry.project(str(registry.dossier(number).project)).grant
    assert (grant.access, grant.centres, set(grant.tables)) == (AccessLevel.AGGREGATE, {"C02"}, {"patients"})


def test_a_page_of_before_decides_nothing(registry: Registry) -> None:
    """The DPO's page was made before the request was sent back and changed in another tab."""
    number = registry.sent()
    old = str(registry.dossier(number).round)
    registry.granted(number, verdict="return", reason="Quelle tranche d'âge ?")
    registry.fill(registry.ines, number, do="submit", title="Asthme de 6 à 15 ans")
    assert registry.judged(number, round=old).status_code == 409
    assert registry.dossier(number).opinion is not None
    assert [one.round for one in registry.dossier(number).opinions] == [1]


def test_a_request_sent_back_is_decided_on_anew(registry: Registry) -> None:
    number = registry.sent()
    slug = registry.dossier(number).project
    registry.judged(number)
    registry.granted(number, verdict="return", reason="Quelle tranche d'âge ?")
    assert registry.dossier(number).state is State.RETURNED
    assert "Quelle tranche d&#39;âge ?" in registry.ines.get(f"/demandes/{number}/formulaire").text
    answer = registry.fill(registry.ines, number, do="submit", title="Asthme de 6 à 15 ans")
    assert answer.status_code == 303
    again = registry.dossier(number)
    assert (again.state, again.round, again.project) == (State.IN_REVIEW, 2, slug)
    assert registry.project(str(slug)).title == "Asthme de 6 à 15 ans"
    registry.granted(number)
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.closed(number, registry.claire)
    assert registry.dossier(number).state is State.IN_REVIEW  # the DPO judged another version
    registry.judged(number)
    assert registry.dossier(number).state is State.APPROVED


@pytest.mark.parametrize("how", ["refused", "withdrawn"])
def test_what_is_not_to_be_is_closed(registry: Registry, how: str) -> None:
    number = registry.sent()
    if how == "refused":
        registry.judged(number, verdict="unfavourable", reason="Aucune base légale.")
    else:
        registry.ines.post(f"/demandes/{number}/retirer")
    assert registry.dossier(number).state.value == how
    assert registry.project(str(registry.dossier(number).project)).status is ProjectStatus.CLOSED
    assert registry.granted(number).status_code == 409


def test_an_operator_cannot_open_what_the_offices_did_not_agree_to(registry: Registry) -> None:
    slug = str(registry.dossier(registry.sent()).project)
    with (
        pytest.raises(ForbiddenTransition, match="not all agreed"),
        registry.store.change() as session,
    ):
        actions.approve(session, slug, audit=registry.store.recorder("operator"))
    assert registry.project(slug).status is ProjectStatus.DRAFT


def test_an_amendment_leaves_the_grant_as_it_is_until_decided(registry: Registry) -> None:
    slug = registry.approved()
    answer = registry.ines.post(f"/projets/{slug}/demandes", {"kind": "amendment"})
    number = answer.headers["location"].split("/")[2]
    assert "tient" not in number and registry.project(slug).status is ProjectStatus.APPROVED
    assert registry.ines.post(f"/projets/{slug}/demandes", {"kind": "renewal"}).status_code == 403
    more = {"tables": ["patients", "diagnoses", "prescriptions"], "need_prescriptions": "Les traitements."}
    assert registry.fill(registry.ines, number, do="submit", **more).status_code == 303
    assert "prescriptions" not in registry.project(slug).grant.tables
    registry.judged(number)
    registry.granted(number, tables=more["tables"])
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.closed(number, registry.claire)
    project = registry.project(slug)
    assert project.status is ProjectStatus.APPROVED and "prescriptions" in project.grant.tables


def test_an_amendment_does_not_lift_a_suspension(registry: Registry) -> None:
    slug = registry.approved()
    begun = registry.ines.post(f"/projets/{slug}/demandes", {"kind": "renewal"})
    number = begun.headers["location"].split("/")[2]
    registry.fill(registry.ines, number, do="submit", expires_on="2028-09-30")
    registry.judged(number)
    registry.voted(number, registry.charles)
    registry.voted(number, registry.claire)
    registry.closed(number, registry.claire)
    registry.dora.post(f"/projets/{slug}/suspendre", {"reason": "Incident."})
    assert registry.granted(number, expires_on="2028-09-30").status_code == 409
    assert registry.project(slug).status is ProjectStatus.SUSPENDED
    assert registry.dossier(number).state is State.IN_REVIEW


def test_another_tab_loses_nothing(registry: Registry) -> None:
    number = registry.begun()
    version = str(registry.dossier(number).version)
    registry.fill(registry.ines, number, title="Premier onglet")
    second = registry.ines.post(
        f"/demandes/{number}/formulaire", {"title": "Second onglet", "version": version, "do": "save"}
    )
    assert second.status_code == 409
    assert "Second onglet" in second.text and registry.dossier(number).title == "Premier onglet"


def test_a_form_with_flaws_is_kept_and_told_at_the_field(registry: Registry) -> None:
    number = registry.begun()
    answer = registry.fill(registry.ines, number, do="submit", expires_on="hier", legal_basis="")
    assert answer.status_code == 422
    assert 'id="erreur-expires_on"' in answer.text and 'id="erreur-legal_basis"' in answer.text
    assert registry.dossier(number).answers["expires_on"] == "hier"
    assert registry.dossier(number).state is State.DRAFT


def test_a_lead_asks_for_their_own_centres_with_a_regional_entry(registry: Registry) -> None:
    damien = registry.at("damien", Role.DMG)
    damien.get("/")
    assert registry.admin.post("/personnes/centres", {"user": "damien", "centre": "C02"}).status_code == 403
    registry.leads("damien", "C02")
    number = registry.begun(damien)
    assert registry.fill(damien, number, do="submit", centres=["C01"]).status_code == 422
    assert registry.fill(damien, number, do="submit", centres=["C02"]).status_code == 303
    registry.judged(number)
    registry.granted(number, centres=["C02"])
    assert registry.project(str(registry.dossier(number).project)).grant.centres == {"C02"}
    assert "régionale" in registry.dora.get("/export/registre.html").text


HOSTILE = "<script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"


def test_hostile_text_is_shown_as_text_everywhere(registry: Registry) -> None:
    words = {"title", "director", "protocol", "purpose", "legal_reference", "lay_fr", "lay_en"}
    hostile = dict.fromkeys(words, f"Projet {HOSTILE} {'x' * 40}")
    number = registry.sent(**hostile, need_patients=HOSTILE, need_diagnoses=HOSTILE)
    registry.judged(number, reason=HOSTILE, retention=HOSTILE, dpia=HOSTILE, legal_reference=HOSTILE)
    registry.granted(number, reason=HOSTILE)
    voted = {"ballot": "for", "comment": HOSTILE, "reserve": HOSTILE, "round": "1"}
    registry.charles.post(f"/instruction/{number}/vote", voted)
    registry.voted(number, registry.claire)
    registry.at("colin", Role.CSE).post(f"/instruction/{number}/conflit", {"reason": HOSTILE})
    (reserve,) = registry.dossier(number).reserves
    registry.ines.post(f"/demandes/{number}/reserves/{reserve.id}/reponse", {"answer": HOSTILE})
    shown = [
        registry.charles.get(f"/instruction/{number}").text,
        registry.ines.get(f"/demandes/{number}").text,
    ]
    registry.lifted(number, reason=HOSTILE)
    registry.closed(number, reason=HOSTILE)
    slug = str(registry.dossier(number).project)
    assert registry.project(slug).status is ProjectStatus.APPROVED
    registry.dora.post(f"/projets/{slug}/suspendre", {"reason": HOSTILE})
    shown += [registry.dora.get(f"/projets/{slug}").text, registry.dora.get("/projets").text]
    shown += [registry.stranger.get("/public").text, registry.dora.get("/export/registre.html").text]
    shown += [registry.ines.get("/").text, registry.dora.get("/instruction").text]
    for html in shown:
        assert "<script>alert" not in html and "<img src=x" not in html
    assert all("&lt;script&gt;" in html for html in shown)
