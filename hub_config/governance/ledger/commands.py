"""`p4dp-enclave ledger`: what the DPO looks at. Counts of cells, never a value of one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub_config.governance.store import Store

BROKEN = 1  # exit code of `ledger check` when something is damaged


@click.group()
def ledger() -> None:
    """The ledger: what was ever shown of patients, and to whom."""


@ledger.command()
@click.argument("project")
def show(project: str) -> None:
    """Show what PROJECT was answered: cells by day, publications, what its members have seen, disk used.

    Cells are counted, for each measure of each answer; their values stay where they are.
    """
    from hub_config.governance import actions
    from hub_config.governance.ledger import screens
    from hub_config.governance.ledger.report import report

    with _opened() as store, store.session() as session:
        facts = actions.project_facts(session, project)
        found = report(session, project, facts.members)
    screens.print_report(found, excluded=facts.physicians_dim)


@ledger.command()
def check() -> None:
    """Read the whole ledger and check every hash. Exit code 0 if it is intact, 1 if it is damaged."""
    from hub_config.governance.ledger import screens
    from hub_config.governance.ledger.checking import check_ledger

    with _opened() as store:
        outcome = check_ledger(store)
    screens.print_check(outcome)
    if outcome.damage:
        raise click.exceptions.Exit(BROKEN)


def _opened() -> closing[Store]:
    from hub_config.governance.store import open_store
    from hub_config.settings import load_settings

    return closing(open_store(load_settings()))
