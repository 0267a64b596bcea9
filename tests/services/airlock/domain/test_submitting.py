"""What a draft needs before it can be submitted, and what becomes of drafts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub_config.airlock.actions import drafting
from hub_config.airlock.actions.drafting import Checked, Words
from hub_config.airlock.texts import AirlockProblem, Problem
from hub_config.governance.releases.facts import CheckState, State, Verdict
from hub_config.governance.releases.findings import Finding, Rule, Severity
from tests.services.airlock.domain.house import (
    DENIS,
    DIANE,
    INES,
    UNVERIFIED,
    House,
)
from tests.services.airlock.domain.refusing import problem

BLOCKING = Checked(
    state=CheckState.CHECKED, findings=(Finding(Rule.REFUSED_KIND, Severity.BLOCKING),), checker="v1"
)


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (lambda house: house.draft(checked=BLOCKING), Problem.BLOCKED),
        (lambda house: house.draft(checked=Checked()), Problem.NOT_CHECKED),
    ],
)
def test_what_cannot_leave_cannot_be_submitted(
    house: House, draft: Callable[[House], str], expected: Problem
) -> None:
    request = draft(house)
    assert problem(lambda: house.submit(request)) is expected


def test_context_and_controls_are_mandatory(house: House) -> None:
    for words in (Words("T", "P", " ", "C"), Words("T", "P", "C", ""), Words("T", "", "C", "C")):
        with house.doing(INES) as (session, how):
            request = drafting.open_draft(session, INES, "these-ines", words, **how).id
        house.add(request)
        assert problem(lambda request=request: house.submit(request)) is Problem.WORDS_MISSING


def test_a_request_without_files_cannot_be_submitted(house: House) -> None:
    request = house.draft()
    with house.doing(INES) as (session, how):
        drafting.remove_file(session, INES, request, 1, **how)
    assert problem(lambda: house.submit(request)) is Problem.NO_FILES


def test_checks_are_noted_for_these_bytes_only(house: House) -> None:
    request = house.draft(checked=Checked())
    old = house.facts(request).files[0].sha256
    house.add(request, content=b"other", checked=Checked(), replacing=True)
    with house.store.change() as session:
        how = {"at": house.now, "audit": house.store.recorder("enclave")}
        with pytest.raises(AirlockProblem):
            drafting.note_check(session, request, 1, old, UNVERIFIED, **how)
        new = house.facts(request).files[0].sha256
        assert drafting.note_check(session, request, 1, new, UNVERIFIED, **how).checked is CheckState.CHECKED


def test_names_are_cleaned_and_unique(house: House) -> None:
    request = house.draft()
    assert problem(lambda: house.add(request, name="../TABLEAU1.csv")) is Problem.SAME_NAME
    house.add(request, name="C:\\x\\an\u202egnp.exe\x00.csv")
    assert house.facts(request).files[1].name == "angnp.exe.csv"


def test_a_returned_request_is_mended_in_a_new_one_that_names_it(house: House) -> None:
    first = house.submitted()
    house.add(first, name="b.csv", content=b"b", checked=UNVERIFIED)
    house.submit(first)
    house.vote(first, DIANE, Verdict.CHANGES)
    house.vote(first, DENIS, Verdict.CHANGES)
    with house.doing(INES) as (session, how):
        second = drafting.resubmit(session, INES, first, **how)
    house.add(second.id, name="b.csv", content=b"b mended", replacing=True)
    with house.store.session() as session:
        rework = drafting.rework_of(session, house.facts(second.id))
    assert rework is not None
    assert (rework.previous, rework.equal) == (first, frozenset({1}))
    assert house.submit(second.id).reviews == ()


def test_forgotten_drafts_expire(house: House) -> None:
    request = house.draft()
    house.later(days=29)
    kept = house.draft()
    house.later(days=2)
    with house.store.change() as session:
        expired = drafting.expire(
            session, settings=house.settings.airlock, at=house.now, audit=house.store.recorder("enclave")
        )
    assert expired == [request]
    assert house.facts(kept).state is State.DRAFT
