"""Privacy budgets, on both databases: shared per member, never overspent, kept for good."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from hub_config.governance import actions
from hub_config.governance.audit import AuditFailure, read_records
from hub_config.governance.budgets import Account, Budgets
from hub_config.governance.charter import Charter, MemberRole
from hub_config.governance.facts import AccessLevel, Grant
from hub_config.governance.store import Store, open_store
from hub_config.governance.terms import SnapshotTerms, Terms, every_table
from hub_config.settings import Settings
from p4dp_sdk.wire.errors import ErrorCode, Refusal

ROOT = Path(__file__).parents[3]
CHERCHEUR, DIM = MemberRole.CHERCHEUR, MemberRole.MEDECIN_DIM
TERMS = Terms(SnapshotTerms(1, synthetic=True, centres=frozenset()))


def add_project(store: Store, slug: str, members: Mapping[str, MemberRole]) -> None:
    grant = Grant(AccessLevel.AGGREGATE, every_table(), legal_basis="MR-004")
    with store.change() as session:
        made = Charter(slug, slug, "test", 1, grant, members)
        actions.create_project(session, made, terms=TERMS, audit=store.recorder("admin"))


@pytest.fixture
def budgets(store: Store) -> Budgets:
    add_project(store, "these-ines", {"ines": CHERCHEUR, "denis": DIM})
    add_project(store, "etude-rachid", {"rachid": CHERCHEUR, "denis": DIM})
    add_project(store, "commun", {"ines": CHERCHEUR, "rachid": CHERCHEUR})
    return Budgets(store, total=4.0, each=1.0)


INES = Account("these-ines", "ines", 1)
RACHID = Account("etude-rachid", "rachid", 1)
TOGETHER = Account("commun", "rachid", 1)


def spend(budgets: Budgets, account: Account, epsilon: float, times: int = 1) -> None:
    for index in range(times):
        budgets.charge(account, epsilon, f"r{index}")


def refusal(budgets: Budgets, account: Account, epsilon: float) -> Refusal:
    with pytest.raises(Refusal) as refused:
        budgets.charge(account, epsilon, "r")
    return refused.value


def test_a_charge_is_kept(budgets: Budgets, settings: Settings) -> None:
    assert budgets.left(INES) == 4.0
    assert budgets.charge(INES, 0.5, "r") == 3.5
    again = open_store(settings)
    assert Budgets(again, 4.0, 1.0).left(INES) == 3.5
    again.close()


def test_nothing_is_left_in_the_end(budgets: Budgets) -> None:
    spend(budgets, INES, 0.1, times=30)  # in floats, thirty times 0.1 is not 3
    assert budgets.left(INES) == 1.0
    spend(budgets, INES, 0.7)
    refused = refusal(budgets, INES, 0.5)
    assert refused.code is ErrorCode.BUDGET_EXHAUSTED
    assert refused.params == {"left": "0.3", "asked": "0.5"}
    spend(budgets, INES, 0.3)
    assert budgets.left(INES) == 0
    assert refusal(budgets, INES, 0.01).code is ErrorCode.BUDGET_EXHAUSTED


@pytest.mark.parametrize("epsilon", [0, -1, 0.009, 1.01, float("nan"), float("inf")])
def test_what_one_question_may_not_spend(budgets: Budgets, epsilon: float) -> None:
    assert refusal(budgets, INES, epsilon).code is ErrorCode.MALFORMED
    assert budgets.left(INES) == 4.0


def test_a_member_spends_in_all_their_projects(budgets: Budgets) -> None:
    spend(budgets, INES, 1.0, times=3)
    assert budgets.left(RACHID) == 4.0  # his project has not seen it, and he is in another
    assert budgets.left(TOGETHER) == 1.0  # ines would see what is asked there
    assert refusal(Budgets(budgets.store, 4.0, 2.0), TOGETHER, 1.5).code is ErrorCode.BUDGET_EXHAUSTED
    spend(budgets, TOGETHER, 1.0)
    assert budgets.left(INES) == 0 and budgets.left(RACHID) == 3.0


def test_a_project_spends_whoever_asks(budgets: Budgets) -> None:
    spend(budgets, TOGETHER, 1.0)
    assert budgets.left(Account("commun", "ines", 1)) == 3.0


def test_who_joins_has_seen_what_was_answered_before(budgets: Budgets) -> None:
    spend(budgets, INES, 1.0, times=2)
    with budgets.store.change() as session:
        actions.add_member(session, "these-ines", "rachid", CHERCHEUR, audit=budgets.store.recorder("admin"))
    assert budgets.left(RACHID) == 2.0


def test_who_leaves_has_still_seen_it(budgets: Budgets) -> None:
    spend(budgets, TOGETHER, 1.0)
    with budgets.store.change() as session:
        actions.remove_member(session, "commun", "rachid", audit=budgets.store.recorder("admin"))
    assert budgets.left(RACHID) == 3.0


def test_dim_physicians_are_left_out(budgets: Budgets) -> None:
    spend(budgets, INES, 1.0, times=3)
    assert budgets.left(RACHID) == 4.0  # denis is in both


def test_each_snapshot_has_its_own(budgets: Budgets) -> None:
    spend(budgets, INES, 1.0, times=4)
    assert budgets.left(Account("these-ines", "ines", 2)) == 4.0


def test_a_charge_is_audited(budgets: Budgets, settings: Settings) -> None:
    budgets.charge(INES, 0.25, "r17")
    event = [e for e in read_records(settings.audit_dir, settings.keys_dir) if e.what == "noise.charge"][-1]
    assert (event.who, event.project) == ("ines", "these-ines")
    assert event.details == {"request_id": "r17", "snapshot": 1, "micro_epsilon": 250_000}


def test_what_can_not_be_recorded_is_not_spent(budgets: Budgets, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise AuditFailure("no")

    with monkeypatch.context() as patch:
        patch.setattr(type(budgets.store.audit), "append", broken)
        assert refusal(budgets, INES, 1.0).code is ErrorCode.AUDIT_FAILED
    assert budgets.left(INES) == 4.0


def test_what_can_not_be_kept_is_refused(budgets: Budgets) -> None:
    with budgets.store.change() as session:
        session.execute(text("ALTER TABLE noise_witnesses RENAME TO elsewhere"))
    assert refusal(budgets, INES, 1.0).code is ErrorCode.LEDGER_FAILED


# --- two gateways ------------------------------------------------------------------------------------------


GATEWAY = """
import sys
from hub_config.governance.budgets import Account, Budgets
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from p4dp_sdk.wire.errors import ErrorCode, Refusal

store, passed = open_store(Settings.model_validate_json(sys.argv[1])), 0
for index in range(12):
    try:
        Budgets(store, 4.0, 1.0).charge(Account("these-ines", "ines", 1), 0.25, f"r{index}")
        passed += 1
    except Refusal as refused:
        assert refused.code is ErrorCode.BUDGET_EXHAUSTED
print(passed)
"""


def test_two_gateways_never_overspend(budgets: Budgets, settings: Settings) -> None:
    """Two processes ask for 0.25 twelve times each; 4.0 is there for sixteen."""
    shared = settings.model_dump_json(include={"home", "database_url"})
    command = [sys.executable, "-c", GATEWAY, shared]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    passed = sum(int(process.communicate()[0]) for process in running)
    assert passed == 16 and budgets.left(INES) == 0


def test_members_of_two_projects_at_once(budgets: Budgets) -> None:
    """One person's projects race: each alone has enough left, together they have not."""

    def ask(account: Account) -> bool:
        try:
            budgets.charge(account, 1.0, "r")
        except Refusal:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        passed = sum(pool.map(ask, [INES, Account("commun", "ines", 1)] * 4))
    assert passed == 4 and budgets.left(INES) == 0
