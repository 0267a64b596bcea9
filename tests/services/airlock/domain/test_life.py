"""The life of a request, from the first word to the download, on both databases."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from sqlalchemy import select

from hub_config.airlock.actions import drafting, releasing, reviewing
from hub_config.airlock.actions.drafting import Checked, Words
from hub_config.airlock.actions.releasing import Broken, Handed, Released, manifest_of
from hub_config.airlock.texts import AirlockProblem, Denied, Problem
from hub_config.governance import actions
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.notices.models import Notice
from hub_config.governance.releases.facts import CheckState, OutputClass, State, Verdict
from hub_config.governance.releases.findings import Finding, Rule, Severity
from hub_config.governance.releases.models import ReleaseDownload, ReleaseReview
from hub_config.governance.releases.reading import record_of, released, requests_of
from tests.services.airlock.domain.house import (
    DENIS,
    DIANE,
    DORA,
    INES,
    ODILE,
    RACHID,
    SAFE,
    TABLE,
    TERMS,
    UNVERIFIED,
    WORDS,
    House,
)
from tests.services.airlock.domain.refusing import problem

QUARANTINED = Checked(state=CheckState.QUARANTINED, checker="v1")


def test_two_approvals_release_exactly_these_bytes(house: House) -> None:
    request = house.submitted()
    assert house.facts(request).looks_needed == 2
    assert house.vote(request, DIANE).state is State.IN_REVIEW
    assert house.vote(request, DENIS).state is State.APPROVED
    assert isinstance(house.release(request), Released)
    handed = house.download(request)
    assert isinstance(handed, Handed)
    assert (handed.name, handed.content) == ("tableau1.csv", TABLE)
    with house.store.session() as session:
        assert session.scalars(select(ReleaseDownload.by)).all() == ["ines"]


def test_every_step_is_recorded_with_who_did_it_and_no_words_of_theirs(house: House) -> None:
    request = house.released()
    house.download(request)
    assert [(record.what, record.who) for record in house.recorded("release.")] == [
        ("release.draft", "ines"),
        ("release.add-file", "ines"),
        ("release.submit", "ines"),
        ("release.vote", "diane"),
        ("release.vote", "denis"),
        ("release.release", "enclave"),
        ("release.download", "ines"),
    ]
    said = json.dumps([dict(record.details) for record in house.recorded("release.")])
    assert not any(word in said for word in (WORDS.title, WORDS.context, WORDS.controls))
    assert not re.search(r"\b120\b", said), "a number of the file; a hash may hold its digits"


def test_the_disclosure_record_says_what_was_checked_by_which_version_and_by_whom(house: House) -> None:
    finding = Finding(Rule.SMALL_COUNT, Severity.WARNING)
    request = house.submitted(checked=Checked(state=CheckState.CHECKED, findings=(finding,), checker="3.1"))
    house.vote(request, DIANE)
    house.vote(request, DENIS)
    house.release(request)
    with house.store.session() as session:
        document = record_of(session, request)
    assert document is not None
    record = json.loads(document)
    assert [each["reviewer"] for each in record["approved_by"]] == ["diane", "denis"]
    assert record["files"][0]["sha256"] == hashlib.sha256(TABLE).hexdigest()
    assert record["files"][0]["checked_by"] == "3.1"
    assert record["files"][0]["findings"] == [{"rule": "small-count", "severity": "warning", "times": 1}]
    assert record["policy"]["min_patients"] == 11
    event = house.recorded("release.release")[0]
    assert event.details["record"] == hashlib.sha256(document.encode()).hexdigest()
    assert event.details["seal"] == record["seal"] == house.facts(request).seal


def test_the_manifest_names_what_leaves(house: House) -> None:
    request = house.released()
    files = json.loads(manifest_of(house.facts(request)))["files"]
    assert files == [
        {
            "number": 1,
            "name": "tableau1.csv",
            "size": len(TABLE),
            "sha256": hashlib.sha256(TABLE).hexdigest(),
        }
    ]


def test_born_safe_takes_one_look(house: House) -> None:
    request = house.submitted(checked=SAFE)
    assert house.vote(request, DIANE).state is State.APPROVED


def test_one_who_is_undecided_alone_is_given_a_second_blind_to_the_first(house: House) -> None:
    request = house.submitted(checked=SAFE)
    assert house.vote(request, DIANE, Verdict.UNDECIDED).state is State.IN_REVIEW
    assert house.facts(request).looks_needed == 2
    assert house.vote(request, DENIS).state is State.IN_REVIEW
    assert house.consolidate(request, DIANE).state is State.APPROVED


class TestAtOnce:
    """Where the policy says so, what the enclave wrote alone leaves without a look."""

    @pytest.fixture
    def house(self, house: House) -> House:
        airlock = house.settings.airlock.model_copy(update={"born_safe_at_once": True})
        house.settings = house.settings.model_copy(update={"airlock": airlock})
        return house

    def test_signed_tables_leave_at_once(self, house: House) -> None:
        request = house.draft(checked=SAFE)
        assert house.submit(request).state is State.APPROVED
        assert isinstance(house.release(request), Released)
        assert house.facts(request).looks_needed == 0

    def test_not_with_a_word_of_the_requester(self, house: House) -> None:
        request = house.draft(checked=Checked(**{**vars(SAFE), "proof": {"generated_text": False}}))
        assert house.submit(request).state is State.SUBMITTED

    def test_not_with_a_file_that_has_no_proof(self, house: House) -> None:
        request = house.draft(checked=SAFE)
        house.add(request, name="notes.txt", checked=UNVERIFIED)
        assert (house.submit(request).state, house.facts(request).looks_needed) == (State.SUBMITTED, 2)

    def test_not_from_a_project_that_gives_rows(self, house: House) -> None:
        request = house.draft(person=RACHID, project="modeles-rachid", checked=SAFE)
        assert house.submit(request, RACHID).state is State.SUBMITTED

    def test_not_while_a_member_holds_rows_elsewhere(self, house: House) -> None:
        house.join("modeles-rachid", INES)
        request = house.draft(checked=SAFE)
        assert house.submit(request).state is State.SUBMITTED

    def test_not_within_two_years_of_holding_them(self, house: House) -> None:
        house.join("modeles-rachid", INES)
        house.leave("modeles-rachid", INES)  # now, by the clock of the machine
        left = house.recorded("project.remove-member")[0].at
        house.now = house.now.fromisoformat(left)
        assert house.submit(house.draft(checked=SAFE)).state is State.SUBMITTED
        house.later(days=house.settings.airlock.row_months * 31 + 1)
        assert house.submit(house.draft(checked=SAFE)).state is State.APPROVED

    def test_not_after_the_grant_became_narrower(self, house: House) -> None:
        house.project("modeles-ines", INES, AccessLevel.MICRODATA)
        narrower = Grant(AccessLevel.AGGREGATE, {"patients": None}, legal_basis="MR-004")
        with house.store.change() as session:
            actions.amend(session, "modeles-ines", narrower, terms=TERMS, audit=house.store.recorder("admin"))
        assert house.submit(house.draft(checked=SAFE)).state is State.SUBMITTED


def test_two_who_ask_for_changes_return_it_with_their_reasons(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE, Verdict.CHANGES, reasons=("unanimite",))
    after = house.vote(request, DENIS, Verdict.CHANGES, reasons=(), to_requester="Arrondissez, merci.")
    assert after.state is State.RETURNED
    assert [comment.text for comment in after.comments] == ["Arrondissez, merci."]


def test_two_who_reject_end_it(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE, Verdict.REJECT)
    assert house.vote(request, DENIS, Verdict.REJECT).state is State.REJECTED


def test_a_conflict_is_consolidated(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    assert house.vote(request, DENIS, Verdict.CHANGES).state is State.IN_REVIEW
    assert house.facts(request).round == 2
    assert problem(lambda: house.vote(request, ODILE)) is Problem.ENOUGH_VOTES
    assert problem(lambda: house.consolidate(request, ODILE)) is Problem.NOT_ONE_OF_THE_VOTERS
    assert house.consolidate(request, DENIS).state is State.APPROVED
    with house.store.session() as session:
        votes = session.scalars(select(ReleaseReview).order_by(ReleaseReview.id)).all()
    kept = [(vote.reviewer, vote.verdict, vote.standing, vote.round) for vote in votes]
    assert kept == [
        ("diane", "approve", True, 1),
        ("denis", "changes", False, 1),
        ("denis", "approve", True, 2),
    ]


def test_a_consolidation_without_agreement_sends_it_back(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    house.vote(request, DENIS, Verdict.REJECT)
    with house.doing(DENIS) as (session, how):
        changes = house.ballot(request, Verdict.CHANGES)
        assert reviewing.give_back(session, DENIS, request, changes, **how).state is State.RETURNED


def test_nobody_decides_alone_that_it_leaves(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    house.vote(request, DENIS, Verdict.CHANGES)
    with pytest.raises(Denied), house.doing(DIANE) as (session, how):
        reviewing.give_back(session, DIANE, request, house.ballot(request, Verdict.APPROVE), **how)


def test_a_vote_can_be_changed_until_all_have_voted_and_stays_one(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE, Verdict.CHANGES)
    assert house.vote(request, DIANE).state is State.IN_REVIEW
    assert [(r.reviewer, r.verdict) for r in house.facts(request).reviews] == [("diane", Verdict.APPROVE)]


def test_a_changed_file_sets_the_votes_aside(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    house.add(request, content=b"sexe,patients\nF,3\n", replacing=True)
    assert (house.facts(request).state, house.facts(request).reviews) == (State.DRAFT, ())
    house.submit(request)
    assert house.vote(request, DENIS).state is State.IN_REVIEW


def test_changed_words_set_the_votes_aside(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    with house.doing(INES) as (session, how):
        changed = Words(WORDS.title, WORDS.purpose, "Toute la France", WORDS.controls)
        assert drafting.describe(session, INES, request, changed, **how).reviews == ()


def test_a_question_does_not(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    with house.doing(DENIS) as (session, how):
        asked = reviewing.ask(session, DENIS, request, reviewing.Remark("Quelle base ?"), **how)
    question = next(comment.id for comment in house.facts(request).comments if comment.question)
    with house.doing(INES) as (session, how):
        reviewing.answer(session, INES, request, "La base A.", question=question, **how)
    assert len(asked.reviews) == len(house.facts(request).reviews) == 1
    assert house.vote(request, DENIS).state is State.APPROVED


def test_a_quarantined_file_needs_two_and_a_written_reason(house: House) -> None:
    request = house.draft(checked=SAFE)
    house.add(request, name="ancien.doc", checked=QUARANTINED)
    assert house.submit(request).looks_needed == 2
    assert problem(lambda: house.vote(request, DIANE)) is Problem.QUARANTINE_REASON
    reason = "Ouvert sur un poste isolé : un tableau de totaux."
    house.vote(request, DIANE, comment=reason)
    assert house.vote(request, DENIS, comment=reason).state is State.APPROVED


def test_what_is_withdrawn_is_over(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    with house.doing(INES) as (session, how):
        assert drafting.withdraw(session, INES, request, **how).state is State.WITHDRAWN
    assert problem(lambda: house.vote(request, DENIS)) is Problem.NOT_IN_THIS_STATE


def test_a_recalled_release_is_not_downloaded_any_more(house: House) -> None:
    request = house.released()
    with house.doing(DORA) as (session, how):
        after = releasing.recall(
            session, DORA, request, "Effectif de 3 en ligne 2", settings=house.settings, **how
        )
    assert (after.state, after.recalled and after.recalled.by) == (State.RELEASED, "dora")
    assert problem(lambda: house.download(request)) is Problem.RECALLED
    with house.store.session() as session:
        assert [each.id for each in released(session, "these-ines")] == [request]


def test_a_release_happens_once(house: House) -> None:
    request = house.released()
    assert isinstance(house.release(request), Released)
    assert len(house.recorded("release.release")) == 1


def test_born_safe_requests_are_approved_in_a_batch(house: House) -> None:
    requests = [house.submitted(checked=SAFE) for _ in range(3)]
    seals = {request: house.facts(request).seal for request in requests}
    with house.doing(DIANE) as (session, how):
        assert sorted(reviewing.approve_batch(session, DIANE, seals, **how)) == sorted(requests)


def test_a_batch_with_anything_else_approves_nothing(house: House) -> None:
    safe, other = house.submitted(checked=SAFE), house.submitted()
    seals = {request: house.facts(request).seal for request in (safe, other)}
    with pytest.raises(AirlockProblem), house.doing(DIANE) as (session, how):
        reviewing.approve_batch(session, DIANE, seals, **how)
    assert house.facts(safe).state is State.SUBMITTED


def test_a_request_is_its_requesters_own(house: House) -> None:
    house.join("these-ines", RACHID)
    request = house.draft()
    with house.store.session() as session:
        assert [each.id for each in requests_of(session, "ines")] == [request]
        assert requests_of(session, "rachid") == []
    assert problem(lambda: house.submit(request, RACHID)) is Problem.UNKNOWN_REQUEST


class TestTheShelf:
    def test_bytes_that_changed_after_the_review_never_leave(self, house: House) -> None:
        house.settings = house.settings.model_copy(
            update={"airlock": house.settings.airlock.model_copy(update={"alerts": ("dora",)})}
        )
        request = house.submitted()
        house.vote(request, DIANE)
        house.vote(request, DENIS)
        house.shelf.path(hashlib.sha256(TABLE).hexdigest()).write_bytes(b"rows of people")
        assert isinstance(house.release(request), Broken)
        assert house.facts(request).state is State.RETURNED
        assert house.recorded("release.shelf-broken")[0].decision == "failed"
        with house.store.session() as session:
            told = set(session.scalars(select(Notice.recipient).where(Notice.kind == "shelf-broken")))
        assert "dora" in told

    def test_nor_once_they_are_released(self, house: House) -> None:
        request = house.released()
        path = house.shelf.path(hashlib.sha256(TABLE).hexdigest())
        path.unlink()
        assert isinstance(house.download(request), Broken)
        path.symlink_to("/etc/passwd")
        assert isinstance(house.download(request), Broken)
        assert len(house.recorded("release.shelf-broken")) == 2
        assert house.recorded("release.download") == []


def test_an_approval_of_somebody_who_joined_the_project_since_counts_no_more(house: House) -> None:
    request = house.submitted()
    house.vote(request, DIANE)
    house.vote(request, DENIS)
    house.join("these-ines", DENIS)
    house.release(request)
    assert house.facts(request).state is State.IN_REVIEW
    assert [review.reviewer for review in house.facts(request).reviews] == ["diane"]
    assert house.vote(request, ODILE).state is State.APPROVED
    assert isinstance(house.release(request), Released)


def test_a_refused_review_is_on_record(house: House) -> None:
    """Though its transaction is rolled back."""
    house.join("these-ines", DIANE)
    request = house.submitted()
    assert problem(lambda: house.vote(request, INES)) is Problem.OWN_REQUEST
    assert problem(lambda: house.vote(request, DIANE)) is Problem.OWN_PROJECT
    refused = [(r.who, r.decision, r.details["code"]) for r in house.recorded("release.vote")]
    assert refused == [("ines", "refused", "own-request"), ("diane", "refused", "own-project")]


def test_output_classes_are_the_least_safe_of_the_files(house: House) -> None:
    request = house.draft(checked=SAFE)
    assert house.facts(request).output_class is OutputClass.BORN_SAFE
    house.add(request, name="n.txt")
    assert house.facts(request).output_class is OutputClass.UNVERIFIED
