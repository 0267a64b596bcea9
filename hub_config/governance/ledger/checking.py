"""Reads the whole ledger as a gateway would, and counts instead of keeping."""

from __future__ import annotations

from dataclasses import dataclass

from hub_config.governance.ledger.group import Group
from hub_config.governance.ledger.store import CorruptLedger, LedgerStore, Position, Recorded
from hub_config.governance.store import Store


@dataclass
class Outcome:
    """What was read before the end, or before the first damage."""

    answers: int = 0
    groups: int = 0
    cells: int = 0
    damage: str | None = None

    def add_group(self, number: int, group: Group) -> None:
        self.groups += 1
        self.cells += len(group)

    def add_answer(self, answer: Recorded) -> None:
        self.answers += 1


def check_ledger(store: Store) -> Outcome:
    """Every checksum and every link of the chain."""
    outcome = Outcome()
    try:
        LedgerStore(store).read(Position(), outcome)
    except CorruptLedger as damage:
        outcome.damage = str(damage)
    return outcome
