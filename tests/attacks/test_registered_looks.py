"""Have one physician let both the code through and what it leaves: who approved a project's own notebook
casts the only vote on its files, or does so before the rule is asked; or one alone on what was computed from
rows of people and looks odd, or is what the same run left anew, after somebody objected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub_config.airlock.intake import receiving
from hub_config.airlock.intake.receiving import receive
from hub_config.airlock.pool import actions as pool
from hub_config.airlock.pseudonyms import Searched
from hub_config.airlock.rules import looks, permission
from hub_config.airlock.texts import Denied
from hub_config.governance.audit import read_records
from hub_config.governance.facts import AccessLevel
from hub_config.governance.models import Grant
from hub_config.governance.notebooks import actions
from hub_config.governance.notebooks.actions import Wanted
from hub_config.governance.notebooks.facts import NotebookStep, Registration
from hub_config.governance.releases.facts import FileFacts, OutputClass, State, Verdict
from hub_config.governance.releases.findings import Finding, Rule, Severity
from hub_config.governance.report_runs import reading as on_runs
from hub_config.governance.report_runs.facts import KeptFile, Outcome, RunFacts
from hub_config.governance.report_runs.recording import record_run
from tests.services.airlock_pages.little_airlock import File, LittleAirlock, now, person

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CELLS = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "print('vu')"}]
NOTEBOOK = json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
CONTENT = b"age,n\n40,12\n"
ODD = (Finding(Rule.SMALL_COUNT, Severity.WARNING),)
NOTED = (Finding(Rule.ROWS_HELD, Severity.NOTE),)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "house")
    yield made
    made.desk.store.close()


def registered(house: LittleAirlock, access: AccessLevel = AccessLevel.AGGREGATE) -> Registration:
    """Approved by Diane; it ran, and left `CONTENT`."""
    store, rows = house.desk.store, access is AccessLevel.MICRODATA
    with store.change() as session:
        grant = session.get(Grant, "these-ines")
        assert grant is not None
        grant.access = access.value
        wanted = Wanted(
            "these-ines", "these-hta", "Décrire les patients de ma thèse.", "t.csv : effectifs par âge", rows
        )
        audit = store.recorder("ines")
        made = actions.ask(session, wanted, NOTEBOOK, "ines", at=NOON, audit=audit)
        made = actions.take(session, made.id, NotebookStep.APPROVE, "diane", at=NOON, audit=audit)
    ran(house, made, "0a1b2c3d4e5f", CONTENT)
    return made


def ran(house: LittleAirlock, made: Registration, number: str, content: bytes) -> None:
    store, kept = house.desk.store, KeptFile("t.csv", hashlib.sha256(content).hexdigest(), len(content))
    run = RunFacts(
        id=number, project="these-ines", template=made.name, sha256=made.sha256, approved=True,
        parameters="{}", asked_by="operator:root", access=made.access, snapshot=1, began=NOON, ended=NOON,
        outcome=Outcome.DONE, requests=(), files=(kept,), registration=made.id,
    )  # fmt: skip
    with store.change() as session:
        record_run(session, run, audit=store.recorder("operator:root"))


def sent(house: LittleAirlock, of: Registration, *more: File, findings: tuple[Finding, ...] = ()) -> str:
    proof: dict[str, object] = {"sha256": of.sha256, "registration": of.id, "access": of.access.value}
    return house.sent(File("t.csv", CONTENT, OutputClass.REPRODUCED, findings, proof=proof), *more)


def lets_out(house: LittleAirlock, request: str, *voters: str) -> bool:
    with suppress(Denied):
        for voter in voters:
            house.vote(request, voter)
    return house.facts(request).state is State.RELEASED


def test_who_approved_the_code_is_not_the_one_look_at_its_files(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registered(house)
    request = sent(house, made)
    assert house.facts(request).looks_needed == 1 and "diane" not in house.facts(request).assigned
    assert not lets_out(house, request, "diane")
    assert lets_out(house, request, "denis"), "and somebody else is"
    again = sent(house, made)
    monkeypatch.setattr(permission, "code_readers", lambda *_: frozenset())
    assert lets_out(house, again, "diane"), "undefended, the attack succeeds"


def test_nor_is_who_stands_in_for_them(house: LittleAirlock) -> None:
    made, today = registered(house), now().date()
    with house.desk.store.change() as session:
        audit = house.desk.store.recorder("diane")
        pool.delegate(session, person("diane"), "paul", today, today + timedelta(9), at=now(), audit=audit)
    assert "paul" not in house.facts(sent(house, made)).assigned


def test_a_vote_cast_before_is_no_approval_at_the_gate(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever way it came there: the last question before a release counts it no more."""
    made = registered(house)
    request = sent(house, made)
    with monkeypatch.context() as undefended:
        undefended.setattr(permission, "code_readers", lambda *_: frozenset())
        undefended.setattr(type(house.desk), "follow", lambda *_: None)
        house.vote(request, "diane")
        assert house.facts(request).state is State.APPROVED, "the power of what follows"
    house.desk.follow(request)
    assert house.facts(request).state is State.IN_REVIEW
    assert lets_out(house, request, "denis")


def test_what_a_reviewer_approved_is_named_when_they_leave_the_pool(house: LittleAirlock) -> None:
    made, store = registered(house), house.desk.store
    with store.change() as session:
        for name in ("dorian", "diane"):
            pool.remove_reviewer(session, person("charles"), name, at=now(), audit=store.recorder("charles"))
    records = read_records(house.desk.settings.audit_dir, house.desk.settings.keys_dir)
    events = [each for each in records if each.what == "reviewer.remove"]
    assert [each.details["notebooks"] for each in events] == ["", made.id]


def test_the_page_says_why_and_a_pool_of_two_is_enough(house: LittleAirlock) -> None:
    made = registered(house)
    with house.desk.store.change() as session:
        charles, audit = person("charles"), house.desk.store.recorder("charles")
        pool.remove_reviewer(session, charles, "dorian", at=now(), audit=audit)
    request = sent(house, made)
    seen = house.visit("diane").get(f"/relecture/{request}").text
    assert "avez accepté le notebook" in seen and "Enregistrer mon avis" not in seen
    assert request not in house.visit("diane").get("/relecture").text
    said = {"verdict": "approve", "seal": house.facts(request).seal}
    assert house.visit("diane").post(f"/relecture/{request}/avis", said).status_code == 403
    assert house.facts(request).assigned == ("denis",)
    assert "avez accepté le notebook" not in house.visit("denis").get(f"/relecture/{request}").text
    assert lets_out(house, request, "denis")


def test_where_two_must_look_they_may_be_one_of_them(house: LittleAirlock) -> None:
    made = registered(house)
    request = sent(house, made, File("main.csv", b"a,b\n1,2\n"))
    assert house.facts(request).looks_needed == 2
    assert not lets_out(house, request, "diane") and lets_out(house, request, "denis")


def test_an_undecided_other_does_not_open_it_to_them(house: LittleAirlock) -> None:
    """Nor does the page tell them of that vote."""
    request = sent(house, registered(house))
    before = house.visit("diane").get(f"/relecture/{request}").text
    house.vote(request, "denis", Verdict.UNDECIDED)
    assert house.facts(request).looks_needed == 2
    assert not lets_out(house, request, "diane")
    assert ("avez accepté le notebook" in before) is (
        "avez accepté le notebook" in house.visit("diane").get(f"/relecture/{request}").text
    )


def undefended(file: FileFacts) -> bool:
    return False


def test_what_was_computed_from_rows_and_looks_odd_has_two_looks(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registered(house, AccessLevel.MICRODATA)
    request = sent(house, made, findings=ODD)
    assert house.facts(request).looks_needed == 2
    assert not lets_out(house, request, "denis") and lets_out(house, request, "diane")
    assert house.facts(sent(house, made, findings=NOTED)).looks_needed == 1
    monkeypatch.setattr(looks, "_of_rows", undefended)
    assert lets_out(house, sent(house, made, findings=ODD), "denis"), "undefended, the attack succeeds"


def test_what_was_computed_from_rows_keeps_its_class_while_the_project_sees_rows(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registered(house, AccessLevel.MICRODATA)
    request, again = sent(house, made), sent(house, made)
    with house.desk.store.change() as session:
        grant = session.get(Grant, "these-ines")
        assert grant is not None
        grant.access = AccessLevel.AGGREGATE.value
    assert not lets_out(house, request, "denis")
    assert house.facts(request).output_class is OutputClass.UNVERIFIED
    monkeypatch.setattr(on_runs, "gives_rows", lambda *_: True)
    assert lets_out(house, again, "denis"), "undefended, the attack succeeds"


def test_what_was_computed_from_aggregates_has_one(house: LittleAirlock) -> None:
    assert house.facts(sent(house, registered(house), findings=ODD)).looks_needed == 1


def test_what_the_same_run_left_before_an_objection_is_told(
    house: LittleAirlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so has two looks, which compare them."""
    made, after = registered(house, AccessLevel.MICRODATA), b"age,n\n40,11\n"
    ran(house, made, "1a1b2c3d4e5f", after)

    def told() -> set[Rule]:
        checked = receive(
            house.desk, "these-ines", "t.csv", after, lambda *_: Searched((), done=True)
        ).checked
        assert checked.output_class is OutputClass.REPRODUCED
        return {each.rule for each in checked.findings}

    assert Rule.RUNS_DIFFER in told()
    monkeypatch.setattr(receiving, "runs_like", lambda *_: [])
    assert Rule.RUNS_DIFFER not in told(), "undefended, the attack succeeds"
