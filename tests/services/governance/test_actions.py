"""Use cases on SQLite and PostgreSQL alike: what is stored, what is refused, what is recorded."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Event

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub_config.governance import actions, models
from hub_config.governance.audit import AuditChain, AuditFailure, read_records, verify
from hub_config.governance.audit.record import Record
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant, ProjectFacts, ProjectStatus
from hub_config.governance.problems import (
    BadGrant,
    BadProject,
    ForbiddenTransition,
    StoreProblem,
    UnknownProject,
)
from hub_config.governance.recorder import Recorder
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms

TODAY = date(2026, 5, 1)
TERMS = Terms(SnapshotTerms(1, synthetic=True, centres=frozenset({"C01"})))
GRANT = Grant(
    access=AccessLevel.AGGREGATE,
    tables={"patients": None, "diagnoses": frozenset({"patient_id", "cisp2"})},
    centres=frozenset({"C01"}),
    date_from=date(2015, 1, 1),
    date_to=date(2019, 12, 31),
    expires_on=date(2027, 6, 30),
    legal_basis="MR-004",
)
CHARTER = Charter(
    "these-lea",
    "Thèse de Léa",
    "Décrire l’INR",
    1,
    GRANT,
    {"Lea": MemberRole.INTERNE},
    policy={"min_patients": 20, "p_percent": 0.2},
)


def create(store: Store, charter: Charter = CHARTER) -> ProjectFacts:
    with store.change() as session:
        return actions.create_project(session, charter, terms=TERMS, audit=store.recorder("diane"))


def facts(store: Store, slug: str = "these-lea") -> ProjectFacts:
    with store.session() as session:
        return actions.project_facts(session, slug)


def recorded(store: Store) -> list[Record]:
    return list(read_records(store.audit.directory, store.audit.keys))


def test_a_project_is_stored_whole_and_begins_as_a_draft(store: Store) -> None:
    expected = ProjectFacts(
        slug="these-lea",
        title="Thèse de Léa",
        purpose="Décrire l’INR",
        status=ProjectStatus.DRAFT,
        snapshot=1,
        grant=GRANT,
        members=frozenset({"lea"}),
        policy={"min_patients": 20, "p_percent": 0.2},
    )
    assert create(store) == expected
    assert facts(store) == expected


def test_a_grant_of_everything_is_stored_as_such(store: Store) -> None:
    grant = Grant(AccessLevel.SANDBOX, {"patients": None}, legal_basis="MR-004")
    create(store, Charter("bac", "Bac", "Apprendre", 1, grant, open_to_all=True))
    assert facts(store, "bac").grant == grant
    assert facts(store, "bac").open_to_all


def test_a_name_is_taken_once(store: Store) -> None:
    create(store)
    with pytest.raises(BadProject, match="already a project"):
        create(store)


def test_what_breaks_the_terms_is_not_stored(store: Store) -> None:
    with pytest.raises(BadGrant, match="no centre"):
        create(store, replace(CHARTER, grant=replace(GRANT, centres=frozenset({"C09"}))))
    assert recorded(store) == []
    with pytest.raises(UnknownProject):
        facts(store)


def test_an_unknown_project_is_said_with_its_near_misses(store: Store) -> None:
    create(store)
    with pytest.raises(UnknownProject, match="Did you mean 'these-lea'"):
        facts(store, "these-leo")


def test_the_life_of_a_project(store: Store) -> None:
    create(store)
    for step, after in (
        (actions.approve, ProjectStatus.APPROVED),
        (actions.suspend, ProjectStatus.SUSPENDED),
        (actions.approve, ProjectStatus.APPROVED),
        (actions.close, ProjectStatus.CLOSED),
    ):
        with store.change() as session:
            assert step(session, "these-lea", audit=store.recorder("diane")).status is after
        assert facts(store).status is after
    with (
        pytest.raises(ForbiddenTransition, match="is for draft or suspended projects"),
        store.change() as session,
    ):
        actions.approve(session, "these-lea", audit=store.recorder("diane"))


def test_an_amended_project_waits_for_approval_again(store: Store) -> None:
    create(store)
    longer = replace(GRANT, expires_on=date(2030, 1, 1), centres=None)
    on_two = Terms(SnapshotTerms(2, synthetic=False))
    with store.change() as session:
        actions.approve(session, "these-lea", audit=store.recorder("diane"))
        actions.amend(session, "these-lea", longer, terms=on_two, audit=store.recorder("diane"))
    now = facts(store)
    assert (now.status, now.snapshot, now.grant) == (ProjectStatus.DRAFT, 2, longer)


def test_an_amendment_keeps_to_the_terms(store: Store) -> None:
    create(store)
    sandbox = replace(GRANT, access=AccessLevel.SANDBOX, centres=None)
    with pytest.raises(BadProject, match="holds real people"), store.change() as session:
        terms = Terms(SnapshotTerms(2, synthetic=False))
        actions.amend(session, "these-lea", sandbox, terms=terms, audit=store.recorder("diane"))
    assert facts(store).grant == GRANT


def test_members_come_and_go(store: Store) -> None:
    create(store)
    with store.change() as session:
        actions.add_member(
            session, "these-lea", " Rachid ", MemberRole.CHERCHEUR, audit=store.recorder("diane")
        )
    assert facts(store).members == {"lea", "rachid"}
    with store.change() as session:
        actions.remove_member(session, "these-lea", "LEA", audit=store.recorder("diane"))
    assert facts(store).members == {"rachid"}


@pytest.mark.parametrize(
    ("roles", "related"),
    [
        ([MemberRole.CHERCHEUR], {"these-lea"}),
        ([MemberRole.CHERCHEUR, MemberRole.CHERCHEUR], {"these-lea"}),
        ([MemberRole.CHERCHEUR, MemberRole.MEDECIN_DIM], {"these-lea"}),
        ([MemberRole.MEDECIN_DIM], set()),
    ],
)
def test_what_a_member_could_read_is_remembered_when_they_leave(
    store: Store, roles: list[MemberRole], related: set[str]
) -> None:
    create(store)
    create(store, replace(CHARTER, slug="these-rachid", members={"rachid": MemberRole.CHERCHEUR}))
    for role in roles:
        with store.change() as session:
            actions.add_member(session, "these-lea", "rachid", role, audit=store.recorder("diane"))
        with store.change() as session:
            actions.remove_member(session, "these-lea", "rachid", audit=store.recorder("diane"))
    assert facts(store, "these-rachid").related == related
    assert facts(store).related == set()


@pytest.mark.parametrize(("user", "said"), [("lea", "already a member"), ("a b", "can't be a user's name")])
def test_a_member_is_added_once_under_a_possible_name(store: Store, user: str, said: str) -> None:
    create(store)
    with pytest.raises(BadProject, match=said), store.change() as session:
        actions.add_member(session, "these-lea", user, MemberRole.DMG, audit=store.recorder("diane"))


def test_who_is_no_member_can_not_be_removed(store: Store) -> None:
    create(store)
    with pytest.raises(BadProject, match="not a member"), store.change() as session:
        actions.remove_member(session, "these-lea", "zoe", audit=store.recorder("diane"))


def test_a_person_sees_their_projects_and_the_open_ones(store: Store) -> None:
    create(store)
    create(store, replace(CHARTER, slug="autre", members={"rachid": MemberRole.CHERCHEUR}))
    sandbox = Grant(AccessLevel.SANDBOX, {"patients": None}, legal_basis="MR-004")
    create(store, Charter("bac", "Bac", "Apprendre", 1, sandbox, open_to_all=True))
    with store.session() as session:
        seen = {
            user: [p.slug for p in actions.projects_of(session, user)] for user in ("lea", "rachid", "zoe")
        }
        assert seen == {"lea": ["bac", "these-lea"], "rachid": ["autre", "bac"], "zoe": ["bac"]}
        assert [p.slug for p in actions.all_projects(session)] == ["autre", "bac", "these-lea"]


def test_the_demo_is_made_once_and_left_as_people_changed_it(store: Store) -> None:
    made = []
    for _ in range(2):
        with store.session() as session:
            made.append(actions.ensure_demo(session, 1, synthetic=True, audit=store.recorder("enclave")))
        with store.change() as session:
            if facts(store, "these-ines").status is ProjectStatus.APPROVED:
                actions.suspend(session, "these-ines", audit=store.recorder("diane"))
    assert made == [["these-ines", "modeles-rachid", "bac-a-sable"], []]
    assert facts(store, "these-ines").status is ProjectStatus.SUSPENDED
    assert facts(store, "bac-a-sable").status is ProjectStatus.APPROVED


def test_the_demo_is_refused_on_real_people(store: Store) -> None:
    with pytest.raises(BadProject, match="synthetic"), store.session() as session:
        actions.ensure_demo(session, 1, synthetic=False, audit=store.recorder("enclave"))
    with store.session() as session:
        assert actions.all_projects(session) == []


# the audit event of every change

CHANGES = [
    name
    for name, function in inspect.getmembers(actions, inspect.isfunction)
    if function.__module__ == actions.__name__
    and not name.startswith("_")
    and "session" in inspect.signature(function).parameters
    and name not in {"project_facts", "all_projects", "projects_of", "memberships"}
]


@pytest.mark.parametrize("name", CHANGES)
def test_no_change_can_be_asked_for_without_a_recorder(name: str) -> None:
    function = getattr(actions, name)
    audit = inspect.signature(function).parameters["audit"]
    assert typing.get_type_hints(function)["audit"] is Recorder
    assert audit.kind is inspect.Parameter.KEYWORD_ONLY
    assert audit.default is inspect.Parameter.empty


def each_change(session: Session, audit: Recorder) -> dict[str, Callable[[], object]]:
    grant = replace(GRANT, centres=None)
    return {
        "create_project": lambda: actions.create_project(session, CHARTER, terms=TERMS, audit=audit),
        "approve": lambda: actions.approve(session, "these-lea", audit=audit),
        "suspend": lambda: actions.suspend(session, "these-lea", audit=audit),
        "amend": lambda: actions.amend(session, "these-lea", grant, terms=TERMS, audit=audit),
        "rewrite": lambda: actions.rewrite(session, CHARTER, terms=TERMS, audit=audit),
        "add_member": lambda: actions.add_member(session, "these-lea", "zoe", MemberRole.DMG, audit=audit),
        "remove_member": lambda: actions.remove_member(session, "these-lea", "zoe", audit=audit),
        "close": lambda: actions.close(session, "these-lea", audit=audit),
    }


def test_every_change_is_one_event_in_the_name_of_who_made_it(store: Store) -> None:
    assert set(each_change(typing.cast(Session, None), store.recorder("diane"))) == set(CHANGES) - {
        "ensure_demo"
    }
    for name in each_change(typing.cast(Session, None), store.recorder("diane")):
        before = len(recorded(store))
        with store.change() as session:
            each_change(session, store.recorder("diane"))[name]()
        (event,) = recorded(store)[before:]
        assert (event.who, event.decision) == ("diane", "allowed")
        assert event.project == "these-lea"
    assert verify(store.audit.directory, store.audit.keys).intact


def test_without_its_event_no_change_is_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    create(store)

    def no_space(_chain: AuditChain, _event: object) -> str:
        raise AuditFailure("the disk is full")

    monkeypatch.setattr(AuditChain, "append", no_space)
    with pytest.raises(AuditFailure), store.change() as session:
        actions.approve(session, "these-lea", audit=store.recorder("diane"))
    assert facts(store).status is ProjectStatus.DRAFT


def test_a_change_that_comes_to_nothing_is_undone_in_the_log_too(store: Store) -> None:
    create(store)
    with pytest.raises(RuntimeError, match="after the event"), store.change() as session:
        actions.approve(session, "these-lea", audit=store.recorder("diane"))
        raise RuntimeError("after the event")
    approval, undone = recorded(store)[-2:]
    assert (approval.what, undone.what, undone.decision) == ("project.approve", "audit.undone", "failed")
    assert undone.details == {"event": approval.hash}
    assert facts(store).status is ProjectStatus.DRAFT


def test_what_only_the_database_refuses_is_neither_stored_nor_recorded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "check", lambda _charter, _terms: None)
    with pytest.raises(StoreProblem, match="a rule forbids it"):
        create(store, replace(CHARTER, policy={"min_patients": 1}))
    assert recorded(store) == []


def test_of_two_operators_at_once_the_second_is_told(store: Store) -> None:
    create(store)
    with pytest.raises(StoreProblem, match="retry"), store.session() as slow:
        row = slow.scalar(select(models.Project))
        assert row is not None
        with store.session() as quick:
            actions.approve(quick, "these-lea", audit=store.recorder("denis"))
        actions.close(slow, "these-lea", audit=store.recorder("diane"))
    assert facts(store).status is ProjectStatus.APPROVED


def test_of_two_changes_at_once_the_second_waits_and_sees_the_first(store: Store) -> None:
    create(store)
    began, other = Event(), Event()

    def add_slowly() -> None:
        with store.change() as session:
            actions.project_facts(session, "these-lea")
            began.set()
            other.wait(0.3)
            actions.add_member(session, "these-lea", "slow", MemberRole.DMG, audit=store.recorder("diane"))

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(add_slowly)
        assert began.wait(60)
        with store.change() as session:
            actions.add_member(session, "these-lea", "quick", MemberRole.DMG, audit=store.recorder("denis"))
        other.set()
        slow.result(timeout=60)
    assert facts(store).members == {"lea", "slow", "quick"}
