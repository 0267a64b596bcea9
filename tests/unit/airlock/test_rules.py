"""Who may do what, what votes amount to, and what one sees of a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_config.airlock.rules.looks import HousePolicy, batchable, looks_needed
from hub_config.airlock.rules.names import MOST, cleaned
from hub_config.airlock.rules.permission import Act, barred, why_not
from hub_config.airlock.rules.reasons import REASONS, suggested
from hub_config.airlock.rules.records import canonical, disclosure_record
from hub_config.airlock.rules.sight import seen_by
from hub_config.airlock.rules.voting import (
    Agreed,
    Ballot,
    Conflict,
    Waiting,
    counted,
    outcome,
    releasable,
    why_not_this,
)
from hub_config.airlock.texts import TEXTS, AirlockProblem, Problem
from hub_config.governance.releases.facts import (
    CheckState,
    Comment,
    Delegation,
    FileFacts,
    FileKind,
    Membership,
    OutputClass,
    Pool,
    RequestFacts,
    Review,
    State,
    Step,
    Verdict,
)
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity
from hub_config.governance.releases.stored import finding_as_json, finding_from
from hub_config.governance.roles import Person, Role

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PEOPLE = {
    "ines": Person("ines", "Inès", frozenset({Role.INTERNE})),
    "marc": Person("marc", "Marc", frozenset({Role.MEDECIN_DIM})),  # a member of the project, and a reviewer
    "lise": Person("lise", "Lise", frozenset({Role.MEDECIN_DIM})),  # was a member
    "paul": Person("paul", "Paul", frozenset({Role.MEDECIN_DIM})),  # was one when it was submitted
    "diane": Person("diane", "Diane", frozenset({Role.MEDECIN_DIM})),
    "denis": Person("denis", "Denis", frozenset({Role.MEDECIN_DIM})),
    "odile": Person("odile", "Odile", frozenset({Role.MEDECIN_REFERENT})),  # stands in
    "jean": Person("jean", "Jean", frozenset({Role.INTERNE})),  # on the pool, no physician
    "alain": Person("alain", "Alain", frozenset({Role.MEDECIN_DIM})),  # not on the pool
    "dora": Person("dora", "Dora", frozenset({Role.DPO})),
    "admin": Person("admin", "Admin", frozenset({Role.ADMIN, Role.CSE})),
}
TODAY = date(2026, 5, 4)
POOL = Pool(
    frozenset({"marc", "lise", "paul", "diane", "denis", "jean", "ines"}),
    frozenset({Delegation("denis", "odile", TODAY, TODAY)}),
    frozenset({"denis"}),
    TODAY,
)
MEMBERS = Membership(frozenset({"ines", "marc"}), frozenset({"lise"}))
FILE = FileFacts(
    1, "t.csv", "a" * 64, 10, FileKind.CSV, OutputClass.UNVERIFIED, CheckState.CHECKED, checker="v1"
)
SAFE = replace(FILE, output_class=OutputClass.BORN_SAFE, proof={"generated_text": True})


def request(state: State = State.IN_REVIEW, **more: Any) -> RequestFacts:
    said = {"files": (FILE,), "members_then": frozenset({"ines", "paul"}), **more}
    return RequestFacts("d-1", "these-ines", "ines", "T", "P", "C", "D", state, **said)


def review(reviewer: str, verdict: Verdict = Verdict.APPROVE, **more: Any) -> Review:
    return Review(reviewer, verdict, NOON, **{"seal": request().seal, **more})


def denied(who: str, act: Act, asked: RequestFacts, pool: Pool = POOL) -> Problem | None:
    denial = why_not(PEOPLE[who], act, asked, members=MEMBERS, pool=pool)
    return None if denial is None else denial.problem


class TestPermission:
    @pytest.mark.parametrize(
        ("who", "expected"),
        [
            ("ines", Problem.OWN_REQUEST),
            ("marc", Problem.OWN_PROJECT),
            ("lise", Problem.OWN_PROJECT),
            ("paul", Problem.OWN_PROJECT),
            ("diane", None),
            ("denis", None),  # away, but there after all
            ("odile", None),
            ("jean", Problem.NOT_A_REVIEWER),
            ("alain", Problem.NOT_A_REVIEWER),
            ("dora", Problem.NOT_A_REVIEWER),
            ("admin", Problem.NOT_A_REVIEWER),
        ],
    )
    @pytest.mark.parametrize("act", [Act.TAKE, Act.VOTE, Act.COMMENT, Act.ASK])
    def test_who_may_review(self, who: str, expected: Problem | None, act: Act) -> None:
        assert denied(who, act, request()) is expected

    @pytest.mark.parametrize("who", [who for who in PEOPLE if who != "ines"])
    @pytest.mark.parametrize(
        "act", [Act.EDIT, Act.SUBMIT, Act.WITHDRAW, Act.RESUBMIT, Act.ANSWER, Act.DOWNLOAD]
    )
    def test_what_is_the_requesters_is_nobody_elses(self, who: str, act: Act) -> None:
        assert all(denied(who, act, request(state)) is Problem.UNKNOWN_REQUEST for state in State)

    def test_who_left_the_project_downloads_nothing_any_more(self) -> None:
        left = Membership(frozenset(), frozenset({"ines"}))
        released = request(State.RELEASED)
        assert why_not(PEOPLE["ines"], Act.DOWNLOAD, released, members=MEMBERS, pool=POOL) is None
        found = why_not(PEOPLE["ines"], Act.DOWNLOAD, released, members=left, pool=POOL)
        assert found is not None and found.problem is Problem.NOT_A_MEMBER

    @pytest.mark.parametrize("state", State)
    def test_what_the_requester_may_in_each_state(self, state: State) -> None:
        may = {act for act in Act if denied("ines", act, request(state)) is None} - {
            Act.VIEW,
            Act.READ_RECORD,
        }
        assert (
            may
            == {
                State.DRAFT: {Act.EDIT, Act.SUBMIT, Act.WITHDRAW},
                State.SUBMITTED: {Act.EDIT, Act.WITHDRAW, Act.ANSWER},
                State.IN_REVIEW: {Act.EDIT, Act.WITHDRAW, Act.ANSWER},
                State.APPROVED: {Act.EDIT, Act.WITHDRAW},
                State.RELEASED: {Act.DOWNLOAD},
                State.RETURNED: {Act.WITHDRAW, Act.RESUBMIT},
                State.REJECTED: set(),
                State.WITHDRAWN: {Act.RESUBMIT},
            }[state]
        )

    @pytest.mark.parametrize("state", State)
    def test_what_a_reviewer_may_in_each_state(self, state: State) -> None:
        open_acts = {Act.VIEW, Act.READ_RECORD, Act.TAKE, Act.VOTE, Act.COMMENT, Act.ASK}
        assert {act for act in Act if denied("diane", act, request(state)) is None} == {
            State.DRAFT: set(),
            State.SUBMITTED: open_acts,
            State.IN_REVIEW: open_acts,
            State.APPROVED: {Act.VIEW, Act.READ_RECORD, Act.RELEASE},
            State.RELEASED: {Act.VIEW, Act.READ_RECORD, Act.RECALL},
        }.get(state, {Act.VIEW, Act.READ_RECORD})

    @pytest.mark.parametrize("who", ["marc", "alain", "jean", "admin", "dora"])
    def test_who_has_no_business_there_is_told_that_there_is_none(self, who: str) -> None:
        assert denied(who, Act.VIEW, request()) is Problem.UNKNOWN_REQUEST

    def test_the_dpo_reads_how_it_went_and_may_recall(self) -> None:
        released = request(State.RELEASED)
        may = {act for act in Act if denied("dora", act, released) is None}
        assert may == {Act.READ_RECORD, Act.READ_NAMES, Act.RECALL}

    def test_whom_nobody_named_cannot_review(self) -> None:
        assert denied("diane", Act.VOTE, request(), Pool()) is Problem.NOT_A_REVIEWER


class TestVoting:
    @pytest.mark.parametrize(
        ("verdicts", "needed", "expected"),
        [
            ("", 1, Waiting(1)),
            ("", 2, Waiting(2)),
            ("a", 2, Waiting(1)),
            ("a", 1, Agreed(Step.APPROVE)),
            ("aa", 2, Agreed(Step.APPROVE)),
            ("cc", 2, Agreed(Step.RETURN)),
            ("rr", 2, Agreed(Step.REJECT)),
            ("c", 1, Agreed(Step.RETURN)),
            ("u", 1, Conflict()),
            ("uu", 2, Conflict()),
            ("ac", 2, Conflict()),
            ("au", 2, Conflict()),
            ("cr", 2, Conflict()),
            ("ar", 2, Conflict()),
            ("", 0, Waiting(1)),
        ],
    )
    def test_what_votes_amount_to(self, verdicts: str, needed: int, expected: object) -> None:
        words = {"a": "approve", "c": "changes", "r": "reject", "u": "undecided"}
        reviews = [review(name, Verdict(words[v])) for name, v in zip("xyz", verdicts, strict=False)]
        assert outcome(reviews, needed) == expected

    def test_one_person_twice_is_one_look(self) -> None:
        assert outcome([review("diane"), review("diane")], 2) == Waiting(1)

    def test_votes_on_other_files_or_of_people_with_a_part_in_it_do_not_count(self) -> None:
        asked = request(reviews=(review("diane"), review("marc"), review("denis", seal="0" * 64)))
        assert [each.reviewer for each in counted(asked, barred(asked, MEMBERS))] == ["diane"]
        assert not releasable(asked, barred(asked, MEMBERS))

    @pytest.mark.parametrize(
        "change",
        [
            {"files": (replace(FILE, sha256="b" * 64),)},
            {"files": (replace(FILE, name="u.csv"),)},
            {"files": (FILE, replace(FILE, number=2))},
            {"files": ()},
            {"files": (replace(FILE, findings=(Finding(Rule.REFUSED_KIND, Severity.BLOCKING),)),)},
            {"looks_needed": 2, "reviews": (review("diane"),)},
            {"reviews": (review("diane"), review("denis", Verdict.CHANGES))},
            {"members_then": frozenset({"ines", "denis"})},
        ],
    )
    def test_anything_else_than_what_was_approved_is_not_releasable(self, change: dict[str, Any]) -> None:
        approved = request(State.APPROVED, reviews=(review("diane"), review("denis")))
        assert releasable(approved, barred(approved, MEMBERS))
        other = replace(approved, **change)
        assert not releasable(other, barred(other, MEMBERS))

    @pytest.mark.parametrize(
        ("ballot", "expected"),
        [
            (Ballot(Verdict.APPROVE, "0" * 64), Problem.FILES_CHANGED),
            (Ballot(Verdict.APPROVE, "", {2: Verdict.APPROVE}), Problem.UNKNOWN_FILE),
            (Ballot(Verdict.APPROVE, "", {1: Verdict.CHANGES}), Problem.FILE_VERDICTS),
            (Ballot(Verdict.CHANGES, ""), Problem.REASON_MISSING),
            (Ballot(Verdict.REJECT, "", reasons=("nonsense",)), Problem.UNKNOWN_REASON),
            (Ballot(Verdict.CHANGES, "", reasons=("contexte",)), None),
            (Ballot(Verdict.CHANGES, "", to_requester="Arrondissez"), None),
            (Ballot(Verdict.UNDECIDED, ""), None),
            (Ballot(Verdict.APPROVE, ""), None),
        ],
    )
    def test_what_a_ballot_must_say(self, ballot: Ballot, expected: Problem | None) -> None:
        cast = ballot if ballot.seal else replace(ballot, seal=request().seal)
        assert why_not_this(cast, request()) is expected


class TestLooks:
    @pytest.mark.parametrize(
        ("files", "policy", "expected"),
        [
            ((), HousePolicy(), 2),
            ((SAFE,), HousePolicy(), 1),
            ((SAFE,), HousePolicy(True, False), 0),
            ((SAFE,), HousePolicy(True, True), 1),
            ((replace(SAFE, proof={"generated_text": "yes"}),), HousePolicy(True, False), 1),
            ((replace(SAFE, proof=None),), HousePolicy(True, False), 1),
            (
                (replace(SAFE, findings=(Finding(Rule.COMMENT, Severity.WARNING),)),),
                HousePolicy(True, False),
                1,
            ),
            ((replace(SAFE, checked=CheckState.QUARANTINED),), HousePolicy(True, False), 2),
            ((replace(SAFE, output_class=OutputClass.REPRODUCED),), HousePolicy(True, False), 1),
            ((SAFE, FILE), HousePolicy(True, False), 2),
        ],
    )
    def test_how_many_look(self, files: tuple[FileFacts, ...], policy: HousePolicy, expected: int) -> None:
        assert looks_needed(files, policy) == expected

    def test_what_may_be_approved_at_one_go(self) -> None:
        assert batchable(request(files=(SAFE,)))
        assert not batchable(request(files=(SAFE, FILE)))
        assert not batchable(
            request(files=(replace(SAFE, findings=(Finding(Rule.COMMENT, Severity.WARNING),)),))
        )


class TestSight:
    """Before both have voted, a reviewer sees the same whether the other voted, wrote, or did nothing."""

    QUIET = request(State.SUBMITTED, assigned=("denis", "diane"))
    BUSY = request(
        State.IN_REVIEW,
        assigned=("denis", "diane"),
        reviews=(review("denis", Verdict.CHANGES, comment="Je n’aime pas"),),
        comments=(
            Comment("denis", NOON, "Entre nous", private=True, id=1),
            Comment("denis", NOON, "Pour vous", private=False, id=2),
            Comment("denis", NOON, "Quelle base ?", private=False, question=True, id=3),
            Comment("ines", NOON, "La base A", private=False, id=4, answers=3),
        ),
        round=1,
        version=7,
    )

    def test_blind(self) -> None:
        assert seen_by(PEOPLE["diane"], self.BUSY, MEMBERS) == seen_by(PEOPLE["diane"], self.QUIET, MEMBERS)

    def test_one_sees_ones_own(self) -> None:
        seen = seen_by(PEOPLE["denis"], self.BUSY, MEMBERS)
        assert (len(seen.reviews), len(seen.comments), seen.assigned) == (1, 4, ("denis",))

    def test_once_both_have_voted_they_see_each_other_and_nobody_else_does(self) -> None:
        both = replace(self.BUSY, reviews=(*self.BUSY.reviews, review("diane")), round=2)
        for voter in ("diane", "denis"):
            seen = seen_by(PEOPLE[voter], both, MEMBERS)
            assert (len(seen.reviews), len(seen.comments)) == (2, 4)
        third = seen_by(PEOPLE["odile"], both, MEMBERS)
        assert (third.reviews, third.comments, third.round) == ((), (), 1)

    def test_the_requester_is_asked_at_once_and_told_the_rest_with_the_outcome(self) -> None:
        seen = seen_by(PEOPLE["ines"], self.BUSY, MEMBERS)
        assert [(each.author, each.text) for each in seen.comments] == [
            ("", "Quelle base ?"),
            ("ines", "La base A"),
        ]
        assert (seen.reviews, seen.assigned) == ((), ())
        told = seen_by(PEOPLE["ines"], replace(self.BUSY, state=State.RETURNED), MEMBERS)
        assert [each.text for each in told.comments] == ["Pour vous", "Quelle base ?", "La base A"]
        assert told.reviews == ()


class TestWords:
    def test_every_problem_has_its_words_without_holes(self) -> None:
        assert set(TEXTS) == set(Problem)
        blanks = {"project": "p", "field": "f", "most": 1, "least": 1, "megabytes": 1}
        assert all("%" not in str(AirlockProblem(problem, **blanks)) for problem in Problem)

    def test_reasons_are_found_by_what_was_found(self) -> None:
        assert [reason.id for reason in suggested([Rule.SMALL_COUNT])] == ["petits-effectifs"]
        assert all(identifier == reason.id and reason.text for identifier, reason in REASONS.items())

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("tableau.csv", "tableau.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ines\\t.csv", "t.csv"),
            ("re\u202evsc.exe", "revsc.exe"),
            ("a\x00b\nc.csv", "abc.csv"),
            ("  .bashrc ", "bashrc"),
            ("...", "fichier"),
            ("", "fichier"),
            ("\u200b\u200d", "fichier"),
            ("x" * 300 + ".csv", "x" * (MOST - 4) + ".csv"),
            ("é.csv", "é.csv"),
        ],
    )
    def test_names(self, name: str, expected: str) -> None:
        assert cleaned(name) == expected

    @given(st.text(max_size=300))
    def test_no_name_leads_elsewhere_or_hides(self, name: str) -> None:
        kept = cleaned(name)
        assert 0 < len(kept) <= MOST
        assert not set(kept) & set('/\\\x00\n\r:"<>|?*\u202e')
        assert not kept.startswith(".")
        assert cleaned(kept) == kept


class TestStored:
    @given(
        st.builds(
            Finding,
            st.sampled_from(Rule),
            st.sampled_from(Severity),
            st.none()
            | st.builds(
                Place, st.none() | st.integers(1, 9), st.none() | st.integers(1, 9), what=st.text(max_size=9)
            ),
            st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3),
        )
    )
    def test_findings_come_back_as_they_were(self, finding: Finding) -> None:
        assert finding_from(finding_as_json(finding)) == finding

    def test_a_record_holds_no_proof_that_it_does_not_know(self) -> None:
        proven = replace(SAFE, proof={"request_id": "r-1", "cells": [1, 2, 3], "generated_text": True})
        record = disclosure_record(request(files=(proven,)), policy={}, version="0")
        assert record["files"][0]["proof"] == {"request_id": "r-1"}
        assert canonical(record) == canonical(dict(reversed(record.items())))
