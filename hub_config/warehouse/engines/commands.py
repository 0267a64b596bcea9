"""`p4dp-enclave warehouse publish` and `unpublish`: snapshots on an engine elsewhere.

Exit codes: 0 done, or done before; 2 the command was refused or failed, and changed nothing.
"""

from __future__ import annotations

import click

from hub_config.settings import Settings, load_settings
from hub_config.warehouse.engines.address import Address, Part, password
from hub_config.warehouse.engines.places import spark_place, trino_address, wanted
from hub_config.warehouse.engines.trino import check
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.progress import progress


@click.command()
@click.argument("number", type=int, metavar="N")
def publish(number: int) -> None:
    """Have the engine that `warehouse.engine` names hold snapshot N, and count what it has. A cluster reads
    the files of the snapshot; elsewhere they are copied, all of them or none. On Trino what the site put
    there is compared."""
    settings = load_settings()
    match settings.warehouse.engine:
        case "duckdb":
            raise _nowhere()
        case "postgresql":
            _copy(settings, number)
        case "spark":
            _name(settings, number)
        case "trino":
            _check(settings, number)


@click.command()
@click.argument("number", type=int, metavar="N")
@click.confirmation_option(prompt="Projects that are pinned to it get no answers any more. Go on?")
def unpublish(number: int) -> None:
    """Remove snapshot N from the engine. The snapshot itself stays, on a cluster its files, too."""
    from hub_config.warehouse.engines import postgresql, spark

    settings = load_settings()
    match settings.warehouse.engine:
        case "duckdb":
            raise _nowhere()
        case "postgresql":
            postgresql.unpublish(number, _publisher(settings))
        case "spark":
            spark.unpublish(spark_place(settings), number)
        case "trino":
            raise WarehouseProblem(
                f"Trino is not written to from here: drop snapshot_{number} in its catalogue there."
            )
    click.echo(f"Snapshot {number} is not published any more.")


def _copy(settings: Settings, number: int) -> None:
    from hub_config.codelists.in_force import site_catalogue
    from hub_config.warehouse.engines.postgresql import Outcome, Place
    from hub_config.warehouse.engines.postgresql import publish as copy
    from hub_config.warehouse.snapshot import open_snapshot

    place = Place(_publisher(settings), settings.warehouse.user)
    snapshot = open_snapshot(settings.warehouse_dir, number)
    with progress(f"Snapshot {number}") as report:
        outcome = copy(snapshot, site_catalogue(settings.codes_dir), place, report)
    match outcome:
        case Outcome.PUBLISHED:
            click.echo(f"Snapshot {number}: {sum(snapshot.manifest.rows.values()):,} rows published.")
        case Outcome.ALREADY:
            click.echo(f"Snapshot {number} was published before: nothing to do.")


def _name(settings: Settings, number: int) -> None:
    from hub_config.warehouse.engines.spark import database_of
    from hub_config.warehouse.engines.spark import publish as name

    snapshot = wanted(settings, number)
    with progress(f"Snapshot {number}") as report:
        name(spark_place(settings), number, snapshot, report)
    rows = sum(table.rows for table in snapshot.tables.values())
    click.echo(
        f"Snapshot {number} is {database_of(number)} on the cluster: {rows:,} rows, as its manifest says."
    )


def _check(settings: Settings, number: int) -> None:
    snapshot = wanted(settings, number)
    check(trino_address(settings), number, snapshot)
    rows = sum(table.rows for table in snapshot.tables.values())
    click.echo(
        f"Snapshot {number} is snapshot_{number} on Trino: {rows:,} rows, as its manifest says. "
        "Nothing was written."
    )


def _publisher(settings: Settings) -> Address:
    given = settings.warehouse
    return Address(given.address, given.publisher, password(Part.PUBLISHER, settings.keys_dir))


def _nowhere() -> WarehouseProblem:
    return WarehouseProblem(
        "DuckDB reads the snapshot's own file: there is nowhere to publish to. Set `warehouse.engine` "
        "and `warehouse.address` in enclave.toml (see docs/how-to/engines)."
    )
