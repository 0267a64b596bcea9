"""Where the settings say that a cluster is, and what it has to have. The password of either is the gateway's:
a cluster that reads the files of snapshots is written to by nobody."""

from __future__ import annotations

from hub_config.settings import Settings
from hub_config.warehouse.engines.address import Address, Part, password
from hub_config.warehouse.engines.description import Description, describe
from hub_config.warehouse.engines.spark import SparkPlace
from hub_config.warehouse.engines.trino import driver
from hub_config.warehouse.snapshot import open_snapshot
from p4dp_sdk.catalogue.load import load_catalogue


def spark_place(settings: Settings) -> SparkPlace:
    """Raises WarehouseProblem where others can read the token."""
    given = settings.warehouse
    directory = given.directory or str(settings.warehouse_dir.resolve())
    return SparkPlace(given.address, directory, password(Part.READER, settings.keys_dir))


def trino_address(settings: Settings) -> Address:
    """Raises WarehouseProblem where others can read the password, or nothing here can ask Trino."""
    driver()
    given = settings.warehouse
    return Address(given.address, given.user, password(Part.READER, settings.keys_dir))


def wanted(settings: Settings, number: int) -> Description:
    """What snapshot `number` is, by its own manifest. Raises SnapshotProblem."""
    return describe(open_snapshot(settings.warehouse_dir, number), load_catalogue())
