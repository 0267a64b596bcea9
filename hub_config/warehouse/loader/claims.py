"""What is staged against what is landed under the same key: the later statement counts, be it of another
person.

Where the mapping says when exports were made, their days decide, and the load's place where they are silent:

- what was made before what is landed is passed over; if it names another person, it is listed too; so is
  what was made between the files of the load that landed the other;
- a load that is newer than all that is landed of the practice moves a record to another person, if the
  practice that exported the landed record exported again;
- else (one day, a day between, another practice) nobody can tell whose the record is: the row is set aside,
  what is landed of it goes, and none lands later.

Where the mapping says no such thing, the later load counts, whoever the record is then of. So that a key that
is no record's name can't move records wholesale, a load that would move more than is tolerated is refused.
A file that is read again is as old as the load that first brought it.
"""

from __future__ import annotations

from typing import Final

from hub_config.warehouse.landing.layout import CONTESTED, PASSED_OVER
from hub_config.warehouse.loader.requirements import Holds
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import Staging
from hub_config.warehouse.loader.succession import STANDING, made_of_landed
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.schema import PATIENT, literal, quoted

_CLAIMED: Final = "claimed"
_ONE: Final = "one person's"
_OPEN: Final = "NOT older AND NOT late AND NOT between"


class KeyOfMany(WarehouseProblem):
    """Records would change persons in such numbers that their key can't be their name."""


def settle_with_landed(staging: Staging, table: str, column: str) -> None:
    """Of a staged table with one row a key; `column` is a source column of its key. A record that moves, or
    changes, needs nothing but to stay."""
    if staging.plan.afresh:
        return
    name = quoted(table)
    by_days = staging.mapping.export is not None
    staging.run(f"CREATE OR REPLACE TEMP TABLE {_CLAIMED} AS {_against_landed(staging, table, by_days)}")
    aside = f"SELECT record_key FROM {_CLAIMED} WHERE moves AND older AND NOT late"  # noqa: S608
    if by_days:
        _contest(staging, table)
        of_before = f'SELECT record_key FROM landed.{CONTESTED} WHERE "table" = {literal(table)}'  # noqa: S608
        now = f'SELECT record_key FROM {CONTESTED} WHERE "table" = {literal(table)}'  # noqa: S608
        aside = f"{aside} UNION {of_before} UNION {now}"
    else:
        _require_few_moves(staging, table)
    _set_aside(staging, name, column, aside, Rule.DUPLICATE_ID)
    between = f"SELECT record_key FROM {_CLAIMED} WHERE between AND NOT late AND NOT older"  # noqa: S608
    _set_aside(staging, name, column, between, Rule.CONTRADICTION)
    staging.run(
        f"INSERT INTO {PASSED_OVER} SELECT {literal(table)}, count(*) FROM {_CLAIMED} "  # noqa: S608
        "WHERE older AND NOT moves AND NOT late"
    )
    late = f"SELECT record_key FROM {_CLAIMED} WHERE late OR older"  # noqa: S608
    staging.run(f"DELETE FROM {name} WHERE keyed AND record_key IN ({late})")  # noqa: S608


def _set_aside(staging: Staging, name: str, column: str, keys: str, rule: Rule) -> None:
    theirs = f"keyed AND record_key IN ({keys})"
    rows = f"SELECT file, line, ordinal, false AS {quoted(_ONE)} FROM {name} WHERE {theirs}"  # noqa: S608
    staging.judge(rows, (Holds(_ONE, column, rule),))
    staging.run(f"DELETE FROM {name} WHERE {theirs}")  # noqa: S608


def _contest(staging: Staging, table: str) -> None:
    """Whose nobody can tell."""
    undecided = f"SELECT record_key FROM {_CLAIMED} WHERE moves AND {_OPEN} AND NOT newer"  # noqa: S608
    staging.run(
        f"INSERT INTO {CONTESTED} SELECT {literal(table)}, record_key FROM ({undecided}) "  # noqa: S608
        f"EXCEPT SELECT * FROM {CONTESTED}"
    )


def _require_few_moves(staging: Staging, table: str) -> None:
    """Raises KeyOfMany where more rows would move than the mapping tolerates to be set aside."""
    moved = f"SELECT count(*) FROM {_CLAIMED} WHERE moves AND {_OPEN}"  # noqa: S608
    (moves,) = staging.run(moved).fetchone()
    (rows,) = staging.run(f"SELECT count(*) FROM {quoted(table)} WHERE keyed").fetchone()  # noqa: S608
    limits = staging.mapping.limits
    if moves >= limits.least and moves > limits.max_rejected * rows:
        raise KeyOfMany(
            f"{moves:,} of {rows:,} rows of {table} bear the key of a record that is landed for another "
            "person, so nothing was landed. Is the key a record's name in one practice only? Then add to "
            "`key` the column that names the practice, and load everything with --afresh. If persons were "
            "merged, raise `max_rejected` in the mapping's [limits] for this load."
        )


def _against_landed(staging: Staging, table: str, by_days: bool) -> str:
    """The keys that are landed and say something else now: whether they are another person's (`moves`), and
    whether this statement is surely `newer` or `older` than the landed one by what files and exports say, or
    `late`, because its bytes were landed before. Each is false where nothing tells."""
    name = quoted(table)
    kinds = (rows.file for rows in staging.mapping.rows if rows.table == table)
    older = "coalesce(st.made < made.first, false)"
    days, joins, newer = "", "", "true"
    if by_days:
        days, joins, newer = f", {_DAYS.format(name=name)}", _JOINS, _NEWER
        older = f"{older} OR {_OLDER}"
    return f"""
        WITH made AS ({made_of_landed(kinds)}) {days}
        SELECT record_key, l.{PATIENT} <> s.{PATIENT} AS moves, l.last_load > st.since AS late,
            {newer} AS newer, {older} AS older,
            coalesce(st.made >= made.first AND st.made < made.last, false) AS between
        FROM {name} s JOIN landed.{name} l USING (record_key) JOIN {STANDING} st ON st.file = s.file
        LEFT JOIN made ON made.load = l.last_load {joins}
        WHERE s.keyed AND l.content_key <> s.content_key
    """  # noqa: S608


# `mine` and `theirs` are this load's exports of the two practices; a file that says its own day is of it.
_DAYS: Final = """
    exporting AS (
        SELECT g.physician_no, min(exported_on) AS first, max(exported_on) AS last
        FROM (SELECT physician_no FROM persons UNION SELECT physician_no FROM {name}) g
        JOIN exports_read x ON coalesce(x.physician_no, g.physician_no) = g.physician_no
        GROUP BY g.physician_no
    ),
    newest AS (SELECT physician_no, max(exported_on) AS day FROM landed.exports GROUP BY physician_no),
    brought AS (SELECT load, physician_no, min(exported_on) AS day FROM landed.exports GROUP BY ALL)
"""
_JOINS: Final = """
    LEFT JOIN exporting mine ON mine.physician_no = s.physician_no
    LEFT JOIN exporting theirs ON theirs.physician_no = l.physician_no
    LEFT JOIN newest mine_before ON mine_before.physician_no = s.physician_no
    LEFT JOIN newest theirs_before ON theirs_before.physician_no = l.physician_no
    LEFT JOIN brought ON brought.load = l.last_load AND brought.physician_no = l.physician_no
"""
_BEFORE: Final = "greatest(theirs_before.day, mine_before.day)"  # of two days, one of which may be missing
_NEWER: Final = f"""coalesce(brought.day IS NOT NULL AND coalesce(st.made, mine.first) > {_BEFORE}
    AND CASE WHEN st.made IS NULL THEN theirs.first ELSE theirs.last END > {_BEFORE}, false)"""
_OLDER: Final = """coalesce(coalesce(st.made, mine.last) < brought.day
    AND coalesce(st.made, theirs.last) < brought.day, false)"""
