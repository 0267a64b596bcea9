"""Silent practices, for operators: how many of a centre reported in a month. Counts only, never which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from hub_config.warehouse.rolling import last_closed
from hub_config.warehouse.schema import literal
from hub_config.warehouse.shelf import Snapshot

TABLE: Final = "practice_months"
_BY_CENTRE: Final = (
    "SELECT coalesce(centre_id, '–'), count(*), count(*) FILTER (activity = 'silent'), "
    "count(*) FILTER (activity = 'software_gap')"
)


@dataclass(frozen=True)
class Reporting:
    """Of one centre and month: those awaited, and of them the silent and those changing their software."""

    centre: str
    expected: int
    silent: int
    changing: int


def reporting(snapshot: Snapshot, month: date | None = None) -> list[Reporting]:
    """By centre, in `month` or in the last closed one. Empty where the snapshot doesn't tell."""
    if not snapshot.manifest.rows.get(TABLE):
        return []
    import duckdb

    wanted = (month or last_closed(snapshot.manifest.last_date)).replace(day=1)
    parquet = literal(str(snapshot.directory / "tables" / f"{TABLE}.parquet"))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"{_BY_CENTRE} FROM read_parquet({parquet}) WHERE month = ? GROUP BY 1 ORDER BY 1",
            [wanted],
        ).fetchall()
    return [Reporting(*row) for row in found]


def sentence(snapshot: Snapshot) -> str:
    """One line for a terminal: empty where there is nothing to say."""
    found = reporting(snapshot)
    if not found:
        return ""
    expected, silent = sum(each.expected for each in found), sum(each.silent for each in found)
    month = last_closed(snapshot.manifest.last_date).strftime("%Y-%m")
    where = ", ".join(f"{each.centre} {each.silent}" for each in found if each.silent)
    return f"Practices in {month}: {expected} awaited, {silent} silent" + (f" ({where})." if where else ".")
