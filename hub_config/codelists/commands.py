"""`p4dp-enclave codelist` and `codes`: lists that all projects share, and the site's own tables of codes.

Thin: options in, one action, one screen out. Every change is an audit event in the name of the operating
system's user.
"""

from __future__ import annotations

from pathlib import Path

import click

from hub_config.governance.console import operator
from hub_config.settings import load_settings
from p4dp_sdk.catalogue.overlay import SYSTEMS

FORMATS = ("csv", "claml", "atc", "bdpm", "loinc")
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def codelist() -> None:
    """Code lists that all projects share."""


@codelist.command()
@click.argument("file", type=EXISTING)
def add(file: Path) -> None:
    """Check the list in FILE and share it with all projects, from their next start on. A version that is
    there is never overwritten."""
    from hub_config.codelists import shelf

    one, missing = shelf.add(load_settings(), file, operator())
    click.echo(f"Shared: {one.document.id}, version {one.document.version} ({one.document.label_fr}).")
    for system, codes in missing.items():
        click.echo(
            f"Not known here: {system} {', '.join(codes)}. Load the table, or nobody is found by them.",
            err=True,
        )


@codelist.command(name="list")
def list_() -> None:
    """List the shared lists and their versions."""
    from hub_config.codelists import shelf

    every = list(shelf.shared(load_settings()))
    for one in every:
        said = one.document
        click.echo(f"{said.id:<32} {said.version:<8} {said.label_fr} — {said.author}")
    if not every:
        click.echo("No list is shared yet: `p4dp-enclave codelist add FILE`.")


@codelist.command()
@click.argument("name")
@click.option("--version", help="[default: the newest]")
def show(name: str, version: str | None) -> None:
    """Print the file of the shared list NAME."""
    from hub_config.codelists import shelf

    one = shelf.find(load_settings(), name, version)
    click.echo(one.path.read_text(encoding="utf-8"), nl=False)


@click.group()
def codes() -> None:
    """The site's own tables of codes, licensed ones for instance, beside those that ship."""


@codes.command()
@click.argument("system", type=click.Choice(sorted(SYSTEMS)))
@click.argument("file", type=EXISTING)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="csv",
    show_default=True,
    help="How FILE is written.",
)
@click.option("--encoding", default="utf-8", show_default=True, help="Of a text; the BDPM's is cp1252.")
def load(system: str, file: Path, form: str, encoding: str) -> None:
    """Load the table of SYSTEM in FILE: its codes and labels join those that the catalogue has.

    What was loaded before stays. The gateway takes it at its next start, workspaces at theirs.
    """
    from hub_config.codelists import loading
    from hub_config.codelists.tables import Format

    done = loading.load(load_settings(), system, file, Format(form), encoding, operator())
    click.echo(f"{system}: {done.read} codes read, {done.added} of them new; {done.total} are known now.")
    click.echo("Start the enclave again: the gateway reads its tables when it starts.")
    if done.open:
        click.echo(f"A table by single codes of {system} shows what it finds, not every code: they are many.")


@codes.command(name="list")
def list_tables() -> None:
    """List the tables that were loaded."""
    from hub_config.codelists.in_force import loaded_tables

    tables = loaded_tables(load_settings().codes_dir)
    for table in tables:
        click.echo(f"{table.system:<8} {len(table.codes)} codes")
    if not tables:
        click.echo("No table was loaded: the catalogue's own codes are in force.")
