"""`p4dp-enclave warehouse publish` and `unpublish`: snapshots on an engine elsewhere.

Exit codes: 0 done, or done before; 2 the command was refused or failed, and changed nothing.
"""

from __future__ import annotations

import click

from hub_config.settings import Settings, load_settings
from hub_config.warehouse.engines.address import Address, Part, password
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.progress import progress


@click.command()
@click.argument("number", type=int, metavar="N")
def publish(number: int) -> None:
    """Copy snapshot N to the engine that `warehouse.engine` names. Stopped half-way, it copies nothing."""
    from hub_config.codelists.in_force import site_catalogue
    from hub_config.warehouse.engines.postgresql import Outcome, Place
    from hub_config.warehouse.engines.postgresql import publish as copy
    from hub_config.warehouse.snapshot import open_snapshot

    settings = load_settings()
    place = Place(_publisher(settings), settings.warehouse.user)
    snapshot = open_snapshot(settings.warehouse_dir, number)
    with progress(f"Snapshot {number}") as report:
        outcome = copy(snapshot, site_catalogue(settings.codes_dir), place, report)
    match outcome:
        case Outcome.PUBLISHED:
            click.echo(f"Snapshot {number}: {sum(snapshot.manifest.rows.values()):,} rows published.")
        case Outcome.ALREADY:
            click.echo(f"Snapshot {number} was published before: nothing to do.")


@click.command()
@click.argument("number", type=int, metavar="N")
@click.confirmation_option(prompt="Projects that are pinned to it get no answers any more. Go on?")
def unpublish(number: int) -> None:
    """Remove the copy of snapshot N from the engine. The snapshot itself stays."""
    from hub_config.warehouse.engines.postgresql import unpublish as remove

    remove(number, _publisher(load_settings()))
    click.echo(f"Snapshot {number} is not published any more.")


def _publisher(settings: Settings) -> Address:
    given = settings.warehouse
    if given.engine == "duckdb":
        raise WarehouseProblem(
            "DuckDB reads the snapshot's own file: there is nowhere to publish to. Set `warehouse.engine` "
            "and `warehouse.address` in enclave.toml (see docs/how-to/engines)."
        )
    return Address(given.address, given.publisher, password(Part.PUBLISHER, settings.keys_dir))
