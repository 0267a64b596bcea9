"""The ledger on disk: whom an answer is compared for, what is kept, what a damaged one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.earlier.definitions import number_of, words
from hub_config.gateway.rules.memory import Asker, Known, Proposal, Settled, Settlement
from hub_config.governance import actions
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.ledger import group
from hub_config.governance.ledger.checking import check_ledger
from hub_config.governance.ledger.group import CorruptGroup, decode, encode
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.problems import BadProject
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import Settings
from p4dp_sdk.disclosure.policy import Method, Policy
from p4dp_sdk.wire.errors import ErrorCode, Refusal
from tests.unit.gateway_rules.people import PHYSICIANS, POLICY, People, steady

SHOWN, SNAPPED, WITHHELD = Settlement
PEOPLE = People()
LEA = Asker("these-lea", frozenset({"lea"}), "lea", 1, "r-1")
MARC = Asker("these-marc", frozenset({"marc"}), "marc", 1, "r-2")


def gateway(store: Store) -> Ledger:
    """A gateway's ledger that has read nothing yet."""
    return Ledger(LedgerStore(store), steady)


def ask(
    ledger: Ledger,
    asker: Asker,
    *cells: Iterable[int],
    exact: bool = False,
    policy: Policy = POLICY,
    **changes: Any,
) -> tuple[list[float], list[int]]:
    (settled,) = ledger.settle(asker, (PEOPLE.batch(*cells, **changes),), policy, exact=exact)
    return settled.values.tolist(), settled.settlements.tolist()


# --- memory ------------------------------------------------------------------------------------------------


def test_another_gateway_and_a_restarted_one_know_what_was_shown(store: Store) -> None:
    one, other = gateway(store), gateway(store)
    first, _ = ask(one, LEA, range(40))
    assert ask(other, LEA, range(1, 40)) == (first, [SNAPPED])
    assert ask(gateway(store), LEA, range(2, 40)) == (first, [SNAPPED])
    second, _ = ask(other, LEA, range(500, 560))
    assert ask(one, LEA, range(500, 559)) == (second, [SNAPPED])


def test_what_is_shown_again_is_kept_once(store: Store) -> None:
    ledger = gateway(store)
    for _ in range(5):
        ask(ledger, LEA, range(40), range(40, 100), range(100, 105))
    with store.session() as session:
        groups = session.execute(text("SELECT count(*) FROM ledger_groups")).scalar()
        answers = session.execute(text("SELECT count(*) FROM ledger_answers")).scalar()
    assert (groups, answers) == (1, 5)


def test_a_group_comes_back_from_its_bytes_as_it_was(store: Store) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40), {1: 3, 2: 4}, range(40, 400), keys=[[0, 0, 1], [5, 7, 5]])
    with store.session() as session:
        content = session.execute(text("SELECT content FROM ledger_groups")).scalar_one()
    read = decode(bytes(content))
    assert encode(read) == bytes(content)
    assert (read.family, len(read), read.keys.tolist()) == ("count", 2, [[0, 1], [0, 0]])
    for damaged in (content[:-1], content[:40] + b"x" + content[41:], b""):
        with pytest.raises(CorruptGroup):
            decode(bytes(damaged))


@pytest.mark.parametrize("columns", [10, 12])
def test_a_group_of_before_is_read_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Without definitions, or without counts by GP: nothing is made up for them."""
    ask(gateway(store), LEA, range(40), range(40, 400))
    with store.session() as session:
        kept = decode(bytes(session.execute(text("SELECT content FROM ledger_groups")).scalar_one()))
    with monkeypatch.context() as patched:
        patched.setattr(group, "_COLUMNS", group._COLUMNS[:columns])
        old = encode(kept)
    read = decode(old)
    assert kept.counted and kept.counts.sum() == 400
    assert not read.counted and not read.counts.any() and read.counts.shape == (2, 32)
    assert np.array_equal(read.by_physician, kept.by_physician)


def test_an_answer_without_measures_is_an_answer(store: Store) -> None:
    assert gateway(store).settle(LEA, (), POLICY) == ()
    assert ask(gateway(store), LEA, range(40))[1] == [SHOWN]


# --- the same draft again ----------------------------------------------------------------------------------


def asked_again(ledger: Ledger, asker: Asker, *cells: Iterable[int], **changes: Any) -> Settled:
    """As one question: its cells have the same definitions whoever is in them."""
    said = words(range(1, len(cells) + 1))
    (settled,) = ledger.settle(asker, (PEOPLE.batch(*cells, definitions=said, **changes),), POLICY)
    return settled


def test_a_draft_is_given_again_with_its_date_after_a_practice_withdrew(store: Store) -> None:
    """By any gateway, now and after a restart."""
    days = iter(datetime(2026, 1, day, 9, tzinfo=UTC) for day in (5, 6, 7))
    shown = []
    for people in (range(800), *[[person for person in range(800) if person % PHYSICIANS != 3]] * 2):
        ledger = Ledger(LedgerStore(store, lambda: next(days)), steady)
        shown.append(asked_again(ledger, LEA, people))
    first, *later = shown
    assert (first.settlements.tolist(), np.isnat(first.dates).tolist()) == ([SHOWN], [True])
    for now in later:
        assert (now.values.tolist(), now.settlements.tolist()) == (first.values.tolist(), [SNAPPED])
        assert now.dates.tolist() == [datetime(2026, 1, 5, 9)]


def test_whom_it_was_not_shown_to_it_is_not_given_again(store: Store) -> None:
    """Marc, who knows of it by nothing, is answered anew; in a project that Léa belongs to as well it is what
    one practice tells from an answer that she saw."""
    ledger = gateway(store)
    asked_again(ledger, LEA, range(800))
    left = [person for person in range(800) if person % PHYSICIANS != 3]
    assert asked_again(ledger, MARC, left).settlements.tolist() == [SHOWN]
    both = replace(MARC, project="these-deux", members=frozenset({"lea"}), user="lea")
    assert asked_again(ledger, both, left).settlements.tolist() == [WITHHELD]


def test_publications_do_not_know_drafts_by_their_definitions(store: Store) -> None:
    """Nor drafts publications: each is looked for among its own."""
    ledger, defined = gateway(store), words([1])
    asked_again(ledger, LEA, range(800))
    assert ledger.again(frozenset({number_of(defined[0])})) is None
    ask(ledger, LEA, range(2000, 2800), exact=True, definitions=defined)
    again = ledger.again(frozenset({number_of(defined[0])}))
    assert again is not None
    left = [person for person in range(2000, 2800) if person % PHYSICIANS != 3]
    assert asked_again(ledger, LEA, left).settlements.tolist() == [WITHHELD]


# --- scope -------------------------------------------------------------------------------------------------


def test_projects_without_a_common_member_do_not_meet(store: Store) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40))
    assert ask(ledger, MARC, range(1, 40))[1] == [SHOWN]


def test_a_member_of_two_projects_brings_what_they_were_shown(store: Store) -> None:
    ledger = gateway(store)
    first, _ = ask(ledger, LEA, range(40))
    both = replace(MARC, members=frozenset({"marc", "lea"}))
    assert ask(ledger, both, range(1, 40)) == (first, [SNAPPED])


def test_the_project_keeps_what_it_was_shown_when_its_members_change(store: Store) -> None:
    ledger = gateway(store)
    first, _ = ask(ledger, LEA, range(40))
    assert ask(ledger, replace(LEA, members=frozenset({"zoe"})), range(1, 40)) == (first, [SNAPPED])


def test_somebody_who_left_keeps_what_they_saw_and_no_more(store: Store) -> None:
    ledger = gateway(store)
    two = replace(LEA, members=frozenset({"lea", "marc"}))
    first, _ = ask(ledger, two, range(40))
    ask(ledger, LEA, range(500, 560))  # marc has left
    assert ask(ledger, MARC, range(1, 40)) == (first, [SNAPPED])
    assert ask(ledger, MARC, range(501, 560))[1] == [SHOWN]


def test_what_is_shown_again_to_somebody_who_joined_is_theirs_too(store: Store) -> None:
    ledger = gateway(store)
    first, _ = ask(ledger, LEA, range(40))
    assert ask(ledger, replace(LEA, members=frozenset({"lea", "marc"})), range(40)) == (first, [SNAPPED])
    assert ask(ledger, MARC, range(1, 40)) == (first, [SNAPPED])


def test_publications_are_compared_with_everybody(store: Store) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40), exact=True, values=np.array([40.0]))
    assert ask(ledger, MARC, range(1, 40)) == ([40.0], [SNAPPED])


# --- publication -------------------------------------------------------------------------------------------


def test_a_publication_is_settled_as_proposed(store: Store) -> None:
    ledger = gateway(store)
    hidden = np.array([Proposal.SHOW, Proposal.WITHHOLD], np.int8)
    cells = (range(40), range(40, 60), range(1, 40))
    words = PEOPLE.defined(*cells)
    settled = ask(ledger, LEA, *cells[:2], exact=True, proposals=hidden, definitions=words[:2])
    assert settled[1] == [SHOWN, WITHHELD]
    (known,) = gateway(store).known(MARC, (PEOPLE.batch(*cells, definitions=words),), POLICY)
    assert known.tolist() == [Known.SHOWN, Known.WITHHELD, Known.WITHHELD]
    again = gateway(store).again(frozenset(map(number_of, words[:2])))
    assert again is not None and np.array_equal(sorted(again.values.values()), settled[0], equal_nan=True)
    assert gateway(store).again(frozenset(map(number_of, words))) is None


def test_a_publication_that_clashes_is_not_recorded(store: Store) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40), exact=True)
    assert ask(ledger, MARC, range(1, 40), range(300, 360), exact=True)[1] == [WITHHELD, SHOWN]
    (known,) = ledger.known(MARC, (PEOPLE.batch(range(300, 360)),), POLICY)
    assert known.tolist() == [Known.NEW]


# --- one method --------------------------------------------------------------------------------------------


def test_a_project_keeps_the_method_of_its_first_answer(store: Store) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40))
    with pytest.raises(Refusal) as refused:
        ask(ledger, LEA, range(500, 560), policy=Policy(method=Method.ROUNDING))
    assert refused.value.code is ErrorCode.PROJECT_NOT_ACTIVE
    assert "cell-key" in str(refused.value.params["status"])
    assert ask(ledger, LEA, range(1, 40))[1] == [SNAPPED]


def test_and_can_not_be_given_another(store: Store) -> None:
    terms = Terms(SnapshotTerms(1, synthetic=True))
    grant = Grant(AccessLevel.AGGREGATE, {"patients": None}, legal_basis="MR-004")
    charter = Charter("these-lea", "t", "p", 1, grant, {"lea": MemberRole.INTERNE})
    recorder = store.recorder("admin")
    with store.change() as session:
        actions.create_project(session, charter, terms=terms, audit=recorder)
        actions.amend(session, "these-lea", grant, terms=terms, audit=recorder, policy={"method": "rounding"})
    ask(gateway(store), LEA, range(40), policy=Policy(method=Method.ROUNDING))
    with pytest.raises(BadProject, match="answered by rounding"), store.change() as session:
        actions.amend(session, "these-lea", grant, terms=terms, audit=recorder, policy={})
    with store.change() as session:
        facts = actions.amend(session, "these-lea", grant, terms=terms, audit=recorder)
    assert facts.policy == {"method": "rounding"}


# --- damage ------------------------------------------------------------------------------------------------

DAMAGE: dict[str, Callable[[Store], None]] = {}


def damage(name: str) -> Callable[[Callable[[Store], None]], Callable[[Store], None]]:
    def named(how: Callable[[Store], None]) -> Callable[[Store], None]:
        DAMAGE[name] = how
        return how

    return named


def run(store: Store, statement: str, **values: object) -> None:
    with store.change() as session:
        session.execute(text(statement), values)


@damage("a flipped byte")
def _(store: Store) -> None:
    with store.session() as session:
        content = bytearray(
            session.execute(text("SELECT content FROM ledger_groups WHERE id = 1")).scalar_one()
        )
    content[len(content) // 2] ^= 1
    run(store, "UPDATE ledger_groups SET content = :content WHERE id = 1", content=bytes(content))


@damage("a group that is not there")
def _(store: Store) -> None:
    run(store, "DELETE FROM ledger_parts WHERE group_id = 1")
    run(store, "DELETE FROM ledger_groups WHERE id = 1")


@damage("an answer that is not there")
def _(store: Store) -> None:
    for table, column in (("parts", "answer"), ("audiences", "answer"), ("answers", "number")):
        run(store, f"DELETE FROM ledger_{table} WHERE {column} = 1")


@damage("the newest answer not there")
def _(store: Store) -> None:
    for table, column in (("parts", "answer"), ("audiences", "answer"), ("answers", "number")):
        run(store, f"DELETE FROM ledger_{table} WHERE {column} = 2")


@damage("somebody taken out of an audience")
def _(store: Store) -> None:
    run(store, "DELETE FROM ledger_audiences WHERE answer = 1")


@damage("an answer of another project")
def _(store: Store) -> None:
    run(store, "UPDATE ledger_answers SET project = 'these-zoe' WHERE number = 1")


@damage("an answer that names another group")
def _(store: Store) -> None:
    run(store, "UPDATE ledger_parts SET group_id = 2 WHERE answer = 1")


@damage("other counts")
def _(store: Store) -> None:
    run(store, "UPDATE ledger_parts SET withheld = 7 WHERE answer = 1")


@damage("no head")
def _(store: Store) -> None:
    run(store, "DELETE FROM ledger_head")


@damage("a head of an older day")
def _(store: Store) -> None:
    run(store, "UPDATE ledger_head SET answers = 1")


@damage("no table")
def _(store: Store) -> None:
    run(store, "DROP TABLE ledger_parts")


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_ledger_answers_nothing(store: Store, how: str) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40))
    ask(ledger, LEA, range(500, 560))
    assert check_ledger(store).damage is None
    DAMAGE[how](store)
    with pytest.raises(Refusal) as refused:
        ask(gateway(store), LEA, range(1, 40))
    assert refused.value.code is ErrorCode.LEDGER_FAILED
    assert refused.value.params == {}
    if how != "no table":
        assert "The ledger is damaged" in str(check_ledger(store).damage)


def test_a_gateway_that_runs_notices_what_went_missing(store: Store) -> None:
    ledger = gateway(store)
    ask(ledger, LEA, range(40))
    run(store, "UPDATE ledger_head SET answers = 0, link = :link", link=bytes(32))
    with pytest.raises(Refusal) as refused:
        ask(ledger, LEA, range(1, 40))
    assert refused.value.code is ErrorCode.LEDGER_FAILED


def test_a_failure_is_forgotten_once_it_is_repaired(store: Store) -> None:
    ledger = gateway(store)
    first, _ = ask(ledger, LEA, range(40))
    run(store, "UPDATE ledger_head SET answers = 7")
    with pytest.raises(Refusal):
        ask(ledger, LEA, range(1, 40))
    run(store, "UPDATE ledger_head SET answers = 1")
    assert ask(ledger, LEA, range(1, 40)) == (first, [SNAPPED])


# --- several gateways --------------------------------------------------------------------------------------


def test_gateways_that_answer_at_once_agree(settings: Settings) -> None:
    """Eight cells that differ by one person each, asked through four gateways at the same moment: whoever is
    first, all show one value."""
    stores = [open_store(settings) for _ in range(4)]
    gateways = [gateway(store) for store in stores]
    barrier, shown, failed = threading.Barrier(8), [], []

    def work(number: int) -> None:
        barrier.wait()
        try:
            asker = replace(LEA, request_id=f"r-{number}")
            shown.append(ask(gateways[number % 4], asker, range(number % 2, 60 + number // 2)))
        except BaseException as error:  # a thread's failure must reach the test
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({values[0] for values, _ in shown}) == 1
    assert sorted(how[0] for _, how in shown) == [SHOWN] + [SNAPPED] * 7
    assert check_ledger(stores[0]).answers == 8
    for store in stores:
        store.close()


def test_what_another_gateway_wrote_before_the_lock_is_decided_upon(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race itself, made to happen: the other writes between this one's decision and its lock."""
    one, other = gateway(store), gateway(store)
    appending, given = LedgerStore.appending, []

    def late(self: LedgerStore) -> object:
        if not given:
            given.append(None)
            given.append(ask(other, LEA, range(1, 40)))
        return appending(self)

    monkeypatch.setattr(LedgerStore, "appending", late)
    values, how = ask(one, LEA, range(40))
    assert how == [SNAPPED]
    assert given[1] == (values, [SHOWN])
