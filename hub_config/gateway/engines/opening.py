"""Which engine a gateway asks: one setting."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from hub_config.gateway.engine import Opener
from hub_config.gateway.engines.looking import FirstSeen
from hub_config.gateway.engines.port import Warehouse
from hub_config.settings import Settings
from hub_config.warehouse.engines.address import Address, Part, password
from hub_config.warehouse.engines.description import manifest_hash
from hub_config.warehouse.engines.places import spark_place, trino_address, wanted

_STATEMENTS = 5  # a statement may run so many times the limit of one computation; the gateway stops it before


def opener(settings: Settings) -> Opener | None:
    """What opens snapshots where they are not read from their own files. Raises WarehouseProblem where a
    password is unsafe."""
    match settings.warehouse.engine:
        case "duckdb":
            return None
        case "postgresql":
            return _postgresql(settings)
        case "spark":
            return _spark(settings)
        case "trino":
            return _trino(settings)
        case _:
            assert_never(settings.warehouse.engine)


def _postgresql(settings: Settings) -> Opener:
    given = settings.warehouse
    address = Address(given.address, given.user, password(Part.READER, settings.keys_dir))
    seconds = settings.limits.seconds * _STATEMENTS

    def opened(number: int, database: Path) -> Warehouse:
        from hub_config.gateway.engines.postgresql import Postgresql

        return Postgresql(address, number, manifest_hash(database.parent), seconds)

    return opened


def _spark(settings: Settings) -> Opener:
    place, seen = spark_place(settings), FirstSeen()

    def opened(number: int, database: Path) -> Warehouse:
        from hub_config.gateway.engines.spark import Spark

        return Spark(place, number, wanted(settings, number), seen)

    return opened


def _trino(settings: Settings) -> Opener:
    address = trino_address(settings)

    def opened(number: int, database: Path) -> Warehouse:
        from hub_config.gateway.engines.trino import Trino

        return Trino(address, number, wanted(settings, number))

    return opened
