"""An answer is never given before it is on disk: a gateway is killed at every step of recording one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.memory import Asker, Settlement
from hub_config.governance.ledger.checking import check_ledger
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import Store, open_store
from hub_config.settings import Settings
from tests.unit.gateway_rules.people import POLICY, People, steady

ROOT = Path(__file__).parents[3]
BEFORE = ("group", "answer", "audience", "head", "before-commit")  # the last moment of each step
AFTER = ("after-commit", "never")
PEOPLE = People()
LEA = Asker("these-lea", frozenset({"lea"}), "lea", 1, "r-1")

DRIVER = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from sqlalchemy import event
sys.path.append(str(Path("tests/unit/gateway_rules").resolve()))
import people
from hub_config.gateway.ledger import Ledger
from hub_config.gateway.rules.memory import Asker
from hub_config.governance.ledger.store import LedgerStore
from hub_config.governance.store import open_store
from hub_config.settings import Settings

home, url, step, size = sys.argv[1:]
written = {"group": "INSERT INTO LEDGER_GROUPS", "answer": "INSERT INTO LEDGER_ANSWERS",
           "audience": "INSERT INTO LEDGER_AUDIENCES", "head": "UPDATE LEDGER_HEAD"}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def executed(connection, cursor, statement, *rest):
    if statement.upper().startswith(written.get(step, "nothing")):
        die()

class Mortal(LedgerStore):
    @contextmanager
    def appending(self):
        with super().appending() as held:
            yield held
            if step == "before-commit":
                die()
        if step == "after-commit":
            die()

store = open_store(Settings(home=Path(home), database_url=url or None))
event.listen(store.engine, "after_cursor_execute", executed)
asker = Asker("these-lea", frozenset({"lea"}), "lea", 1, "r-2")
batch = people.People().batch(range(int(size)))
(answer,) = Ledger(Mortal(store), people.steady).settle(asker, (batch,), people.POLICY)
print(float(answer.values[0]))
"""


def ask(store: Store, size: int) -> tuple[float, int]:
    (settled,) = Ledger(LedgerStore(store), steady).settle(LEA, (PEOPLE.batch(range(size)),), POLICY)
    return float(settled.values[0]), int(settled.settlements[0])


@pytest.mark.parametrize("step", [*BEFORE, *AFTER])
def test_a_gateway_killed_at_any_step(settings: Settings, step: str) -> None:
    """A whole process each time."""
    store = open_store(settings)
    ask(store, 60)
    arguments = [str(settings.home), settings.database_url or "", step, "200"]
    gateway = subprocess.run(
        [sys.executable, "-c", DRIVER, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert gateway.returncode == (0 if step == "never" else -signal.SIGKILL), gateway.stderr

    on_disk = check_ledger(store)
    assert (on_disk.damage, on_disk.answers) == (None, 1 if step in BEFORE else 2)
    given = gateway.stdout.strip()
    assert bool(given) == (step == "never")  # nothing was given that is not on disk
    value, how = ask(store, 199)
    assert how == (Settlement.SHOWN if step in BEFORE else Settlement.SNAPPED)
    assert not given or value == float(given)
    store.close()
