"""`p4dp-enclave warehouse link-snds`. Prints counts and rates, masked where they are small."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from hub_config.settings import load_settings
from hub_config.warehouse.linkage.rates import Counted


@click.command(name="link-snds")
@click.option("--project", required=True, metavar="SLUG", help="Whose pseudonyms the files name persons by.")
@click.option("--population", metavar="NAME", help="Which; not needed where there is only one.")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
def link_snds(project: str, population: str | None, directory: Path) -> None:
    """Take in DIR/link.csv, claims.csv and stays.csv, in the place of an earlier linkage. The next snapshot
    holds them."""
    from datetime import UTC, datetime

    from hub_config.codelists.in_force import site_catalogue
    from hub_config.governance.objections.leaving_out import objectors_on_record
    from hub_config.isolation import workspaces_have_own_uid
    from hub_config.keys import ensure_key
    from hub_config.project_keys import KEY_FILE, ProjectKey
    from hub_config.warehouse.landing.freeze import only_population
    from hub_config.warehouse.linkage.link import LISTING, LinkageRefused, link
    from hub_config.warehouse.linkage.store import Linkage
    from hub_config.warehouse.manifest import REGISTERED

    settings = load_settings()
    if not workspaces_have_own_uid(settings.home):
        raise LinkageRefused(
            "Workspaces here share one uid, so this enclave takes no SNDS data. Run as root."
        )
    if not (settings.keys_dir / KEY_FILE).exists():
        raise LinkageRefused("No project was ever shown a pseudonym here: these files can't be a linkage.")
    root = settings.home / "landing"
    linkage = Linkage(root, population or only_population(root))
    linked = link(
        directory,
        linkage,
        ProjectKey.derive(bytes.fromhex(ensure_key(settings.keys_dir, KEY_FILE)), project),
        site_catalogue(settings.codes_dir),
        objectors=objectors_on_record(settings, REGISTERED),
        last=datetime.now(UTC).date(),
    )
    for name, rows in linked.rows.items():
        click.echo(f"  {name:<22}{rows:>12,}")
    for rule, count in linked.rejected.items():
        click.echo(f"  set aside: {rule:<24}{count:>10,}")
    _show(linked.rates)
    click.echo(f"Report and lines set aside: {linked.directory}/{LISTING}")
    click.echo("Freeze it: p4dp-enclave warehouse snapshot")


def _show(rates: tuple[Counted, ...]) -> None:
    table = Table("match rate", "group", "linked", "sent", "share", box=None, pad_edge=False)
    for each in rates:
        share = "masked" if each.rate is None else f"{each.rate:.1%}"
        table.add_row(each.dimension, each.group, _said(each.linked), _said(each.eligible), share)
    Console().print(table)


def _said(count: int | None) -> str:
    return "masked" if count is None else f"{count:,}"
