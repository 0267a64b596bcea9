"""What the journal of a landing says of files, and what a load writes into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from hub_config.warehouse.landing.apply import Change, Entry
from hub_config.warehouse.loader.mapping import InventedPhysicians, Source, VendorMapping
from hub_config.warehouse.loader.plan import Input, Plan
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import registered
from hub_config.warehouse.loader.succession import made_of
from hub_config.warehouse.loader.tally import Tally
from hub_config.warehouse.schema import literal

Known = Mapping[tuple[str, str], int]  # (file of the mapping, hash) → rows that wait for their person


@dataclass(frozen=True)
class Journal:
    connection: duckdb.DuckDBPyConnection

    @property
    def last(self) -> int:
        """The number of the last load; 0 before the first."""
        return int(self._one("SELECT coalesce(max(load), 0) FROM loads"))

    @property
    def meanings(self) -> set[str]:
        """The meanings of the mappings by which what is landed was read."""
        query = "SELECT DISTINCT mapping FROM loads JOIN files USING (load) WHERE read"
        return {row[0] for row in self.connection.execute(query).fetchall()}

    def known(self, meaning: str, codes: str, source: Source) -> Known:
        """The files that were read with this meaning, and with these codes known; but not those of which a
        row was set aside for its date, where other dates are possible now."""
        rows = self.connection.execute(
            "SELECT file, sha256, arg_max(waiting, load) FROM files f JOIN loads USING (load) "
            "WHERE read AND mapping = $meaning AND codes = $codes AND ("
            "(reference_date, first_date, last_date) IS NOT DISTINCT FROM ($on, $first, $last) OR NOT EXISTS "
            "(FROM rejected r WHERE r.file = f.file AND r.sha256 = f.sha256 AND r.rule = $dated)) "
            "GROUP BY ALL",
            {
                "meaning": meaning,
                "codes": codes,
                "on": source.reference_date,
                "first": source.dates[0],
                "last": source.dates[1],
                "dated": Rule.IMPOSSIBLE_DATE.value,
            },
        ).fetchall()
        return {(file, sha256): waiting for file, sha256, waiting in rows}

    def first_loads(self) -> dict[str, int]:
        """By hash, the load that first brought a file's bytes, under whatever name."""
        query = "SELECT sha256, min(load) FROM files GROUP BY sha256"
        return dict(self.connection.execute(query).fetchall())

    def changes(self, load: int) -> dict[str, Change]:
        """What a load did, by table."""
        counts = "added, updated, unchanged, coalesce(removed, 0), coalesce(moved, 0), coalesce(older, 0)"
        query = f'SELECT "table", {counts} FROM changes WHERE load = ?'  # noqa: S608
        return {table: Change(*told) for table, *told in self.connection.execute(query, [load]).fetchall()}

    def restated(self, mapping: VendorMapping) -> bool:
        """Whether the mapping says otherwise than at the last load how the landed rows are to be frozen."""
        columns = "population, public, reference_date, first_date, last_date"
        last = self.connection.execute(f"SELECT {columns} FROM loads ORDER BY load DESC LIMIT 1").fetchone()  # noqa: S608
        source = mapping.source
        now = (source.in_population, source.public, source.reference_date, *source.dates)
        return last is not None and last != now

    def tallies(self, inputs: Sequence[Input]) -> tuple[Tally, ...]:
        """Of files read before."""
        return tuple(self._tally(each) for each in inputs)

    def _tally(self, input_: Input) -> Tally:
        key = [input_.name, input_.sha256]
        rows = self._one("SELECT arg_max(rows, load) FROM files WHERE file = ? AND sha256 = ? AND read", key)
        found = self.connection.execute(
            "SELECT rule, count(DISTINCT coalesce(record, line)) FROM rejected "
            "WHERE file = ? AND sha256 = ? GROUP BY rule ORDER BY rule",
            key,
        ).fetchall()
        rejected = {Rule(rule): count for rule, count in found}
        return Tally(input_.name, input_.file.path, input_.sha256, input_.bytes, rows or 0, False, rejected)

    def _one(self, query: str, values: Sequence[object] = ()) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return row[0] if row else None


def marked(
    inputs: Iterable[Input], known: Known, first: Mapping[str, int], mapping: VendorMapping
) -> tuple[Input, ...]:
    """The inputs, each with its first load, those marked that need no reading: known ones, and the same bytes
    a second time. Rows that wait for their person are read again when new persons come, with all files of
    the kind that came with theirs: which of them is the newest is asked among all."""
    seen: set[tuple[str, str]] = set()
    judged = []
    for each in inputs:
        key = (each.name, each.sha256)
        judged.append(replace(each, known=key in known or key in seen, since=first.get(each.sha256)))
        seen.add(key)
    persons = any(each.name == mapping.patients.file and not each.known for each in judged)
    waiting = {key for key, rows in known.items() if rows and persons}
    again = {(each.name, each.since) for each in judged if (each.name, each.sha256) in waiting}
    return tuple(replace(each, known=each.known and (each.name, each.since) not in again) for each in judged)


def tallied(
    stage: duckdb.DuckDBPyConnection, inputs: Sequence[Input], before: Sequence[Tally]
) -> tuple[Tally, ...]:
    """Of the files of a load under way; of those that need no reading, what was said of them before."""
    rows = dict(stage.execute("SELECT file, max(rows) FROM progress GROUP BY file").fetchall())
    found = stage.execute(
        'SELECT file, rule, count(DISTINCT record), min(line), arg_min("column", line) '
        "FROM rejected GROUP BY file, rule ORDER BY file, rule"
    ).fetchall()
    aside = dict(stage.execute("SELECT file, count(DISTINCT record) FROM rejected GROUP BY file").fetchall())
    made = made_of(stage, inputs)
    return tuple(
        told
        if each.known
        else replace(
            told,
            rows=rows.get(each.index, 0),
            read=True,
            rejected={Rule(rule): count for file, rule, count, *_ in found if file == each.index},
            first={Rule(rule): (line, column) for file, rule, _, line, column in found if file == each.index},
            aside=aside.get(each.index, 0),
            made=made[each.index],
        )
        for each, told in zip(inputs, before, strict=True)
    )


def write_listing(stage: duckdb.DuckDBPyConnection, inputs: Sequence[Input], path: Path) -> None:
    """File, line, record, rule and column of each row set aside; never the value, never the person."""
    files = pa.table(
        {
            "file": pa.array([each.index for each in inputs], pa.int32()),
            "path": [each.file.path for each in inputs],
        }
    )
    with registered(stage, "paths", files):
        stage.execute(
            'COPY (SELECT DISTINCT path AS file, line, record, rule, "column" '  # noqa: S608
            "FROM rejected JOIN paths USING (file) ORDER BY ALL) "
            f"TO {literal(str(path))} (FORMAT csv, HEADER)"
        )


def entry_of(mapping: VendorMapping, plan: Plan, tallies: Sequence[Tally]) -> Entry:
    """What the journal will say of the load."""
    source, invented = mapping.source, isinstance(mapping.physicians, InventedPhysicians)
    return Entry(
        load=plan.load,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        mapping=plan.meaning,
        codes=plan.codes,
        population=source.in_population,
        public=source.public,
        invented=invented,
        reference_date=source.reference_date,
        dates=source.dates,
        afresh=plan.afresh,
        restated=plan.restated,
        death_source="practice" if mapping.patients.death and not invented else None,
        centres=tuple((each.id, each.region, each.label) for each in mapping.centres),
        differ=tuple(
            (rows.table, rows.measurement.of, *pair)
            for rows in mapping.rows
            if rows.measurement
            for pair in rows.measurement.differ
        ),
        files=tuple(
            (
                *(each.name, each.path, each.sha256, each.bytes, each.rows),
                each.rejected.get(Rule.NO_PERSON, 0),
                not known.known,
                each.made,
            )
            for each, known in zip(tallies, plan.inputs, strict=True)
        ),
    )
