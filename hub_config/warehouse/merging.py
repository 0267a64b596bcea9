"""Moves the rows of small centres, in a snapshot that is being made, to the centre they are merged into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.centres import NOWHERE, Merge, Size, merged
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.schema import quoted
from p4dp_sdk.catalogue.model import Catalogue, Table, Unit

_LABEL: Final = "Petits centres"
_CENTRE: Final = "centre_id"
_PHYSICIAN: Final = "physician_no"


class CentreClash(WarehouseProblem):
    """A centre bears the code that small centres are merged under; nothing was frozen."""


def merge_small_centres(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, first: date, last: date
) -> Mapping[str, tuple[str, ...]]:
    """Merge them in every table of a snapshot whose events lie from `first` to `last`: the members by the
    code that they now bear, `NOWHERE` where none. Raises CentreClash."""
    _note_active(connection, catalogue, first, last)
    sizes = _sizes(connection)
    merges = merged(sizes)
    if merges:
        _require_no_clash(merges, sizes)
        _move(connection, catalogue, merges)
        _list(connection, merges)
    return {each.centre or NOWHERE: each.members for each in merges}


def _note_active(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, first: date, last: date
) -> None:
    dated = [
        f"SELECT DISTINCT {_PHYSICIAN} FROM {quoted(table.name)} "  # noqa: S608
        f"WHERE {quoted(table.column(table.date).stored_as)} BETWEEN $first AND $last"
        for table in _about_patients(catalogue)
        if table.date
    ]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE active_physicians AS {' UNION '.join(dated)}",
        {"first": first, "last": last},
    )


def _about_patients(catalogue: Catalogue) -> Iterator[Table]:
    """What practices export of their patients."""
    return (each for each in catalogue.tables.values() if each.unit is Unit.PERSON and not each.snds)


def _sizes(connection: duckdb.DuckDBPyConnection) -> Sequence[Size]:
    """Of every centre that is listed or that anybody has."""
    rows = connection.execute(
        f"""
        WITH known AS (
            SELECT {_CENTRE} FROM centres UNION SELECT {_CENTRE} FROM patients
            UNION SELECT {_CENTRE} FROM physicians
        ), active AS (
            SELECT {_CENTRE}, count(*) AS n FROM physicians SEMI JOIN active_physicians USING ({_PHYSICIAN})
            GROUP BY ALL
        )
        SELECT {_CENTRE}, any_value(region), coalesce(any_value(n), 0)
        FROM known LEFT JOIN centres USING ({_CENTRE}) LEFT JOIN active USING ({_CENTRE})
        WHERE {_CENTRE} IS NOT NULL GROUP BY {_CENTRE} ORDER BY {_CENTRE}
        """  # noqa: S608
    ).fetchall()
    return [Size(*row) for row in rows]


def _require_no_clash(merges: Iterable[Merge], sizes: Iterable[Size]) -> None:
    taken = {each.centre for each in sizes} & {each.centre for each in merges}
    if taken:
        raise CentreClash(
            f"{min(taken, key=str)!r} is the code that small centres are merged under: give the centre "
            "another one in the mappings' [[centres]], load again with --afresh, and freeze."
        )


def _move(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, merges: Iterable[Merge]) -> None:
    pairs = [(member, each.centre) for each in merges for member in each.members]
    members, centres = zip(*pairs, strict=True)
    moves = pa.table({"member": pa.array(members, pa.string()), "centre": pa.array(centres, pa.string())})
    connection.register("moved_centres", moves)
    for table in catalogue.tables.values():
        if table.name != "centres" and table.has(_CENTRE):
            connection.execute(
                f"UPDATE {quoted(table.name)} AS r SET {_CENTRE} = m.centre FROM moved_centres m "  # noqa: S608
                f"WHERE r.{_CENTRE} = m.member"
            )
    connection.execute(f"DELETE FROM centres WHERE {_CENTRE} IN (SELECT member FROM moved_centres)")  # noqa: S608
    connection.unregister("moved_centres")


def _list(connection: duckdb.DuckDBPyConnection, merges: Iterable[Merge]) -> None:
    for each in merges:
        if each.centre is not None:
            label = f"{_LABEL} ({each.region})" if each.region else _LABEL
            values = [each.centre, each.region, label]
            connection.execute(f"INSERT INTO centres ({_CENTRE}, region, label) VALUES (?, ?, ?)", values)  # noqa: S608
