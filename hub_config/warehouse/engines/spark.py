"""Naming a snapshot for a Spark cluster, which reads the snapshot's own Parquet files where they lie.

Nothing is copied: the cluster has to see the directory of snapshots (the same file system, or a faithful copy
on an object store). `publish` gives it a database `snapshot_<n>` of one external table a file, typed as the
catalogue says, and believes none of it before the manifest there is this snapshot's to the byte, every file
as long as it says, and every table has the rows that it says. Facts stay as they lie, clustered by patient.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from hub_config.warehouse.engines.description import Description, Stored, parquet
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.snapshot import MANIFEST

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

Report = Callable[..., None]

_TRIES: Final = 4  # of a call that finds nobody; together about two seconds
_BUILT_ON: Final = "p4dp.manifest"
_REAPER: Final = "spark.task.reaper"
_TYPES: Final = {
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "STRING",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "BOOLEAN": "BOOLEAN",
}


@dataclass(frozen=True)
class SparkPlace:
    """`url` is that of Spark Connect, `sc://host:port`; `directory` is where the cluster sees the snapshots
    (`$P4DP_HOME/warehouse`), as a path or a URL of its own."""

    url: str
    directory: str
    token: str = field(default="", repr=False)

    def file(self, number: int, name: str) -> str:
        return f"{self.directory.rstrip('/')}/{number}/{name}"


def database_of(number: int) -> str:
    return f"snapshot_{number}"


def connected(place: SparkPlace) -> SparkSession:
    """A session of its own, for `close`. Nothing is asked of the cluster yet."""
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession(_channel(place), userId="p4dp")
    session.client.set_retry_policies([DefaultPolicy(max_retries=_TRIES, max_backoff=1_000)])
    session.client.close = _nothing  # type: ignore[method-assign]
    return session


def _nothing() -> None:
    """What is left of pyspark's own closing, which comes also when a session is collected as garbage. It ends
    a pool of threads that all sessions of the process share; and where the collecting thread is one that a
    call of the session has just started, it waits for that call, which waits for it: for ever."""


def cut(session: SparkSession) -> None:
    """Hang up: what waits for the cluster waits no more. Again does nothing."""
    session.client._channel.close()


def close(session: SparkSession) -> None:
    """Leave nothing of the session on the cluster, if it is there."""
    with suppress(Exception):  # whoever is gone has nothing left; the cluster forgets idle sessions
        session.client.release_session()
    with suppress(Exception):  # closed already, by whoever stopped the question
        cut(session)


def publish(place: SparkPlace, number: int, wanted: Description, report: Report = lambda *_: None) -> None:
    """Have the cluster know snapshot `number` as `database_of(number)`. Again changes nothing.

    Raises WarehouseProblem where the cluster can't be reached, sees another snapshot there, or would go on
    with questions that are stopped.
    """
    session = connected(place)
    try:
        with _explained(place):
            _require_reaper(session)
            require_manifest(session, place, number, wanted)
            require_files(session, place, number, wanted)
            _name_tables(session, place, number, wanted, report)
            _require_rows(session, number, wanted)
    finally:
        close(session)


def unpublish(place: SparkPlace, number: int) -> None:
    """Have the cluster forget the names; the files are untouched."""
    session = connected(place)
    try:
        with _explained(place):
            session.sql(f"DROP DATABASE IF EXISTS {database_of(number)} CASCADE").collect()
    finally:
        close(session)


def _require_reaper(session: SparkSession) -> None:
    """Some joins never look whether they were stopped: their worker would be busy with nothing, for days."""
    reaps = session.conf.get(f"{_REAPER}.enabled", "false") == "true"
    if not reaps or str(session.conf.get(f"{_REAPER}.killTimeout", "-1")).startswith("-"):
        raise WarehouseProblem(
            "The cluster would go on working at stopped questions. Start Spark Connect with "
            f"`{_REAPER}.enabled true` and `{_REAPER}.killTimeout 30s`: see images/spark/spark-defaults.conf."
        )


def require_manifest(session: SparkSession, place: SparkPlace, number: int, wanted: Description) -> None:
    """Raises WarehouseProblem unless a worker reads this snapshot's manifest there."""
    path = place.file(number, MANIFEST)
    found = session.read.format("binaryFile").load(path).select("content").toArrow()
    contents = found.column("content").to_pylist()
    if [hashlib.sha256(content).hexdigest() for content in contents] != [wanted.manifest]:
        raise WarehouseProblem(
            f"What the cluster sees as {path} is not the manifest of snapshot {number}: copy the snapshot "
            "there anew, or correct `directory` in the settings of the warehouse."
        )


def require_files(
    session: SparkSession, place: SparkPlace, number: int, wanted: Description
) -> Mapping[str, datetime]:
    """When each table's file was last changed, as the cluster's file system says: no file is opened. Raises
    WarehouseProblem where one is missing, or not as long as the manifest says."""
    path = place.file(number, "tables")
    listed = session.read.format("binaryFile").load(path).select("path", "length", "modificationTime")
    found = {row["path"].rpartition("/")[2]: row for row in listed.toArrow().to_pylist()}
    files = {table: found.get(f"{table}.parquet", {}) for table in wanted.tables}
    wrong = [
        table
        for table, stored in wanted.tables.items()
        if stored.bytes is not None and files[table].get("length") != stored.bytes
    ]
    if wrong:
        raise WarehouseProblem(
            f"Files that the cluster sees below {path} are missing, or not as long as the manifest of "
            f"snapshot {number} says: {', '.join(wrong)}. Copy the snapshot there anew."
        )
    return {table: file["modificationTime"] for table, file in files.items() if file}


def read(session: SparkSession, place: SparkPlace, number: int, table: str, stored: Stored) -> DataFrame:
    """The rows of a table, from its file."""
    file = place.file(number, parquet(table))
    return session.read.schema(_columns(stored)).parquet(file)


# --- names -------------------------------------------------------------------------------------------------


def _name_tables(
    session: SparkSession, place: SparkPlace, number: int, wanted: Description, report: Report
) -> None:
    database = database_of(number)
    session.sql(
        f"CREATE DATABASE IF NOT EXISTS {database} WITH DBPROPERTIES ('{_BUILT_ON}' = '{wanted.manifest}')"
    ).collect()
    described = session.sql(f"DESCRIBE DATABASE EXTENDED {database}").collect()
    if not any(wanted.manifest in str(row) for row in described):
        raise WarehouseProblem(
            f"The cluster has another {database}. Look whose it is; if nobody's, remove it with "
            f"`p4dp-enclave warehouse unpublish {number}` and publish again."
        )
    for done, (table, stored) in enumerate(wanted.tables.items()):
        report(table, done / len(wanted.tables))
        session.sql(_create(place, number, table, stored)).collect()


def _create(place: SparkPlace, number: int, table: str, stored: Stored) -> str:
    file = place.file(number, parquet(table)).replace("\\", "\\\\").replace("'", "\\'")
    name = f"{database_of(number)}.`{table}`"
    return f"CREATE TABLE IF NOT EXISTS {name} ({_columns(stored)}) USING parquet LOCATION '{file}'"


def _columns(stored: Stored) -> str:
    return ", ".join(f"`{column}` {_TYPES[dtype]}" for column, dtype in stored.columns.items())


def _require_rows(session: SparkSession, number: int, wanted: Description) -> None:
    """One question counts them all."""
    counts = " UNION ALL ".join(
        f"SELECT '{table}' AS t, count(*) AS n FROM {database_of(number)}.`{table}`"  # noqa: S608
        for table in wanted.tables
    )
    found = {row.t: row.n for row in session.sql(counts).collect()}
    wrong = [table for table, stored in wanted.tables.items() if found.get(table) != stored.rows]
    if wrong:
        raise WarehouseProblem(
            f"Snapshot {number} has other row counts on the cluster than in its manifest: "
            f"{', '.join(wrong)}. Copy the snapshot there anew."
        )


# --- the cluster -------------------------------------------------------------------------------------------


def _channel(place: SparkPlace) -> str:
    """For the driver. Over a network the cluster has to prove who it is, unless `url` says otherwise."""
    parts = urlsplit(place.url)
    options = [option for option in parts.path.strip("/;").split(";") if option]
    asked = {option.partition("=")[0] for option in options}
    if parts.hostname != "localhost" and "use_ssl" not in asked:
        options.append("use_ssl=true")
    if place.token:
        options.append(f"token={place.token}")
    return f"{parts.scheme}://{parts.netloc}/" + "".join(f";{option}" for option in options)


@contextmanager
def _explained(place: SparkPlace) -> Iterator[None]:
    """The cluster's own words stay here: they may quote a row."""
    import grpc  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    try:
        yield
    except (grpc.RpcError, PySparkException) as error:
        condition = error.getCondition() if isinstance(error, PySparkException) else None
        raise WarehouseProblem(_what_went_wrong(place, condition)) from None


def _what_went_wrong(place: SparkPlace, condition: str | None) -> str:
    if condition is None or condition == "RETRIES_EXCEEDED":
        return (
            f"Spark Connect at {place.url} can't be reached, or refuses the token. Look whether it runs and "
            "what its log says."
        )
    if condition.startswith(("PATH_NOT_FOUND", "FAILED_READ_FILE")):
        return (
            f"The cluster can't read the snapshot below {place.directory}. Every worker has to see it there: "
            "mount it or copy it, or correct `directory` in the settings of the warehouse."
        )
    return f"Spark refused ({condition}). Look at the log of Spark Connect."
