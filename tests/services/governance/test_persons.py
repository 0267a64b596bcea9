"""The register of persons: one login, one number, one source; and what operators type to keep it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from hub_config.cli import main
from hub_config.governance import demo
from hub_config.governance.audit import read_records
from hub_config.governance.persons import actions
from hub_config.governance.persons.facts import Link, Standing
from hub_config.governance.persons.models import Person
from hub_config.governance.problems import BadPerson, StoreProblem
from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from hub_config.warehouse.synthesis.training import PUBLISHED_INTERN

LEA = Link("lea", "mapping vendor", Standing.INTERN, 4)


def linked(store: Store, *links: Link) -> None:
    with store.change() as session:
        for each in links:
            actions.link(session, each, audit=store.recorder("admin"))


def own(store: Store, user: str, source: str) -> Link | None:
    with store.session() as session:
        return actions.own_of(session, user, source)


def test_a_number_means_something_in_its_source_only(store: Store) -> None:
    linked(store, LEA, replace(LEA, source="preset A", number=7, standing=Standing.TRAINER))
    assert own(store, "lea", "mapping vendor") == LEA
    assert own(store, "lea", "preset A") == Link("lea", "preset A", Standing.TRAINER, 7)
    assert own(store, "lea", "mapping other") is None
    assert own(store, "zoe", "mapping vendor") is None


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (replace(LEA, number=5), "linked already"),
        (replace(LEA, username="LEA", number=5), "linked already"),
        (replace(LEA, username="zoe"), "is 'lea'"),
        (replace(LEA, username="not a login"), "not a login"),
        (replace(LEA, username="svc-these-lea", number=5), "names of services"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(store: Store, wanted: Link, why: str) -> None:
    linked(store, LEA)
    with pytest.raises(BadPerson, match=why):
        linked(store, wanted)
    with store.session() as session:
        assert actions.persons(session) == [LEA]


def test_a_gp_may_share_their_number_with_themselves_as_a_trainer(store: Store) -> None:
    """The numbers of interns and of GPs are two counts."""
    linked(store, LEA, Link("zoe", "mapping vendor", Standing.PHYSICIAN, 4))
    assert own(store, "zoe", "mapping vendor") is not None


def test_whoever_is_unlinked_is_nobody_and_may_be_linked_anew(store: Store) -> None:
    linked(store, LEA)
    with store.change() as session:
        actions.unlink(session, "lea", LEA.source, audit=store.recorder("admin"))
    assert own(store, "lea", LEA.source) is None
    with pytest.raises(BadPerson, match="is not linked"), store.change() as session:
        actions.unlink(session, "lea", LEA.source, audit=store.recorder("admin"))
    linked(store, replace(LEA, username="zoe"))


def test_each_change_is_one_event_that_holds_no_number(store: Store) -> None:
    linked(store, replace(LEA, number=987_654))
    with store.change() as session:
        actions.unlink(session, "lea", LEA.source, audit=store.recorder("dora"))
    events = list(read_records(store.audit.directory, store.audit.keys))
    assert [(event.who, event.what) for event in events] == [
        ("admin", "person.link"),
        ("dora", "person.unlink"),
    ]
    assert all(event.details["user"] == "lea" for event in events)
    assert not any("987654" in str(event.details) for event in events)


def test_the_database_refuses_what_the_actions_forgot(store: Store) -> None:
    linked(store, LEA)
    with store.session() as session:
        known = session.get(Person, ("lea", LEA.source))
        assert known is not None
        moment = known.linked_at
    for wrong in (
        {"username": "zoe"},
        {"username": "zoe", "number": -1},
        {"username": "zoe", "standing": "dean"},
        {"username": "Zoe", "number": 9},
    ):
        row = {"username": "lea", "source": LEA.source, "standing": "intern", "number": 4} | wrong
        with pytest.raises(StoreProblem), store.session() as session:
            session.add(Person(**row, linked_at=moment))
            session.flush()


def test_the_demo_s_intern_is_the_published_one_and_stays_as_people_changed_it(store: Store) -> None:
    assert demo.PUBLISHED_INTERN == PUBLISHED_INTERN
    for _ in range(2):
        with store.change() as session:
            actions.ensure_demo_link(session, "preset A", audit=store.recorder("enclave"))
    assert own(store, "ines", "preset A") == Link("ines", "preset A", Standing.INTERN, PUBLISHED_INTERN)


# --- commands ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("hub_config.settings.load_settings", lambda: settings)
    return lambda *words: CliRunner().invoke(main, ["person", *words])


@pytest.fixture
def snapshot(settings: Settings, make_snapshot: Callable[..., int]) -> int:
    return make_snapshot(settings, synthetic=True)


@pytest.mark.usefixtures("snapshot")
def test_an_operator_links_lists_and_unlinks(settings: Settings, run: Callable[..., Result]) -> None:
    done = run("link", "lea", "--physician", "2")
    assert (done.exit_code, done.output) == (0, "lea is physician 2 of “test”, from the next question on.\n")
    assert run("list").output == "lea: physician 2 of “test”\n"
    assert run("unlink", "lea").exit_code == 0
    assert run("list").output.startswith("Nobody is linked yet.")
    with_store = open_store(settings)
    try:
        assert own(with_store, "lea", "test") is None
    finally:
        with_store.close()


@pytest.mark.usefixtures("snapshot")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["link", "lea"], "Give one number"),
        (["link", "lea", "--intern", "1", "--trainer", "1"], "Give one number"),
        (["link", "lea", "--physician", "3"], "has physician 3"),
        (["link", "lea", "--intern", "1"], "has intern 1"),
        (["link", "lea", "--physician", "1", "--source", "tset"], "Did you mean 'test'?"),
        (["unlink", "lea"], "is not linked"),
    ],
)
def test_a_slip_is_refused(run: Callable[..., Result], words: list[str], why: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert why in done.output


def test_without_a_snapshot_there_is_nobody_to_be(run: Callable[..., Result]) -> None:
    assert run("link", "lea", "--intern", "1").exit_code == 2
