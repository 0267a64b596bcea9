"""Reviewers at their screens: blind, then together; what is hostile is text; what is refused is kept."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from hub_config.airlock.actions.drafting import Words
from hub_config.airlock.checks import ImageBlock, TableBlock, TextBlock
from hub_config.governance.releases.facts import CheckState, FileKind, State, Verdict
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity
from tests.pages import Visit

from .little_airlock import SIGNED, TABLE, VERSION, WORDS, File, LittleAirlock

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
HOSTILE = "</td><script>alert(1)</script><img src=//evil.example onerror=alert(2)>"


def seal(visit: Visit, request: str) -> str:
    """As the form of the page has it."""
    return re.findall(r'name="seal" value="([0-9a-f]{64})"', visit.get(f"/relecture/{request}").text)[0]


def cast(visit: Visit, request: str, verdict: str = "approve", **more: object):
    data = {"verdict": verdict, "seal": seal(visit, request), **more}
    return visit.post(f"/relecture/{request}/avis", data)


def test_two_agree_and_the_requester_alone_downloads_the_very_bytes(airlock: LittleAirlock) -> None:
    request = airlock.sent(File(content=b"the very bytes"))
    for name in ("diane", "denis"):
        assert cast(airlock.visit(name), request).status_code == 303
    assert airlock.facts(request).state is State.RELEASED
    path = f"/demandes/{request}/fichiers/1/telecharger"
    answer = airlock.visit("ines").get(path)
    assert answer.content == b"the very bytes"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert airlock.visit("diane").get(path).status_code == 404
    for document in ("manifeste", "fiche-de-controle"):
        assert request in airlock.visit("ines").get(f"/demandes/{request}/{document}").text


def test_the_first_vote_shows_nowhere_to_the_second_reviewer(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    denis = airlock.visit("denis")
    before = (denis.get(f"/relecture/{request}").text, denis.get("/relecture").text)
    diane = airlock.visit("diane")
    cast(diane, request, "changes", reason="contexte", comment="entre nous", to_requester="dites qui")
    diane.post(f"/relecture/{request}/remarque", {"text": "secret", "to": "reviewers"})
    diane.post(f"/relecture/{request}/question", {"text": "question"})
    after = (denis.get(f"/relecture/{request}").text, denis.get("/relecture").text)
    token = r'name="csrf_token" value="[^"]*"'
    assert [re.sub(token, "", text) for text in before] == [re.sub(token, "", text) for text in after]


def test_after_both_have_voted_each_sees_the_other_and_they_settle_it(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    diane, denis = airlock.visit("diane"), airlock.visit("denis")
    cast(diane, request)
    cast(denis, request, "changes", reason="petits-effectifs", comment="T90 est petit")
    assert "T90 est petit" in diane.get(f"/relecture/{request}").text
    assert "T90 est petit" not in airlock.visit("dorian").get(f"/relecture/{request}").text
    data = {"verdict": "changes", "seal": seal(diane, request), "reason": "petits-effectifs"}
    assert diane.post(f"/relecture/{request}/consolidation", data).status_code == 303
    assert airlock.facts(request).state is State.RETURNED
    told = airlock.visit("ines").get(f"/demandes/{request}").text
    assert "inférieurs à 11" in told
    assert "T90 est petit" not in told


def test_who_asked_does_not_review_and_is_told_so(airlock: LittleAirlock) -> None:
    request = airlock.sent(by="diane", project="bac-a-sable")
    diane = airlock.visit("diane")
    page = diane.get(f"/relecture/{request}")
    assert page.status_code == 403
    assert "personne ne relit la sienne" in page.text
    vote = {"verdict": "approve", "seal": airlock.facts(request).seal}
    assert diane.post(f"/relecture/{request}/avis", vote).status_code == 403
    assert airlock.facts(request).reviews == ()
    assert request not in diane.get("/relecture").text


def test_a_refused_vote_comes_back_with_what_was_written(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    diane = airlock.visit("diane")
    answer = cast(diane, request, "changes", comment="à ne pas perdre", **{"file-1": "changes"})
    assert answer.status_code == 409
    assert "à ne pas perdre" in answer.text
    assert "Dites pourquoi" in answer.text
    assert airlock.facts(request).reviews == ()


def test_a_vote_on_other_bytes_is_not_taken(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    diane = airlock.visit("diane")
    stale = seal(diane, request)
    ines = airlock.visit("ines")
    ines.post(f"/demandes/{request}/textes", {**WORDS.__dict__, "context": "autre chose"})
    airlock.send(request)
    answer = diane.post(f"/relecture/{request}/avis", {"verdict": "approve", "seal": stale})
    assert answer.status_code == 409
    assert airlock.facts(request).reviews == ()


@pytest.mark.parametrize("verdict", ["", "maybe", "APPROVE"])
def test_a_vote_is_one_of_four_words(airlock: LittleAirlock, verdict: str) -> None:
    request = airlock.sent()
    assert cast(airlock.visit("diane"), request, verdict).status_code == 400


def test_what_is_hostile_is_text(airlock: LittleAirlock) -> None:
    """In the requester's words, in a file's name, in a table's cells and title, in lines of text."""
    words = Words(HOSTILE[:200], HOSTILE, HOSTILE, HOSTILE)
    blocks = (
        TableBlock(HOSTILE[:180], (HOSTILE[:180],), ((HOSTILE[:180],),), total_rows=1),
        TextBlock((HOSTILE,)),
    )
    request = airlock.sent(File(name="<script>alert(3)</script>.csv", blocks=blocks), words=words)
    airlock.visit("ines").post(f"/demandes/{request}/reponse", {"text": HOSTILE})
    for visit, path in (
        (airlock.visit("diane"), f"/relecture/{request}"),
        (airlock.visit("ines"), f"/demandes/{request}"),
        (airlock.visit("diane"), "/relecture"),
        (airlock.visit("ines"), "/demandes"),
        (airlock.visit("dora"), f"/dossiers/{request}"),
    ):
        answer = visit.get(path)
        assert answer.status_code == 200
        assert "<img src=//evil" not in answer.text
        assert set(re.findall(r"<script[^>]*>", answer.text)) <= {
            '<script src="/static/own/review.js" defer>'
        }
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_picture_is_the_checks_own_and_cannot_run(airlock: LittleAirlock) -> None:
    figure = File("figure.png", b"sent", kind=FileKind.PNG, blocks=(ImageBlock(PNG, "", 1, 1), TABLE))
    request = airlock.sent(figure)
    diane = airlock.visit("diane")
    path = f"/relecture/{request}/fichiers/1/images"
    assert f'src="{path}/0"' in diane.get(f"/relecture/{request}").text
    answer = diane.get(f"{path}/0")
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("inline; ")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert [diane.get(f"{path}/{n}").status_code for n in (1, 2, 99)] == [404, 404, 404]
    assert diane.get(f"/relecture/{request}/fichiers/2/images/0").status_code == 404


def test_a_file_put_aside_has_no_preview_and_needs_a_written_reason(airlock: LittleAirlock) -> None:
    file = File(
        "modele.pkl", kind=FileKind.PICKLE, state=CheckState.QUARANTINED, proof={"quarantine": "refused-kind"}
    )
    request = airlock.sent(file)
    diane = airlock.visit("diane")
    page = diane.get(f"/relecture/{request}").text
    assert "K86" not in page
    assert "type qui ne sort pas" in page
    assert cast(diane, request).status_code == 409
    assert cast(diane, request, comment="Ouvert sur un poste isolé : 12 coefficients.").status_code == 303


def test_a_neighbour_is_shown_with_the_difference_computed(airlock: LittleAirlock) -> None:
    before = TableBlock("", TABLE.header, (("K86", "3930"), ("R74", "3553")), total_rows=2, total_columns=2)
    airlock.released(File("avant.csv", b"before", blocks=(before,)))
    page = airlock.visit("diane").get(f"/relecture/{airlock.sent()}").text
    assert "avant.csv" in page
    assert "+4" in page
    assert "Une cellule diffère de 10 ou moins" in page


def test_a_resubmission_folds_what_did_not_change(airlock: LittleAirlock) -> None:
    request = airlock.sent(File("a.csv", b"a"), File("b.csv", b"b"))
    for name in ("diane", "denis"):
        airlock.vote(request, name, Verdict.CHANGES, reasons=("contexte",))
    ines = airlock.visit("ines")
    again = ines.post(f"/demandes/{request}/reprendre").headers["location"].rsplit("/")[-1]
    ines.post(f"/demandes/{again}/textes", {**WORDS.__dict__, "context": "Tous les patients de 2019 à 2023"})
    ines.post(f"/demandes/{again}/fichiers/2/retirer")
    ines.post(f"/demandes/{again}/envoyer")
    page = airlock.visit("diane").get(f"/relecture/{again}").text
    assert "<ins>2023</ins>" in page
    assert "Inchangé depuis la demande reprise" in page
    assert "retiré de la demande" in page


def test_born_safe_requests_are_approved_at_one_go(airlock: LittleAirlock) -> None:
    requests = [airlock.sent(replace(SIGNED, content=content)) for content in (b"1", b"2")]
    other = airlock.sent()
    diane = airlock.visit("diane")
    chosen = re.findall(r'name="request" value="([^"]+)"', diane.get("/relecture").text)
    assert sorted(one.partition(":")[0] for one in chosen) == sorted(requests)
    assert diane.post("/relecture/lot", {"request": chosen}).status_code == 303
    assert {airlock.facts(one).state for one in requests} == {State.RELEASED}
    forged = f"{other}:{airlock.facts(other).seal}"
    assert diane.post("/relecture/lot", {"request": [forged]}).status_code == 409
    assert airlock.facts(other).reviews == ()


def test_a_signed_table_is_said_in_words_above_its_folded_query(airlock: LittleAirlock) -> None:
    """Reviewers are physicians: they read, they don't code."""
    page = unescape(airlock.visit("diane").get(f"/relecture/{airlock.sent(SIGNED)}").text)
    page = page.replace("\u00a0", " ")
    assert "patients</span> : nombre de patients distincts" in page
    assert "Diagnostic (CISP-2) = K86 « Hypertension sans complication »" in page
    folded = page.index("<details>\n  <summary>Requête et provenance")
    assert page.index("Hypertension sans complication »") < folded < page.index("SELECT")


def test_a_question_reaches_the_requester_and_the_answer_comes_back(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    diane, ines = airlock.visit("diane"), airlock.visit("ines")
    cast(diane, request)
    diane.post(f"/relecture/{request}/question", {"text": "Qui sont-ils ?"})
    page = ines.get(f"/demandes/{request}").text
    assert "Qui sont-ils ?" in page
    assert "diane" not in page
    question = re.findall(r'name="question" value="(\d+)"', page)[0]
    ines.post(f"/demandes/{request}/reponse", {"text": "Des adultes.", "question": question})
    assert "Des adultes." in diane.get(f"/relecture/{request}").text
    assert len(airlock.facts(request).reviews) == 1


def test_the_dpo_reads_the_record_and_recalls_without_seeing_a_file(airlock: LittleAirlock) -> None:
    request = airlock.released()
    dora = airlock.visit("dora")
    page = dora.get(f"/dossiers/{request}").text
    assert "3934" not in page
    assert "diane" in page
    assert dora.post(f"/dossiers/{request}/rappel", {"reason": "Un effectif de 4."}).status_code == 303
    ines = airlock.visit("ines")
    assert "Un effectif de 4." in ines.get(f"/demandes/{request}").text
    assert ines.get(f"/demandes/{request}/fichiers/1/telecharger").status_code == 403


def test_findings_stand_on_the_cells(airlock: LittleAirlock) -> None:
    found = Finding(Rule.SMALL_COUNT, Severity.WARNING, Place(row=3, column=2), {"below": 10, "min": 11})
    page = airlock.visit("diane").get(f"/relecture/{airlock.sent(File(findings=(found,)))}").text
    assert 'id="f1-constat-1"' in page
    assert 'href="#f1-b0-l2-c2"' in page
    assert re.search(r'id="f1-b0-l2-c2" class="number hit is-warning">3553', page)


def test_checks_of_another_version_show_nothing(airlock: LittleAirlock) -> None:
    request = airlock.sent()
    airlock.desk.shelf.put_preview(airlock.facts(request).files[0].sha256, VERSION, {"blocks": "?"})
    assert "3934" not in airlock.visit("diane").get(f"/relecture/{request}").text
