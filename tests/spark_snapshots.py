"""Snapshots as a cluster sees them: a manifest and a Parquet file a table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from hub_config.warehouse.engines.description import Description, Stored, parquet
from hub_config.warehouse.engines.spark import SparkPlace
from tests.spark_cluster import Cluster

_TYPES: Final = {
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
}


def place(cluster: Cluster, directory: Path) -> SparkPlace:
    """Snapshots in `directory`, which all of this machine see alike."""
    return SparkPlace(cluster.address, str(directory), cluster.token)


def keep(directory: Path, tables: Mapping[str, pa.Table]) -> Description:
    """Tables that are of no catalogue, as if a snapshot held them."""
    manifest = str(directory).encode()
    (directory / "tables").mkdir(parents=True)
    (directory / "manifest.json").write_bytes(manifest)
    for name, table in tables.items():
        pq.write_table(table, directory / parquet(name))
    sizes = {name: (directory / parquet(name)).stat().st_size for name in tables}
    stored = {name: Stored(table.num_rows, _columns(table), sizes[name]) for name, table in tables.items()}
    return Description(hashlib.sha256(manifest).hexdigest(), stored)


def _columns(table: pa.Table) -> dict[str, str]:
    return {field.name: _TYPES[field.type] for field in table.schema}
