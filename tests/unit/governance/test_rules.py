"""Decisions of governance as plain tables: who may work when, and the life of a project."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.rules import TRANSITIONS, Step, next_status, takes, why_not
from p4dp_sdk.wire.errors import ErrorCode

LAST_DAY = date(2026, 6, 30)
DRAFT, APPROVED, SUSPENDED, CLOSED = ProjectStatus

# who      status     on      answer
WHY_NOT = """
  member   draft      before    project-not-active
  member   approved   before    -
  member   approved   last      -
  member   approved   after     grant-expired
  member   suspended  before    project-not-active
  member   suspended  after     project-not-active
  member   closed     before    project-not-active
  stranger draft      before    not-a-member
  stranger approved   before    not-a-member
  stranger approved   after     not-a-member
  stranger suspended  before    not-a-member
  stranger closed     after     not-a-member
  anyone   draft      before    project-not-active
  anyone   approved   before    -
  anyone   approved   last      -
  anyone   approved   after     grant-expired
  anyone   suspended  before    project-not-active
  anyone   closed     before    project-not-active
"""
DAYS = {"before": date(2026, 1, 1), "last": LAST_DAY, "after": date(2026, 7, 1)}


def project(
    status: ProjectStatus, *, open_to_all: bool = False, expires_on: date | None = LAST_DAY
) -> ProjectFacts:
    grant = Grant(AccessLevel.AGGREGATE, {"patients": None}, expires_on=expires_on, legal_basis="MR-004")
    return ProjectFacts("these-ines", "t", "p", status, 1, grant, frozenset({"ines"}), open_to_all)


@pytest.mark.parametrize("row", WHY_NOT.strip().splitlines(), ids=lambda row: " ".join(row.split()))
def test_why_not(row: str) -> None:
    who, status, day, answer = row.split()
    facts = project(ProjectStatus(status), open_to_all=who == "anyone")
    denial = why_not("ines" if who == "member" else "zoe", facts, DAYS[day])
    assert (denial.code.value if denial else "-") == answer


def test_a_grant_without_an_end_does_not_expire() -> None:
    assert why_not("ines", project(APPROVED, expires_on=None), date(2999, 1, 1)) is None


@pytest.mark.parametrize(
    ("signed", "left", "code"),
    [
        (None, set(), None),  # none is in force
        ({"ines"}, set(), None),
        (set(), set(), ErrorCode.CHARTER_NOT_ACCEPTED),
        ({"ines"}, {"ines"}, ErrorCode.NOT_A_MEMBER),  # whoever left, whatever they signed
    ],
)
@pytest.mark.parametrize("open_to_all", [True, False])
def test_the_charter_comes_before_a_workspace_and_leaving_closes_it(
    signed: set[str] | None, left: set[str], code: ErrorCode | None, open_to_all: bool
) -> None:
    facts = replace(
        project(APPROVED, open_to_all=open_to_all),
        signed=None if signed is None else frozenset(signed),
        left=frozenset(left),
    )
    denial = why_not("ines", facts, LAST_DAY)
    assert (denial.code if denial else None) == code
    assert why_not("svc-these-ines", facts, LAST_DAY) is None


def test_a_stranger_learns_the_name_they_asked_for_and_nothing_else() -> None:
    denial = why_not("zoe", project(SUSPENDED), LAST_DAY)
    assert denial is not None
    assert denial.refusal().code is ErrorCode.NOT_A_MEMBER
    assert denial.refusal().params == {"project": "these-ines"}


def test_a_member_is_told_what_is_wrong() -> None:
    inactive, expired = (
        why_not("ines", project(SUSPENDED), LAST_DAY),
        why_not("ines", project(APPROVED), DAYS["after"]),
    )
    assert inactive is not None
    assert expired is not None
    assert inactive.params["status"] == "suspended"
    assert expired.params["expired_on"] == "2026-06-30"


LIFE = {
    (DRAFT, Step.APPROVE): APPROVED,
    (DRAFT, Step.SUSPEND): None,
    (DRAFT, Step.AMEND): DRAFT,
    (DRAFT, Step.CLOSE): CLOSED,
    (APPROVED, Step.APPROVE): None,
    (APPROVED, Step.SUSPEND): SUSPENDED,
    (APPROVED, Step.AMEND): DRAFT,
    (APPROVED, Step.CLOSE): CLOSED,
    (SUSPENDED, Step.APPROVE): APPROVED,
    (SUSPENDED, Step.SUSPEND): None,
    (SUSPENDED, Step.AMEND): DRAFT,
    (SUSPENDED, Step.CLOSE): CLOSED,
    (CLOSED, Step.APPROVE): None,
    (CLOSED, Step.SUSPEND): None,
    (CLOSED, Step.AMEND): None,
    (CLOSED, Step.CLOSE): None,
}


def test_every_status_answers_every_step() -> None:
    assert set(LIFE) == set(product(ProjectStatus, Step))
    assert {pair: next_status(*pair) for pair in LIFE} == LIFE
    assert set(TRANSITIONS) == set(ProjectStatus)


def test_whatever_changes_the_grant_needs_an_approval_again() -> None:
    assert {next_status(status, Step.AMEND) for status in takes(Step.AMEND)} == {DRAFT}


def test_every_status_is_reached_from_a_draft() -> None:
    reached = {DRAFT}
    for _ in ProjectStatus:
        reached |= {after for status in reached for after in TRANSITIONS[status].values()}
    assert reached == set(ProjectStatus)
