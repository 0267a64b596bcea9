"""What a requester may answer instead of mending, and what comes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub_config.airlock.rules.looks import HousePolicy, batchable, looks_needed
from hub_config.airlock.rules.records import canonical, disclosure_record, for_requester
from hub_config.airlock.rules.recourse import (
    LEAST_EXPLANATION,
    RECOURSE,
    Recourse,
    contested,
    grouped,
    unanswered,
)
from hub_config.airlock.rules.voting import Ballot, releasable, why_not_this
from hub_config.airlock.texts import Problem
from hub_config.governance.releases.facts import (
    CheckState,
    FileFacts,
    FileKind,
    OutputClass,
    RequestFacts,
    Review,
    State,
    Verdict,
)
from hub_config.governance.releases.findings import Finding, Place, Rule, Severity
from hub_config.governance.roles import Role

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
WHY = "Ce n’est pas un effectif : c’est une dose en milligrammes."
SMALL = (
    Finding(Rule.SMALL_COUNT, Severity.BLOCKING, Place(row=3, column=2)),
    Finding(Rule.SMALL_COUNT, Severity.BLOCKING, Place(row=4, column=2)),
)


def file(rule: Rule = Rule.SMALL_COUNT, **more: object) -> FileFacts:
    found = {"findings": (Finding(rule, Severity.BLOCKING),), **more}
    return FileFacts(
        1,
        "t.csv",
        "a" * 64,
        9,
        FileKind.CSV,
        OutputClass.REPRODUCED,
        CheckState.CHECKED,
        **found,  # type: ignore[arg-type]
    )


def request(*files: FileFacts, **more: object) -> RequestFacts:
    return RequestFacts("d-234567", "p", "ines", "t", "p", "c", "c", State.APPROVED, files, **more)  # type: ignore[arg-type]


def test_every_rule_has_its_place_and_no_other() -> None:
    assert set(RECOURSE) == set(Rule)


@pytest.mark.parametrize(
    "rule",
    [
        Rule.PSEUDONYM, Rule.PSEUDONYMS_NOT_SEARCHED, Rule.PERSONAL_PATTERN, Rule.MACRO, Rule.ACTIVE_CONTENT,
        Rule.REFUSED_KIND, Rule.NOT_GENUINE, Rule.OTHER_PROJECT,
    ],
)  # fmt: skip
def test_what_never_leaves_is_not_explained_away(rule: Rule) -> None:
    explained = file(rule, explanations={1: WHY})
    assert RECOURSE[rule] is Recourse.NEVER
    assert unanswered(explained) and not contested(explained)


def test_an_answer_lets_a_contestable_finding_pass_and_a_few_letters_do_not() -> None:
    assert unanswered(file())
    assert unanswered(file(explanations={1: "x" * (LEAST_EXPLANATION - 1)}))
    assert unanswered(file(explanations={2: WHY}))
    assert not unanswered(file(explanations={1: WHY}))


def test_all_places_of_one_finding_have_one_number() -> None:
    heavy = Finding(Rule.ROW_LEVEL, Severity.BLOCKING)
    warned = Finding(Rule.EXACT_DATES, Severity.WARNING)
    assert [(one.rule, len(one.findings)) for one in grouped((warned, *SMALL, heavy))] == [
        (Rule.SMALL_COUNT, 2), (Rule.ROW_LEVEL, 1), (Rule.EXACT_DATES, 1),
    ]  # fmt: skip


def test_a_contested_finding_always_has_two_physicians() -> None:
    answered = file(explanations={1: WHY})
    assert looks_needed([replace(answered, findings=())], HousePolicy()) == 1
    assert looks_needed([answered], HousePolicy(born_safe_at_once=True, holders=False)) == 2
    assert not batchable(request(replace(answered, output_class=OutputClass.BORN_SAFE)))


def test_one_approval_never_releases_it_whatever_was_noted() -> None:
    made = request(file(explanations={1: WHY}), looks_needed=1)
    one = Review("diane", Verdict.APPROVE, NOON, made.seal)
    assert not releasable(replace(made, reviews=(one,)), ())
    assert releasable(replace(made, reviews=(one, replace(one, reviewer="denis"))), ())


def test_a_vote_is_on_the_explanation_too() -> None:
    before, after = request(file(explanations={1: WHY})), request(file(explanations={1: WHY + "!"}))
    assert why_not_this(Ballot(Verdict.APPROVE, before.seal), after) is Problem.FILES_CHANGED
    assert why_not_this(Ballot(Verdict.APPROVE, after.seal), after) is None
    assert (
        why_not_this(Ballot(Verdict.APPROVE, request(file()).seal), request(file()))
        is Problem.BLOCKED_APPROVAL
    )


def test_the_record_says_what_was_contested_and_who_took_it_and_names_nobody_to_the_requester() -> None:
    made = request(file(findings=SMALL, explanations={1: WHY}))
    votes = [("diane", Role.MEDECIN_DIM), ("odile", Role.MEDECIN_REFERENT)]
    reviews = tuple(Review(who, Verdict.APPROVE, NOON, made.seal, role=role.value) for who, role in votes)
    kept = canonical(disclosure_record(replace(made, reviews=reviews), policy={}, version="0"))
    assert '"diane"' in kept
    for copy in (kept, for_requester(kept)):
        (told,) = json.loads(copy)["files"][0]["contested"]
        assert told["accepted_by"] == ["médecin DIM 1", "médecin référent 1"]
        assert (told["explanation"], told["rule"], told["times"]) == (WHY, "small-count", 2)
    assert "diane" not in for_requester(kept) and "odile" not in for_requester(kept)
