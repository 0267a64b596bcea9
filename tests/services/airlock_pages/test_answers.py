"""In the browser: files chosen from one's workspace, findings answered, notices, and a record that names
nobody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hub_config.airlock.pseudonyms import Searched
from hub_config.governance.releases.facts import State, Verdict
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity
from tests.pages import visiting

from .little_airlock import PEOPLE, File, LittleAirlock

WHY = "Ce n’est pas un effectif : c’est une dose en milligrammes."
SMALL = Finding(Rule.SMALL_COUNT, Severity.BLOCKING, Place(row=2, column=2), {"min": 11, "below": 10})
DOSES = File("doses.csv", findings=(SMALL,))


@pytest.fixture
def searched(airlock: LittleAirlock) -> LittleAirlock:
    """The checks, and a search for pseudonyms that finds none."""
    airlock.desk = replace(airlock.desk, search=lambda *_: Searched((), done=True))
    airlock.app.state.desk = airlock.desk
    return airlock


def at_home(airlock: LittleAirlock, name: str, content: bytes, user: str = "ines") -> None:
    place = airlock.desk.settings.homes_dir / "these-ines" / user / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def test_a_file_of_ones_workspace_is_chosen_checked_and_joined(searched: LittleAirlock) -> None:
    at_home(searched, "résultats/effectifs.csv", b"code,patients\nK86,3930\nR74,3550\n")
    at_home(searched, "résultats/clé.pem", b"x")
    at_home(searched, "a-denis.csv", b"x", user="denis")
    request, ines = searched.draft(), searched.visit("ines")
    top = ines.get(f"/demandes/{request}/espace")
    assert "résultats" in top.text and "a-denis" not in top.text
    page = ines.get(f"/demandes/{request}/espace?d=r%C3%A9sultats").text
    assert "effectifs.csv" in page and "clé.pem" not in page
    answer = ines.post(f"/demandes/{request}/espace", {"d": "résultats", "file": "effectifs.csv"})
    assert ines.follow(answer).status_code == 200
    (file,) = searched.facts(request).files
    assert (file.name, file.checker != "") == ("effectifs.csv", True)
    assert searched.desk.shelf.read(file.sha256).startswith(b"code,patients")


def test_what_is_not_offered_is_not_taken(searched: LittleAirlock) -> None:
    at_home(searched, "objet.pkl", b"x")
    request, ines = searched.draft(), searched.visit("ines")
    for form in (
        {"file": "objet.pkl"},
        {"file": "../denis/x.csv"},
        {"d": "..", "file": "x.csv"},
        {"file": "x.csv"},
    ):
        assert ines.post(f"/demandes/{request}/espace", form).status_code == 409, form
    assert searched.facts(request).files == ()
    assert ines.get(f"/demandes/{request}/espace?d=..").status_code in (404, 409)


def test_one_form_a_person_is_checked_at_a_time(searched: LittleAirlock) -> None:
    at_home(searched, "x.csv", b"a,b\n1,2\n")
    request, ines = searched.draft(), searched.visit("ines")
    with searched.desk.turns.of("ines"):
        assert ines.post(f"/demandes/{request}/espace", {"file": "x.csv"}).status_code == 409
    assert ines.post(f"/demandes/{request}/espace", {"file": "x.csv"}).status_code == 303


def test_a_false_alarm_is_explained_and_two_physicians_judge(airlock: LittleAirlock) -> None:
    """With a blocking finding the request can't be sent; explained, it can, and both reviewers read the
    explanation beside the finding; the record says who took it."""
    request, ines = airlock.draft(DOSES), airlock.visit("ines")
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 409
    where = f"/demandes/{request}/fichiers/1/constats/1/expliquer"
    assert ines.post(where, {"text": "faux"}).status_code == 409
    assert ines.post(where, {"text": WHY}).status_code == 303
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 303
    assert airlock.facts(request).looks_needed == 2
    for name in ("diane", "denis"):
        page = airlock.visit(name).get(f"/relecture/{request}").text
        assert "explication du demandeur" in page and WHY in page and "contesté" in page
        assert "/expliquer" not in page
        airlock.vote(request, name)
    assert airlock.facts(request).state is State.RELEASED
    told = json.loads(ines.get(f"/demandes/{request}/fiche-de-controle").content)
    (contested,) = told["files"][0]["contested"]
    assert contested["explanation"] == WHY
    assert contested["accepted_by"] == ["médecin DIM 1", "médecin DIM 2"]


def test_what_never_leaves_offers_no_explanation(airlock: LittleAirlock) -> None:
    found = Finding(Rule.PSEUDONYM, Severity.BLOCKING, None, {"whose": "patient", "count": 1})
    request, ines = airlock.draft(replace(DOSES, findings=(found,))), airlock.visit("ines")
    assert "/expliquer" not in ines.get(f"/demandes/{request}").text
    assert ines.post(f"/demandes/{request}/fichiers/1/constats/1/expliquer", {"text": WHY}).status_code == 409
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 409


def test_a_changed_explanation_sets_the_votes_aside(airlock: LittleAirlock) -> None:
    request, ines = airlock.draft(DOSES), airlock.visit("ines")
    where = f"/demandes/{request}/fichiers/1/constats/1/expliquer"
    ines.post(where, {"text": WHY})
    airlock.send(request)
    airlock.vote(request, "diane")
    ines.post(where, {"text": WHY + " Voir le protocole."})
    assert airlock.facts(request).state is State.DRAFT and airlock.facts(request).reviews == ()
    ines.post(where, {"undo": "1", "text": WHY})
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 409


def test_reviewers_have_no_name_in_the_requesters_record(airlock: LittleAirlock) -> None:
    """And have it in the DPO's."""
    request = airlock.released()
    own = airlock.visit("ines").get(f"/demandes/{request}/fiche-de-controle")
    kept = airlock.visit("dora").get(f"/dossiers/{request}/fiche-de-controle")
    assert [each["called"] for each in json.loads(own.content)["approved_by"]] == [
        "médecin DIM 1",
        "médecin DIM 2",
    ]
    assert not any(name in own.text for name in ("diane", "denis"))
    assert [each["reviewer"] for each in json.loads(kept.content)["approved_by"]] == ["diane", "denis"]
    for name in ("ines", "diane"):
        assert airlock.visit(name).get(f"/dossiers/{request}/fiche-de-controle").status_code == 403


def test_news_are_shown_and_put_away_by_reading_or_by_a_button(airlock: LittleAirlock) -> None:
    sent = [airlock.sent() for _ in range(3)]
    first, second = [one for one in sent if "diane" in airlock.facts(one).assigned]
    diane, ines = airlock.visit("diane"), airlock.visit("ines")
    said = "attend votre relecture"  # twice: in the news, and for the button that puts it away
    assert diane.get("/relecture").text.count(said) == 2 * 2
    diane.get(f"/relecture/{first}")
    assert diane.get("/relecture").text.count(said) == 2
    diane.post("/nouvelles/vu", {"about": second, "back": "relecture"})
    assert "Nouvelles" not in diane.get("/relecture").text
    for name in ("diane", "denis"):
        airlock.vote(first, name, Verdict.CHANGES, reasons=("contexte",))
    assert "est à corriger" in ines.get("/demandes").text
    assert "Nouvelles" not in visiting(airlock.app, "rachid", PEOPLE["rachid"]).get("/demandes").text
    ines.post("/nouvelles/vu", {})
    assert "Nouvelles" not in ines.get("/demandes").text


def test_what_reviewers_said_stays_before_ones_eyes_when_one_asks_again(airlock: LittleAirlock) -> None:
    request, ines = airlock.sent(), airlock.visit("ines")
    for name in ("diane", "denis"):
        airlock.vote(request, name, Verdict.CHANGES, reasons=("contexte",), to_requester="Quelle période ?")
    again = ines.follow(ines.post(f"/demandes/{request}/reprendre"))
    assert "Quelle période ?" in again.text and "Le contexte manque" in again.text
    new = str(again.url).rpartition("/")[2]
    airlock.send(new)
    page = ines.get(f"/demandes/{new}").text
    assert "Quelle période ?" in page and "Le contexte manque" in page
    assert not any(name in page for name in ("diane", "denis"))
