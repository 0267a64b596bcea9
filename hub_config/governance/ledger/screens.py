"""What the ledger's commands print. Numbers in, tables for people out."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console
from rich.table import Table

from hub_config.governance.ledger.checking import Outcome
from hub_config.governance.ledger.report import Day, Exposure, Report

_LEGEND = (
    "Cells of every measure of every answer. Shown: as a number; of these, taken over: the number of an "
    "earlier answer, from which few patients or none tell the cell apart."
)


def print_report(found: Report, *, excluded: Collection[str]) -> None:
    console = Console(highlight=False)
    if not found.days:
        console.print(f"Project {found.project} was not answered yet.")
    else:
        console.print(_days(found.days))
        console.print(_LEGEND)
        console.print(f"Method of its drafts: {found.method or 'none yet'}. On disk: {_size(found.bytes)}.")
    if found.people:
        console.print()
        console.print(_people(found.people, excluded))
        console.print("Elsewhere: what they were shown in other projects while they belonged to them.")


def print_check(outcome: Outcome) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if outcome.damage:
        console.print(outcome.damage, style="bold red", markup=False)
        return
    counted = f"{outcome.answers} answers, {outcome.groups} groups, {outcome.cells} cells"
    console.print(f"Intact: {counted}.", style="green")


def _days(days: Collection[Day]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Day")
    for name in ("Answers", "Publications", "Shown", "Taken over", "Withheld"):
        table.add_column(name, justify="right")
    for day in days:
        counts = (day.answers, day.publications, day.shown, day.snapped, day.withheld)
        table.add_row(day.day.isoformat(), *map(str, counts))
    if len(days) > 1:
        names = ("answers", "publications", "shown", "snapped", "withheld")
        table.add_row("All", *(str(sum(getattr(day, name) for day in days)) for name in names), style="bold")
    return table


def _people(people: Collection[Exposure], excluded: Collection[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Member")
    for name in ("Answers", "Cells", "Elsewhere", "Cells elsewhere"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in people:
        counts = (each.answers, each.cells, each.elsewhere, each.cells_elsewhere)
        note = "DIM: left out of comparisons" if each.person in excluded else ""
        table.add_row(each.person, *map(str, counts), note)
    return table


def _size(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count //= 1024
    return f"{count} GB"
