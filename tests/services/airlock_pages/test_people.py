"""Requesters and the pool at their pages."""

from __future__ import annotations

from datetime import date, timedelta

from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.actions.tending import tend
from hub_config.airlock.pages.rows import QueueRow
from hub_config.governance.releases.facts import State
from hub_config.governance.releases.findings import Finding, Rule, Severity

from .little_airlock import WORDS, File, LittleAirlock, now, person


def test_a_request_is_begun_in_the_browser_and_sent_when_complete(airlock: LittleAirlock) -> None:
    ines = airlock.visit("ines")
    made = ines.post("/demandes/nouvelle", {"project": "these-ines", "title": "Tableau 1"})
    request = made.headers["location"].rsplit("/")[-1]
    page = ines.get(f"/demandes/{request}").text
    assert "au moins un fichier" in page
    assert f"ws.releases[&#34;{request}&#34;]" in page or f'ws.releases["{request}"]' in page
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 409
    assert airlock.facts(request).state is State.DRAFT


def test_words_that_are_refused_are_not_lost(airlock: LittleAirlock) -> None:
    ines = airlock.visit("ines")
    answer = ines.post("/demandes/nouvelle", {"project": "these-ines", "title": "", "purpose": "à garder"})
    assert answer.status_code == 409
    assert "à garder" in answer.text
    request = airlock.draft()
    answer = ines.post(f"/demandes/{request}/textes", {"title": "x" * 300, "purpose": "à garder aussi"})
    assert answer.status_code == 409
    assert "à garder aussi" in answer.text


def test_nobody_asks_for_a_project_of_others(airlock: LittleAirlock) -> None:
    answer = airlock.visit("rachid").post("/demandes/nouvelle", {**WORDS.__dict__, "project": "these-ines"})
    assert answer.status_code == 409
    assert "modeles-rachid" in answer.text
    assert "Thèse d’Inès" not in answer.text


def test_a_draft_with_a_blocking_finding_says_what_to_do_before_it_is_sent(airlock: LittleAirlock) -> None:
    request = airlock.draft(File(findings=(Finding(Rule.PSEUDONYM, Severity.BLOCKING, None),)))
    ines = airlock.visit("ines")
    page = ines.get(f"/demandes/{request}").text
    assert "Un constat bloquant" in page
    assert ines.post(f"/demandes/{request}/envoyer").status_code == 409
    ines.post(f"/demandes/{request}/fichiers/1/retirer")
    assert airlock.facts(request).files == ()


def test_a_request_is_withdrawn_and_stays_on_the_list(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    ines = airlock.visit("ines")
    assert ines.post(f"/demandes/{request}/retirer").status_code == 303
    assert "retirée" in ines.get("/demandes").text
    assert airlock.visit("diane").get(f"/relecture/{request}").status_code == 200  # what it was, on record


def test_a_sent_request_says_what_comes_next(airlock: LittleAirlock) -> None:
    request = airlock.sent(words=Words("T", "P", "C", "D"))
    ines = airlock.visit("ines")
    assert "un médecin DIM va ouvrir" in ines.get(f"/demandes/{request}").text
    airlock.visit("diane").get(f"/relecture/{request}")
    assert airlock.facts(request).state is State.IN_REVIEW
    assert "en relecture" in ines.get("/demandes").text


def test_the_committee_names_and_takes_off_reviewers(airlock: LittleAirlock) -> None:
    charles = airlock.visit("charles")
    charles.post("/relecteurs/nommer", {"reviewer": "Didier"})
    assert 'data-reviewer="didier"' in charles.get("/relecteurs").text
    charles.post("/relecteurs/retirer", {"reviewer": "diane"})
    assert airlock.visit("diane").get("/relecture").status_code == 403
    assert charles.post("/relecteurs/nommer", {"reviewer": "../x"}).status_code == 409


def test_an_absent_reviewer_names_who_stands_in_and_comes_back(airlock: LittleAirlock) -> None:
    today = date.today()
    diane = airlock.visit("diane")
    away = {"first": today.isoformat(), "last": (today + timedelta(days=7)).isoformat(), "delegate": "dorian"}
    assert diane.post("/absences", away).status_code == 303
    assert "dorian" in diane.get("/absences").text
    assert "remplacé par dorian" in airlock.visit("charles").get("/relecteurs").text
    diane.post("/absences/fin")
    assert "absent du" not in diane.get("/absences").text
    assert diane.post("/absences", {"first": "demain", "last": ""}).status_code == 400


def test_the_committee_notes_the_absence_of_who_can_t(airlock: LittleAirlock) -> None:
    """A physician who fell ill keeps nothing waiting: others are expected, or who stands in may look."""
    today, charles = date.today(), airlock.visit("charles")
    away = {"first": today.isoformat(), "last": (today + timedelta(days=7)).isoformat()}
    request = airlock.sent()
    expected = airlock.facts(request).assigned[0]
    noted = {"reviewer": expected, **away, "delegate": "sophie"}
    assert charles.post("/relecteurs/absences", noted).status_code == 303
    page = charles.get("/relecteurs").text
    assert "remplacé par sophie" in page and "absent du" in page
    tend(airlock.desk.store, airlock.desk.shelf, airlock.desk.settings, now())
    assert expected not in airlock.facts(request).assigned
    charles.post("/relecteurs/retour", {"reviewer": expected})
    assert "absent du" not in charles.get("/relecteurs").text


def test_nobody_else_notes_it_nor_stands_in_by_their_own_hand(airlock: LittleAirlock) -> None:
    today = date.today().isoformat()
    noted = {"reviewer": "diane", "first": today, "last": today}
    for who in ("denis", "ines", "dora"):
        assert airlock.visit(who).post("/relecteurs/absences", noted).status_code == 403
        assert airlock.visit(who).post("/relecteurs/retour", {"reviewer": "diane"}).status_code == 403
    charles = airlock.visit("charles")
    assert charles.post("/relecteurs/absences", {**noted, "delegate": "charles"}).status_code == 403
    assert charles.post("/relecteurs/absences", {**noted, "reviewer": ""}).status_code == 409
    assert "absent du" not in charles.get("/relecteurs").text


def test_the_pages_are_read_in_english_too(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    diane = airlock.visit("diane")
    diane.cookies.set("p4dp-language", "en")
    page = diane.get(f"/relecture/{request}").text
    assert "Automatic findings" in page
    assert "Constats automatiques" not in page


def test_what_a_queue_remembers_is_what_is_there(airlock: LittleAirlock) -> None:
    """Files of what is sent are remembered by its version: a request sent again with others shows these."""
    request = airlock.sent(File("avant.csv", b"1"), File("encore.csv", b"2"))
    diane, ines = airlock.visit("diane"), airlock.visit("ines")
    assert "≈" in diane.get("/relecture").text
    before = _unread(airlock)
    assert [row.head.files for row in before] == [2]
    ines.post(f"/demandes/{request}/fichiers/1/retirer")
    ines.post(f"/demandes/{request}/envoyer")
    after = _unread(airlock)
    assert [row.head.files for row in after] == [1]
    assert after[0].seal == airlock.facts(request).seal


def _unread(airlock: LittleAirlock) -> tuple[QueueRow, ...]:
    """Of three reviewers any two are expected: it may be Diane's to read, or others'."""
    queue = airlock.desk.queue(person("diane"), date.today())
    return (*queue.to_read, *queue.others)
