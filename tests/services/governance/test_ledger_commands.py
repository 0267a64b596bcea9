"""`p4dp-enclave ledger` as a DPO types it: counts, no value of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from hub_config.cli import main
from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.memory import Asker
from hub_config.governance import actions
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms
from hub_config.settings import load_settings
from tests.unit.gateway_rules.people import POLICY, People, steady

PEOPLE = People()
LEA = Asker("these-lea", frozenset({"lea"}), "lea", 1, "r-1")
GRANT = Grant(AccessLevel.AGGREGATE, {"patients": None}, legal_basis="MR-004")


def typed(*words: str, ends: int = 0) -> Result:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == ends, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def enclave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("P4DP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "110")
    for name in ("P4DP_CONFIG", "P4DP_PORT", "P4DP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    store = open_store(load_settings())
    members = {"lea": MemberRole.INTERNE, "diane": MemberRole.MEDECIN_DIM}
    charter = Charter("these-lea", "t", "p", 1, GRANT, members)
    with store.change() as session:
        recorder = store.recorder("admin")
        actions.create_project(session, charter, terms=Terms(SnapshotTerms(1, True)), audit=recorder)
    yield store
    store.close()


def answered(store: Store) -> None:
    days = iter([datetime(2026, 5, 1, 9, tzinfo=UTC), datetime(2026, 5, 1, 10, tzinfo=UTC)])
    ledger = Ledger(LedgerStore(store, lambda: next(days, datetime(2026, 5, 2, tzinfo=UTC))), steady)
    ledger.settle(LEA, (PEOPLE.batch(range(441), range(441, 500), range(500, 505)),), POLICY)
    ledger.settle(LEA, (PEOPLE.batch(range(1, 441)),), POLICY)
    ledger.settle(LEA, (PEOPLE.batch(range(600, 700)),), POLICY, exact=True)
    elsewhere = replace(LEA, project="these-marc", members=frozenset({"lea", "marc"}), user="marc")
    ledger.settle(elsewhere, (PEOPLE.batch(range(800, 900), range(900, 1000)),), POLICY)


def lines(result: Result) -> list[list[str]]:
    return [line.split() for line in result.output.splitlines() if line.strip()]


def test_show_counts_by_day_and_by_person(enclave: Store) -> None:
    answered(enclave)
    shown = lines(typed("ledger", "show", "these-lea"))
    assert ["2026-05-01", "2", "0", "3", "1", "1"] in shown
    assert ["2026-05-02", "1", "1", "1", "0", "0"] in shown
    assert ["All", "3", "1", "4", "1", "1"] in shown
    assert ["lea", "3", "4", "1", "2"] in shown
    assert any(line[:5] == ["diane", "0", "0", "0", "0"] and "DIM:" in line for line in shown)
    assert any("cell-key." in line for line in shown)


def test_show_tells_no_value(enclave: Store) -> None:
    answered(enclave)
    output = typed("ledger", "show", "these-lea").output
    assert not any(near in output for near in ("439", "440", "441", "442", "443"))


def test_a_project_without_answers_is_said(enclave: Store) -> None:
    assert "not answered yet" in typed("ledger", "show", "these-lea").output


def test_an_unknown_project_is_one_message(enclave: Store) -> None:
    said = typed("ledger", "show", "these-leo", ends=2).output
    assert "There is no project 'these-leo'. Did you mean 'these-lea'?" in said


def test_check_says_what_is_intact(enclave: Store) -> None:
    answered(enclave)
    assert "Intact: 4 answers, 4 groups, 7 cells." in typed("ledger", "check").output


def test_check_ends_with_1_where_something_is_damaged(enclave: Store) -> None:
    answered(enclave)
    with enclave.change() as session:
        session.execute(text("UPDATE ledger_groups SET content = zeroblob(10) WHERE id = 1"))
    said = typed("ledger", "check", ends=1).output
    assert "group 1 does not match its checksum" in said
    assert "backup" in said


@pytest.mark.parametrize("words", [("ledger",), ("ledger", "show"), ("ledger", "check")])
def test_every_command_has_help(words: tuple[str, ...]) -> None:
    assert "Usage: main ledger" in typed(*words, "--help").output
