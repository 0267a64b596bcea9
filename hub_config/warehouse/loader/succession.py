"""Which of several statements of one record counts: the newest. When a file's were made, and which file was
first landed when, is all that is asked; the time stamp of a file on disk is not believed.

A file says when it was made in its name (`made` in [files]), or in the rows that [export] reads of it. Bytes
that were landed before are as old as the load that first brought them, whenever they are read again. Where
neither tells two statements of one load apart and they differ, none of them is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.loader.plan import Input
from hub_config.warehouse.loader.requirements import Holds
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import JUDGED, Staging, registered
from hub_config.warehouse.schema import PATIENT, literal, quoted

STANDING: Final = "standing"
DAYS: Final = "days_read"
_RIVALS: Final = "rivals"
_ONE, _FIRST, _AGREED = "one person's", "first of the record", "agreed"


@contextmanager
def standing(staging: Staging) -> Iterator[None]:
    """Under `STANDING`: of each file of the load when it was made, null where that is not known, and in which
    load its bytes came first."""
    inputs = staging.plan.inputs
    made = made_of(staging.connection, inputs)
    files = pa.table(
        {
            "file": pa.array([each.index for each in inputs], pa.int32()),
            "made": pa.array([made[each.index] for each in inputs], pa.timestamp("us")),
            "since": pa.array([each.since or staging.plan.load for each in inputs], pa.int32()),
        }
    )
    with registered(staging.connection, STANDING, files):
        yield


def made_of(stage: duckdb.DuckDBPyConnection, inputs: Sequence[Input]) -> dict[int, datetime | None]:
    """When each file was made, by its index: as its name says, else as its rows do, if they say one day."""
    days: dict[str, set[datetime]] = {}
    paths = {each.index: each.file.path for each in inputs}
    for file, day in stage.execute(f"SELECT file, exported_on FROM {DAYS}").fetchall():  # noqa: S608
        days.setdefault(paths[file], set()).add(datetime.combine(day, time()))
    return {each.index: each.made or _only(days.get(each.file.path, set())) for each in inputs}


def _only(days: set[datetime]) -> datetime | None:
    return next(iter(days)) if len(days) == 1 else None


def made_of_landed(kinds: Iterable[str]) -> str:
    """Of each load whose files of these `kinds` all say when they were made, the `first` and `last` of these:
    what it landed was made then, or between."""
    listed = ", ".join(literal(kind) for kind in kinds)
    return (
        "SELECT load, min(made) AS first, max(made) AS last FROM landed.files "  # noqa: S608
        f"WHERE file IN ({listed}) AND read GROUP BY load HAVING bool_and(made IS NOT NULL)"
    )


def keep_newest(staging: Staging, table: str, column: str) -> None:
    """Of a staged table, one row a key; `column` is a source column of its key. Statements of one age about
    two persons are set aside; of one file the first row of a key counts; then statements of one age that
    differ are set aside. What is older than another statement of the load is passed over."""
    if not _find_rivals(staging, table):
        return
    same_age = "OVER (PARTITION BY record_key, made, since)"
    _judge(staging, f"min({PATIENT}) {same_age} = max({PATIENT}) {same_age}", _ONE, column, Rule.DUPLICATE_ID)
    first = "row_number() OVER (PARTITION BY file, record_key ORDER BY ordinal) = 1"
    _judge(staging, first, _FIRST, column, Rule.DUPLICATE_ID)
    agreed = f"min(content_key) {same_age} = max(content_key) {same_age}"
    _judge(staging, agreed, _AGREED, column, Rule.CONTRADICTION)
    newest = "row_number() OVER (PARTITION BY record_key ORDER BY made DESC, since DESC, file DESC) = 1"
    staging.run(
        f"DELETE FROM {quoted(table)} WHERE rowid IN (SELECT kept FROM every_rival) "  # noqa: S608
        f"AND rowid NOT IN (SELECT kept FROM {_RIVALS} QUALIFY {newest})"
    )


def _find_rivals(staging: Staging, table: str) -> bool:
    """The rows that share their key, and whether there are any. When they were made counts where it is known
    of all that share one."""
    name = quoted(table)
    shared = f"SELECT record_key FROM {name} WHERE keyed GROUP BY record_key HAVING count(*) > 1"  # noqa: S608
    staging.run(
        f"CREATE OR REPLACE TEMP TABLE {_RIVALS} AS "  # noqa: S608
        f"SELECT * REPLACE (CASE WHEN every THEN made END AS made) FROM ("
        f"SELECT t.rowid AS kept, file, line, ordinal, record_key, content_key, {PATIENT}, made, since, "
        "bool_and(made IS NOT NULL) OVER (PARTITION BY record_key) AS every "
        f"FROM {name} t SEMI JOIN ({shared}) USING (record_key) JOIN {STANDING} USING (file) WHERE keyed)"
    )
    staging.run(f"CREATE OR REPLACE TEMP TABLE every_rival AS SELECT kept FROM {_RIVALS}")  # noqa: S608
    return staging.run("SELECT 1 FROM every_rival LIMIT 1").fetchone() is not None


def _judge(staging: Staging, holds: str, name: str, column: str, rule: Rule) -> None:
    """Only the rivals of which `holds` is true stay; the others are set aside."""
    staging.judge(f"SELECT *, {holds} AS {quoted(name)} FROM {_RIVALS}", (Holds(name, column, rule),))  # noqa: S608
    staging.run(
        f"CREATE OR REPLACE TEMP TABLE {_RIVALS} AS SELECT * EXCLUDE (place, {quoted(name)}) FROM {JUDGED}"  # noqa: S608
    )
