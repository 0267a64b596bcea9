"""One load under way: batches of source text in, judged rows in the load's own database. What is done stays
done.

Text lives in memory and in DuckDB's encrypted spill, batch by batch; what a source called a person never
reaches the database, its free blocks or a message. Each batch is one transaction: after a kill the load
goes on behind the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.loader.expressions import Reading, texts
from hub_config.warehouse.loader.mapping import VendorMapping
from hub_config.warehouse.loader.plan import Input, Plan
from hub_config.warehouse.loader.readers import LINE, SourceProblem, open_rows
from hub_config.warehouse.loader.requirements import Requirement
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.validation import Validation
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.schema import literal, quoted
from p4dp_sdk.catalogue.model import Catalogue

SOURCE: Final = "source_rows"
JUDGED: Final = "judged"
BATCH: Final = 250_000  # rows judged at once: enough for DuckDB to be quick, little enough for memory
_FIRST_BIRTH: Final = date(1850, 1, 1)
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS progress
        (file INTEGER, part VARCHAR, passed BIGINT, rows BIGINT, done BOOLEAN);
    CREATE TABLE IF NOT EXISTS steps (step VARCHAR);
    CREATE TABLE IF NOT EXISTS rejected (file INTEGER, line BIGINT, rule VARCHAR, "column" VARCHAR);
"""

Report = Callable[..., None]


@dataclass(frozen=True)
class Staging:
    """`report(step, share)` is told of each batch."""

    connection: duckdb.DuckDBPyConnection
    mapping: VendorMapping
    catalogue: Catalogue
    pseudonyms: Pseudonyms
    plan: Plan
    report: Report

    def prepare(self) -> None:
        self.run(_TABLES)

    def run(self, statement: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
        return self.connection.execute(statement, parameters)

    @property
    def source(self) -> str:
        return self.mapping.source.name

    def reading(self, file: str) -> Reading:
        source = self.mapping.source
        return Reading(self.mapping.files[file], "s", source.day_zero, source.dates)

    def reading_births(self, file: str) -> Reading:
        """Births lie before the first event and never after the date of the ages."""
        return replace(self.reading(file), dates=(_FIRST_BIRTH, self.mapping.source.reference_date))

    @contextmanager
    def step(self, name: str) -> Iterator[bool]:
        """One transaction that is done once: false where it was done before."""
        if self.run("SELECT 1 FROM steps WHERE step = ?", [name]).fetchone():
            yield False
            return
        with transaction(self.connection):
            yield True
            self.run("INSERT INTO steps VALUES (?)", [name])

    def read(self, part: str, input_: Input, judge: Callable[[], None]) -> None:
        """Every batch of a file in the temporary table `SOURCE`, for `judge` to take what is good."""
        progress = self._progress(part, input_)
        if progress.done:
            return
        columns = self.mapping.source_columns(input_.name)
        with open_rows(self.plan.directory, input_.file, columns) as rows:
            told = passed = 0
            for batch in gathered(rows.batches, BATCH):
                passed += batch.num_rows  # lines don't tell batches apart: all records may be on one line
                if passed <= progress.passed:
                    continue
                ragged, told = rows.ragged[told:], len(rows.ragged)
                with transaction(self.connection), registered(self.connection, "batch", batch):
                    progress = self._take(input_, columns, progress, passed, ragged)
                    judge()
                self.report(input_.file.path, self.plan.share(input_, progress.rows))
        self._finish(input_, progress, rows.ragged[told:])

    def _take(
        self,
        input_: Input,
        columns: Mapping[str, str],
        progress: _Progress,
        passed: int,
        ragged: Sequence[int],
    ) -> _Progress:
        self.run(f"CREATE OR REPLACE TEMP TABLE {SOURCE} AS {_cells(columns, input_.file.missing)}")
        (count,) = self.run(f"SELECT count(*) FROM {SOURCE}").fetchone()  # noqa: S608
        self._set_ragged_aside(input_, ragged)
        progress = replace(progress, passed=passed, rows=progress.rows + count + len(ragged))
        self._note(progress)
        return progress

    def _finish(self, input_: Input, progress: _Progress, ragged: Sequence[int]) -> None:
        input_.require_unchanged(self.plan.directory)
        with transaction(self.connection):
            self._set_ragged_aside(input_, ragged)
            self._note(replace(progress, rows=progress.rows + len(ragged), done=True))

    def _progress(self, part: str, input_: Input) -> _Progress:
        row = self.run(
            "SELECT passed, rows, done FROM progress WHERE file = ? AND part = ?", [input_.index, part]
        ).fetchone()
        return _Progress(input_.index, part, *(row or (0, 0, False)))

    def _note(self, progress: _Progress) -> None:
        self.run("DELETE FROM progress WHERE file = ? AND part = ?", [progress.file, progress.part])
        values = [progress.file, progress.part, progress.passed, progress.rows, progress.done]
        self.run("INSERT INTO progress VALUES (?, ?, ?, ?, ?)", values)

    def _set_ragged_aside(self, input_: Input, lines: Sequence[int]) -> None:
        if lines:
            table = pa.table({"line": pa.array(lines, pa.int64())})
            with registered(self.connection, "ragged", table):
                self.run(
                    f"INSERT INTO rejected SELECT {input_.index}, line, "  # noqa: S608
                    f"{literal(Rule.FIELDS)}, NULL FROM ragged"
                )

    def judge(self, rows: str, input_: Input, requirements: tuple[Requirement, ...]) -> None:
        """The query `rows` (with `line`) in the temporary table `JUDGED`, each under its `place`, but for
        the rows that break a requirement: those are noted."""
        self.run(
            f"CREATE OR REPLACE TEMP TABLE {JUDGED} AS SELECT *, row_number() OVER () - 1 AS place FROM "  # noqa: S608
            f"({rows})"
        )
        self._set_broken_aside(input_, requirements)

    def _set_broken_aside(self, input_: Input, requirements: tuple[Requirement, ...]) -> None:
        broken = Validation(requirements).broken(self.connection, JUDGED)
        if not len(broken):
            return
        rules = pa.table(
            {
                "broken": pa.array(range(len(requirements)), pa.int32()),
                "rule": [str(each.rule) for each in requirements],
                "column": [each.column or None for each in requirements],
            }
        )
        with registered(self.connection, "broken", broken), registered(self.connection, "rules", rules):
            self.run(
                f'INSERT INTO rejected SELECT {input_.index}, j.line, r.rule, r."column" '  # noqa: S608
                f"FROM {JUDGED} j JOIN broken b USING (place) JOIN rules r USING (broken)"
            )
            self.run(f"DELETE FROM {JUDGED} WHERE place IN (SELECT place FROM broken)")  # noqa: S608

    def set_aside(self, input_: Input, rule: Rule, column: str, lines: str) -> None:
        """Note the lines that the query `lines` gives."""
        self.run(
            f"INSERT INTO rejected SELECT {input_.index}, line, {literal(rule)}, {literal(column)} FROM "  # noqa: S608
            f"({lines})"
        )

    def secret(self, scope: str) -> str:
        """What names of records of one kind are hashed with in DuckDB: of this source and key alone."""
        (digest,) = self.pseudonyms.digests(Kind.RECORD, self.source, [scope])
        return digest.hex()

    @contextmanager
    def digests(self, name: str, kind: Kind, column: str, table: str) -> Iterator[None]:
        """Under `name`: `text` and `digest` of each distinct text in a column of a temporary table."""
        distinct = f"SELECT DISTINCT {column} AS text FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
        text = self.run(distinct).to_arrow_table().column("text").combine_chunks()
        digest = self.pseudonyms.digest_array(kind, self.source, text)
        with registered(self.connection, name, pa.table({"text": text, "digest": digest})):
            yield


@dataclass(frozen=True)
class _Progress:
    file: int
    part: str
    passed: int  # records read from the file, good or bad, up to the end of a batch
    rows: int
    done: bool


def _cells(columns: Mapping[str, str], missing: Sequence[str]) -> str:
    """The trimmed cells of a batch, null where missing; blank lines left out."""
    something = ", ".join(f"trim({quoted(column)})" for column in columns)
    words = texts(("", *missing))
    cells = ", ".join(
        f"CASE WHEN trim({quoted(column)}) NOT IN ({words}) THEN trim({quoted(column)}) END AS "
        f"{quoted(column)}"
        for column in columns
    )
    return f"SELECT {cells}, {quoted(LINE)} FROM batch WHERE concat({something}) <> ''"  # noqa: S608


def gathered(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """The same rows as tables of at most `rows` rows, without blank tables."""
    held: list[Any] = []
    for batch in batches:
        for start in range(0, batch.num_rows, rows):
            piece = batch.slice(start, rows)
            if held and piece.num_rows + sum(each.num_rows for each in held) > rows:
                yield pa.Table.from_batches(held)
                held = []
            held.append(piece)
    if held:
        yield pa.Table.from_batches(held)


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, table: Any) -> Iterator[None]:
    """An Arrow table under a name, for a moment."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


__all__ = [
    "BATCH",
    "JUDGED",
    "SOURCE",
    "SourceProblem",
    "Staging",
    "cached_property",
    "registered",
    "transaction",
]
