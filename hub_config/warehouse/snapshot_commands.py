"""`p4dp-enclave warehouse snapshot compare | purge`: what differs between two snapshots; which ones are over.

Exit codes: 0 done; 2 the command was refused or failed, and changed nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from hub_config.settings import Settings, load_settings

if TYPE_CHECKING:
    from hub_config.governance.holding import Held
    from hub_config.warehouse.comparing import Change, Comparison
    from hub_config.warehouse.retention import Fate


@click.command()
@click.argument("before", type=int, metavar="A")
@click.argument("after", type=int, metavar="B")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it as well: .json, or .html for a page.",
)
def compare(before: int, after: int, output: Path | None) -> None:
    """Tell what differs from snapshot A to B: people, rows, quality, centres, schema. Counts only."""
    from hub_config.keys import write_private
    from hub_config.warehouse.comparing import compare as compared
    from hub_config.warehouse.shelf import open_snapshot

    if output is not None and output.suffix not in (".json", ".html"):
        raise click.UsageError(f"--output {output}: a .json or an .html file.")
    directory = load_settings().warehouse_dir
    found = compared(open_snapshot(directory, before), open_snapshot(directory, after))
    _show(found, Console())
    if output is not None:
        text = _json(found) if output.suffix == ".json" else _html(found)
        write_private(output, text)
        click.echo(f"Written: {output}")


@click.command()
@click.option(
    "--keep", type=click.IntRange(1), help="Newest ones of each population. [default: warehouse.keep]"
)
@click.option("--yes", "really", is_flag=True, help="Remove them. Without it, nothing is removed.")
def purge(keep: int | None, really: bool) -> None:
    """Remove the snapshots that the policy lets go. Never the newest, nor one that a project, a signed table
    or a run of a report stands on. Without --yes it only tells."""
    from hub_config.warehouse.retention import purge as remove
    from hub_config.warehouse.retention import remove_purged

    settings = load_settings()
    found = _fates(settings, keep or settings.warehouse.keep)
    Console().print(_fates_table(found))
    gone = [fate for fate in found if not fate.stays]
    if not gone:
        click.echo("Nothing to purge.")
        return
    if not really:
        click.echo(f"{len(gone)} would be removed. `--yes` removes them.")
        return
    remove_purged(settings.warehouse_dir)
    for fate in gone:
        remove(settings.warehouse_dir, fate)
        click.echo(f"Snapshot {fate.number} is removed.")
    if settings.warehouse.engine != "duckdb":
        click.echo("Their copies on the engine stay: `warehouse unpublish N` removes each.")


def _fates(settings: Settings, keep: int) -> list[Fate]:
    from hub_config.warehouse.retention import Standing, fates
    from hub_config.warehouse.shelf import list_snapshots

    held = _held(settings)
    standing = [
        Standing(each.number, each.manifest.followed) for each in list_snapshots(settings.warehouse_dir)
    ]
    return fates(standing, keep=keep, pinned=held.pinned, signed=held.signed, ran=held.ran)


def _held(settings: Settings) -> Held:
    """What stands on record. Unreadable, nothing is purged: StoreProblem says why."""
    from hub_config.governance.holding import held
    from hub_config.governance.store import open_store

    store = open_store(settings)
    try:
        with store.session() as session:
            return held(session)
    finally:
        store.close()


def _fates_table(found: Iterable[Fate]) -> Table:
    table = Table("snapshot", "population", "stays", box=None, pad_edge=False)
    for fate in found:
        why = ", ".join(fate.stays) + (f" ({', '.join(fate.projects)})" if fate.projects else "")
        table.add_row(str(fate.number), fate.population, why or "[red]no[/]")
    return table


# --- a comparison, in three forms --------------------------------------------------------------------------


def _sections(found: Comparison) -> list[tuple[str, tuple[Change, ...]]]:
    return [
        ("People", found.people),
        ("Rows", found.tables),
        ("Rows by quality rule", found.quality),
        ("Patients by centre", found.centres),
    ]


def _title(found: Comparison) -> str:
    one, other = found.before, found.after
    return f"Snapshot {one['number']} ({one['source']}) to {other['number']} ({other['source']})"


def _notes(found: Comparison) -> list[str]:
    notes = [f"Data: {found.before['last_date']} to {found.after['last_date']}."]
    if not found.same_people:
        notes.append("Their patients are numbered apart: no one of them is the same person.")
    if found.before["population"] != found.after["population"]:
        notes.append(f"Populations: {found.before['population']}, {found.after['population']}.")
    return notes


def _show(found: Comparison, console: Console) -> None:
    console.print(_title(found), markup=False)
    for note in _notes(found):
        console.print(note, markup=False)
    for title, changes in _sections(found):
        table = Table("", "before", "after", "by", "%", title=title, title_justify="left", box=None)
        for change in changes:
            table.add_row(change.name, *_cells(change))
        console.print(table)
    for line in found.schema or ("Schema: the same.",):
        console.print(line, markup=False)


def _cells(change: Change) -> tuple[str, str, str, str]:
    share = "" if change.share is None else f"{100 * change.share:+.1f}"
    return (_number(change.before), _number(change.after), f"{change.by:+,}" if change.by else "", share)


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _json(found: Comparison) -> str:
    return json.dumps(found.document(), indent=2, ensure_ascii=False) + "\n"


def _html(found: Comparison) -> str:
    from hub_config.warehouse.pages.comparison import comparison_page
    from hub_config.warehouse.pages.language import Words, language_of

    return comparison_page(found, Words(language_of(os.environ)))
