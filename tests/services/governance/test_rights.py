"""Objections with their receipts, and practices that come and go; on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hub_config.governance import actions as governance
from hub_config.governance.audit import read_records
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.objections import actions as objections
from hub_config.governance.objections.facts import Subject
from hub_config.governance.problems import StoreProblem
from hub_config.governance.rights import actions, erasures
from hub_config.governance.rights.actions import BadRight
from hub_config.governance.rights.facts import Practice, PracticeState, Receipt
from hub_config.governance.rights.models import ObjectionReceipt
from hub_config.governance.store import Store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = AT.date()


def objected(store: Store, number: int = 987_654, subject: Subject = Subject.PATIENT, **said: str) -> Receipt:
    with store.change() as session:
        return actions.record_objection(
            session,
            subject,
            number,
            numbering="preset A",
            source="preset A",
            reference=said.get("reference", ""),
            at=AT,
            audit=store.recorder("alix"),
        )


def entered(store: Store, reference: str = "CAB-12") -> Practice:
    with store.change() as session:
        return actions.enter(
            session, reference, source="preset A", software="AxiSanté", on=DAY, audit=store.recorder("alix")
        )


def test_the_next_question_no_longer_sees_whoever_objected(store: Store) -> None:
    receipt = objected(store)
    with store.session() as session:
        assert objections.objectors(session, "preset A").patients == {987_654}
    assert receipt.new and receipt.effective_at is None


def test_a_receipt_takes_effect_once_after_it_was_recorded(store: Store) -> None:
    receipt = objected(store)
    for late in (timedelta(seconds=-5), timedelta(seconds=2), timedelta(days=1)):
        with store.change() as session:
            confirmed = actions.confirm(session, receipt.id, at=AT + late)
        assert confirmed.effective_at == AT, "never before it was recorded; the first to confirm counts"


def test_whoever_objected_before_gets_a_receipt_that_says_so(store: Store) -> None:
    objected(store)
    again = objected(store)
    assert not again.new
    with store.session() as session:
        assert len(actions.receipts(session)) == 2
        assert len(objections.objections(session)) == 1


def test_the_log_holds_the_receipt_and_nobody_s_number(store: Store, settings: Settings) -> None:
    receipt = objected(store, reference="courrier-2026-14")
    records = list(read_records(settings.audit_dir, settings.keys_dir))
    assert [record.what for record in records] == ["objection.add", "participation.objection"]
    assert records[1].hash == receipt.event and records[1].details["receipt"] == receipt.id
    assert "987654" not in "".join(record.line.decode() for record in records)
    assert "987654" not in repr(receipt)


@pytest.mark.parametrize("reference", ["Mme Dupont, née en 1950", "1 84 12 76 451 089", "x" * 41, "<b>"])
def test_a_reference_is_no_name_and_no_nir(store: Store, reference: str) -> None:
    with pytest.raises(BadRight, match="reference"):
        objected(store, reference=reference)


def test_a_refused_objection_leaves_nothing(store: Store) -> None:
    with pytest.raises(BadRight):
        objected(store, reference="<b>")
    with store.session() as session:
        assert objections.objections(session) == []


def test_a_practice_enters_changes_software_and_leaves(store: Store, settings: Settings) -> None:
    entered(store)
    with store.change() as session:
        actions.change_software(
            session, "CAB-12", software="Weda", on=DAY + timedelta(days=3), audit=store.recorder("alix")
        )
    with store.change() as session:
        receipt = actions.leave(
            session,
            "CAB-12",
            7,
            numbering="preset A",
            source="preset A",
            at=AT + timedelta(days=9),
            audit=store.recorder("alix"),
        )
    with store.session() as session:
        (practice,) = actions.practices(session)
        assert (practice.state, practice.software) == (PracticeState.LEFT, "Weda")
        assert practice.receipt == receipt.id
        assert objections.objectors(session, "preset A").physicians == {7}
    events = [record.what for record in read_records(settings.audit_dir, settings.keys_dir)]
    assert events[-1] == "participation.leave" and "objection.add" in events


def test_who_left_can_not_leave_or_change_again(store: Store) -> None:
    entered(store)
    for end in range(2):
        with pytest.raises(BadRight, match="left") if end else _nothing(), store.change() as session:
            actions.leave(
                session,
                "CAB-12",
                7,
                numbering="preset A",
                source="preset A",
                at=AT,
                audit=store.recorder("alix"),
            )
    with pytest.raises(BadRight, match="known-practice"):
        entered(store)


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_a_change_of_software_follows_the_one_before(store: Store) -> None:
    entered(store)
    with pytest.raises(BadRight, match="before"), store.change() as session:
        actions.change_software(
            session, "CAB-12", software="Weda", on=date(2020, 1, 1), audit=store.recorder("alix")
        )


@pytest.mark.parametrize(
    "broken",
    [
        {"subject": "somebody"},
        {"event": "short"},
        {"effective_at": AT - timedelta(days=1)},
        {"objection": 999},
    ],
)
def test_the_database_itself_refuses(store: Store, broken: dict[str, object]) -> None:
    objected(store)
    with pytest.raises(StoreProblem), store.change() as session:
        said = {
            "id": "R-x",
            "objection": 1,
            "subject": "patient",
            "source": "s",
            "reference": "",
            "recorded_by": "alix",
            "recorded_at": AT,
            "event": "0" * 64,
            "new": True,
        }
        session.add(ObjectionReceipt(**{**said, **broken}))


# --- copies to erase ----------------------------------------------------------------------------------------


def test_a_holder_is_asked_once_and_answers_once(store: Store, settings: Settings) -> None:
    found_project(store)
    receipt, later = objected(store), AT + timedelta(hours=1)
    holders = [("these-lea", "rachid"), ("these-lea", "ines")]
    for asked, new in ((holders[:1], 1), (holders, 1), (holders, 0)):
        with store.change() as session:
            assert erasures.ask(session, receipt.id, asked, at=later, audit=store.recorder("dora")) == new
    with store.change() as session:
        done = erasures.acknowledge(
            session, receipt.id, "these-lea", "rachid", at=AT, audit=store.recorder("rachid")
        )
    assert (done.done_by, done.done_at) == ("rachid", later), "not before it was asked for"
    for person, why in (("rachid", "erased"), ("zoe", "no-erasure")):
        with pytest.raises(BadRight, match=why), store.change() as session:
            erasures.acknowledge(
                session, receipt.id, "these-lea", person, at=later, audit=store.recorder(person)
            )
    with store.session() as session:
        assert [each.username for each in erasures.of_receipt(session, receipt.id)] == ["ines", "rachid"]
        (own,) = erasures.of_person(session, "ines")
    assert (own.held_until, own.asked_by, own.done_at) == (AT, "dora", None)
    log = "".join(record.line.decode() for record in read_records(settings.audit_dir, settings.keys_dir))
    assert "987654" not in log


def found_project(store: Store) -> None:
    grant = Grant(access=AccessLevel.MICRODATA, tables={"patients": None}, legal_basis="MR-004")
    charter = Charter("these-lea", "Thèse de Léa", "p", 1, grant, {"rachid": MemberRole.CHERCHEUR})
    with store.change() as session:
        governance.create_project(
            session, charter, terms=Terms(SnapshotTerms(1, True)), audit=store.recorder("admin")
        )
