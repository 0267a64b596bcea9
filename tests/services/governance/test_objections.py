"""Objections by numbering and scope: what is stored, honoured, widened and lifted; on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from hub_config.governance.audit import read_records
from hub_config.governance.audit.record import Record
from hub_config.governance.facts import Objectors
from hub_config.governance.objections.actions import add_objection, lift, objections, objectors
from hub_config.governance.objections.facts import EVERY_NUMBERING, ObjectionScope, Subject
from hub_config.governance.problems import BadProject
from hub_config.governance.store import Store

TODAY = date(2026, 5, 1)
HERE, ELSEWHERE = "registered", "preset A"


def add(store: Store, *, on: date = TODAY, **said: object) -> bool:
    with store.change() as session:
        return add_objection(session, on=on, audit=store.recorder("dora"), **{"numbering": HERE, **said})  # type: ignore[arg-type]


def among(store: Store, numbering: str = HERE) -> Objectors:
    with store.session() as session:
        return objectors(session, numbering)


def lifted(store: Store, objection: int, reason: str = "recorded by error", on: date = TODAY) -> None:
    with store.change() as session:
        lift(session, objection, reason=reason, on=on, audit=store.recorder("dora"))


def recorded(store: Store) -> list[Record]:
    return list(read_records(store.audit.directory, store.audit.keys))


def test_objections_are_honoured_at_once_and_recorded_once(store: Store) -> None:
    said = [({"patient_no": 7}, True), ({"patient_no": 0}, True), ({"physician_no": 7}, True)]
    for number, new in [*said, ({"patient_no": 7}, False)]:
        assert add(store, **number) is new
    assert among(store) == Objectors(frozenset({0, 7}), frozenset({7}))
    with store.session() as session:
        assert [(each.subject.value[:2], each.number) for each in objections(session)] == [
            ("pa", 7),
            ("pa", 0),
            ("ph", 7),
        ]


def test_a_number_is_one_person_within_its_numbering_only(store: Store) -> None:
    add(store, patient_no=42)
    add(store, physician_no=3, numbering=ELSEWHERE)
    assert among(store, HERE) == Objectors(patients=frozenset({42}))
    assert among(store, ELSEWHERE) == Objectors(physicians=frozenset({3}))
    assert add(store, patient_no=42, numbering=ELSEWHERE), "the other 42 is somebody else"


def test_what_was_recorded_before_numberings_holds_in_all(store: Store) -> None:
    add(store, patient_no=42, numbering=EVERY_NUMBERING)
    assert among(store, HERE) == among(store, ELSEWHERE) == Objectors(patients=frozenset({42}))


def test_the_future_is_widened_to_all_and_all_to_nothing(store: Store) -> None:
    add(store, patient_no=7, scope=ObjectionScope.FUTURE)
    assert among(store) == Objectors(patients_until={7: TODAY})
    assert not add(store, patient_no=7, scope=ObjectionScope.FUTURE, on=TODAY + timedelta(days=9))
    assert among(store).patients_until == {7: TODAY}, "the first day counts"
    assert add(store, patient_no=7, scope=ObjectionScope.ALL)
    assert among(store) == Objectors(patients=frozenset({7}))
    assert not add(store, patient_no=7, scope=ObjectionScope.FUTURE)
    assert among(store) == Objectors(patients=frozenset({7})), "never back"


def test_of_two_objections_the_wider_holds(store: Store) -> None:
    for subject in ("patient_no", "physician_no"):
        add(store, **{subject: 7}, scope=ObjectionScope.FUTURE, numbering=HERE)
        add(store, **{subject: 7}, scope=ObjectionScope.ALL, numbering=EVERY_NUMBERING)
        add(store, **{subject: 8}, scope=ObjectionScope.FUTURE, numbering=HERE, on=TODAY + timedelta(days=3))
        add(store, **{subject: 8}, scope=ObjectionScope.FUTURE, numbering=EVERY_NUMBERING)
    assert among(store) == Objectors(frozenset({7}), frozenset({7}), {8: TODAY}, {8: TODAY})


def test_one_that_is_lifted_holds_no_more_and_may_be_made_again(store: Store) -> None:
    add(store, patient_no=7)
    lifted(store, 1)
    assert among(store) == Objectors()
    assert add(store, patient_no=7, scope=ObjectionScope.FUTURE)
    assert among(store) == Objectors(patients_until={7: TODAY})
    with store.session() as session:
        assert [each.holds for each in objections(session)] == [False, True]


@pytest.mark.parametrize(
    ("objection", "reason", "said"),
    [(2, "error", "not in force"), (1, " ", "why it is lifted"), (1, "x" * 401, "400 signs")],
)
def test_lifting_needs_an_objection_and_a_reason(
    store: Store, objection: int, reason: str, said: str
) -> None:
    add(store, patient_no=7)
    with pytest.raises(BadProject, match=said):
        lifted(store, objection, reason)
    assert among(store) == Objectors(patients=frozenset({7}))


def test_one_is_lifted_once(store: Store) -> None:
    add(store, patient_no=7)
    lifted(store, 1)
    with pytest.raises(BadProject, match="not in force"):
        lifted(store, 1)


@pytest.mark.parametrize("numbers", [{}, {"patient_no": 1, "physician_no": 1}])
def test_an_objection_is_of_one(store: Store, numbers: dict[str, int]) -> None:
    with pytest.raises(BadProject, match="give one number"):
        add(store, **numbers)


def test_each_change_is_one_event_that_does_not_say_who_objected(store: Store) -> None:
    add(store, patient_no=424_242)
    lifted(store, 1)
    added, undone = recorded(store)
    assert added.details == {"of": "patient", "scope": "all", "new": True}
    assert (undone.what, undone.details["reason"]) == ("objection.lift", "recorded by error")
    assert "424242" not in "".join(record.line.decode() for record in (added, undone))


def test_objections_of_before_are_kept_when_the_schema_moves_on(store: Store) -> None:
    """They hold in every numbering, since it is not known which was meant."""
    from alembic import command

    from hub_config.governance import migrating

    add(store, patient_no=42, numbering=HERE)
    with store.engine.connect().execution_options(p4dp_writes=True) as connection, connection.begin():
        command.downgrade(migrating._config(connection), "0011")
        assert connection.execute(text("SELECT patient_no FROM objections")).scalars().all() == [42]
    migrating.migrate(store.engine)
    assert among(store, ELSEWHERE) == among(store, HERE) == Objectors(patients=frozenset({42}))
    with store.session() as session:
        (kept,) = objections(session)
    assert (kept.subject, kept.numbering) == (Subject.PATIENT, EVERY_NUMBERING)
