"""The service of a project belongs to it alone, and sees aggregates alone."""

from __future__ import annotations

from datetime import date

import pytest

from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.rules import why_not
from hub_config.governance.services import as_seen_by, is_service, service_of

TODAY = date(2026, 1, 1)


def project(
    access: AccessLevel = AccessLevel.MICRODATA, *members: str, open_to_all: bool = False
) -> ProjectFacts:
    grant = Grant(access, {"patients": None}, legal_basis="MR-004")
    return ProjectFacts(
        "modeles-rachid", "t", "p", ProjectStatus.APPROVED, 1, grant, frozenset(members), open_to_all
    )


@pytest.mark.parametrize(
    ("user", "members", "open_to_all", "is_let_in"),
    [
        ("svc-modeles-rachid", (), False, True),
        ("svc-these-ines", (), False, False),
        ("svc-these-ines", (), True, False),  # the bac à sable is for people
        ("svc-these-ines", ("svc-these-ines",), False, False),  # naming it a member gives it nothing
        ("svc-", (), False, False),
        ("SVC-modeles-rachid", ("SVC-modeles-rachid",), False, False),
        ("rachid", ("rachid",), False, True),
    ],
)
def test_a_service_belongs_to_its_own_project(user, members, open_to_all, is_let_in) -> None:
    facts = project(AccessLevel.MICRODATA, *members, open_to_all=open_to_all)
    assert (why_not(user, facts, TODAY) is None) is is_let_in


@pytest.mark.parametrize("access", AccessLevel)
def test_it_sees_aggregates_and_a_person_what_is_granted(access: AccessLevel) -> None:
    assert as_seen_by("svc-modeles-rachid", project(access)).grant.access is AccessLevel.AGGREGATE
    assert as_seen_by("rachid", project(access)) == project(access)


def test_nobody_is_compared_with_it() -> None:
    assert service_of("modeles-rachid") not in as_seen_by("svc-modeles-rachid", project()).compared
    assert is_service(service_of("x")) and not is_service("svcines")
