"""One load under way: batches of source text in, judged rows in the load's own database. What is done stays
done.

Text lives in memory, batch by batch, and nothing is spilled meanwhile: what a source called a person never
reaches the disk or a message. Each batch is one transaction: after a kill the load goes on behind the last
one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.budget import LANDING, READING
from hub_config.warehouse.landing.memory import give_back
from hub_config.warehouse.loader.expressions import Reading, texts
from hub_config.warehouse.loader.gathering import Gathered, Gathering, Progress, grouped
from hub_config.warehouse.loader.mapping import VendorMapping
from hub_config.warehouse.loader.plan import Input, Plan, passes_of
from hub_config.warehouse.loader.readers import LINE, RECORD, SourceProblem
from hub_config.warehouse.loader.requirements import Requirement
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.validation import Validation
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.schema import literal, quoted
from p4dp_sdk.catalogue.model import Catalogue

SOURCE: Final = "source_rows"
JUDGED: Final = "judged"
FILE_INDEX: Final = "#index"  # of the row's file in the load
PLACES: Final = f's."{FILE_INDEX}" AS file, s."{LINE}" AS line, s."{RECORD}" AS ordinal'  # of rows of SOURCE
# Rows judged at once, and bytes of their text: enough for DuckDB to be quick, little enough for memory.
BATCH: Final = 250_000
BATCH_BYTES: Final = 16 << 20
_FIRST_BIRTH: Final = date(1850, 1, 1)
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS progress
        (file INTEGER, part VARCHAR, passed BIGINT, rows BIGINT, done BOOLEAN);
    CREATE TABLE IF NOT EXISTS steps (step VARCHAR);
    CREATE TABLE IF NOT EXISTS days_read (file INTEGER, exported_on DATE);
    CREATE TABLE IF NOT EXISTS passed_over ("table" VARCHAR, rows BIGINT);
    CREATE TABLE IF NOT EXISTS rejected
        (file INTEGER, line BIGINT, record BIGINT, rule VARCHAR, "column" VARCHAR);
"""

Report = Callable[..., None]


class TooWide(WarehouseProblem):
    """Rows so long that a batch of them doesn't fit in memory."""


@dataclass(frozen=True)
class Staging:
    """`report(step, share, rows)` is told how far the whole is, and how many rows were taken."""

    connection: duckdb.DuckDBPyConnection
    mapping: VendorMapping
    catalogue: Catalogue
    pseudonyms: Pseudonyms
    plan: Plan
    report: Report

    def prepare(self) -> None:
        """A checkpoint may not join what batches appended: it would hold all of that at once."""
        self.run("SET max_vacuum_tasks = 0")
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

    def read(self, part: str, names: Collection[str], judge: Callable[[str], None]) -> None:
        """Every batch of the files that the mapping calls `names`, in the temporary table `SOURCE`, for
        `judge` to take what is good; it is told the name. A batch may hold rows of several files."""
        with self._nothing_spilled():
            Gathering(self, part, judge, BATCH, BATCH_BYTES).run(self._inputs(names))

    @contextmanager
    def _nothing_spilled(self) -> Iterator[None]:
        """While there is text. Raises TooWide where memory runs short of it."""
        self.forget_text()  # what was spilled before counts
        self.run("SET max_temp_directory_size = '0KiB'")
        self.run(f"SET memory_limit = '{READING.memory}'")
        try:
            yield
        except duckdb.OutOfMemoryException:
            raise TooWide(
                "A batch of rows needs more memory than a load has. Practices export no texts that long: see "
                "which columns the mapping reads, and their encoding. What was read so far is kept."
            ) from None
        self.run("RESET max_temp_directory_size")
        self.run(f"SET memory_limit = '{LANDING.memory}'")

    def forget_text(self) -> None:
        for table in (SOURCE, JUDGED):
            self.run(f"DROP TABLE IF EXISTS temp.{table}")

    def end_batch(self) -> None:
        """Forget its text, and most of what was read or written meanwhile, before the next batch comes."""
        self.forget_text()
        give_back(self.connection, READING)

    def _inputs(self, names: Iterable[str]) -> list[Input]:
        return [each for name in dict.fromkeys(names) for each in self.plan.of(name)]

    def tell(self, part: str, input_: Input, position: int) -> None:
        """How far reading has come, in bytes of all that is to be read, and the rows taken so far."""
        before, total = self._bytes_before[part, input_.file.path]
        self.report(input_.file.path, min(1.0, (before + position) / total), self._rows_taken)

    @cached_property
    def _bytes_before(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Of each file in each pass: how many bytes are read before it, and how many in all."""
        every = [
            (part, group[0])
            for part, names in passes_of(self.mapping).items()
            for group in grouped(self._inputs(names))
        ]
        before = accumulate((first.bytes for _, first in every), initial=0)
        total = max(1, sum(first.bytes for _, first in every))
        return {
            (part, first.file.path): (passed, total)
            for (part, first), passed in zip(every, before, strict=False)
        }

    @property
    def _rows_taken(self) -> int:
        (rows,) = self.run("SELECT coalesce(sum(rows), 0) FROM progress").fetchone()
        return int(rows)

    def transaction(self) -> AbstractContextManager[None]:
        return transaction(self.connection)

    def progress(self, part: str) -> dict[int, Progress]:
        """By file, what was taken of it before."""
        rows = self.run("SELECT file, passed, rows, done FROM progress WHERE part = ?", [part]).fetchall()
        return {file: Progress(*told) for file, *told in rows}

    def note(self, part: str, file: int, progress: Progress) -> None:
        self.run("DELETE FROM progress WHERE file = ? AND part = ?", [file, part])
        values = [file, part, progress.passed, progress.rows, progress.done]
        self.run("INSERT INTO progress VALUES (?, ?, ?, ?, ?)", values)

    def take(
        self, name: str, gathered: Sequence[Gathered], judge: Callable[[str], None]
    ) -> Mapping[int, int]:
        """One batch of one kind; how many rows of each file there were, but for blank ones."""
        misfits = [(each.input.index, *misfit) for each in gathered for misfit in each.misfits]
        self._set_misfits_aside(misfits)
        counts = Counter(file for file, *_ in misfits)
        filled = [each for each in gathered if each.batch is not None and each.batch.num_rows]
        if filled:
            columns = self.mapping.source_columns(name)
            with registered(self.connection, "batch", _batch(filled)):
                cells = _cells(columns, self.mapping.files[name].missing)
                self.run(f"CREATE OR REPLACE TEMP TABLE {SOURCE} AS {cells}")
            index = quoted(FILE_INDEX)
            counts.update(
                dict(self.run(f"SELECT {index}, count(*) FROM {SOURCE} GROUP BY {index}").fetchall())  # noqa: S608
            )
            judge(name)
        return counts

    def _set_misfits_aside(self, misfits: Sequence[tuple[int, int, int]]) -> None:
        if misfits:
            table = pa.table(
                {
                    name: pa.array(values, pa.int64())
                    for name, values in zip(
                        ("file", "line", "record"), zip(*misfits, strict=True), strict=True
                    )
                }
            )
            with registered(self.connection, "misfits", table):
                self.run(
                    "INSERT INTO rejected SELECT file, line, record, "  # noqa: S608
                    f"{literal(Rule.FIELDS)}, NULL FROM misfits"
                )

    def judge(self, rows: str, requirements: tuple[Requirement, ...]) -> None:
        """The query `rows` (with `file`, `line` and `ordinal`) in the temporary table `JUDGED`, each under
        its `place`, but for the rows that break a requirement: those are noted."""
        self.run(
            f"CREATE OR REPLACE TEMP TABLE {JUDGED} AS SELECT *, row_number() OVER () - 1 AS place FROM "  # noqa: S608
            f"({rows})"
        )
        self._set_broken_aside(requirements)

    def _set_broken_aside(self, requirements: tuple[Requirement, ...]) -> None:
        if self.run(f"SELECT 1 FROM {JUDGED} LIMIT 1").fetchone() is None:  # noqa: S608
            return
        broken = self._validation(requirements).broken(self.connection, JUDGED)
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
                'INSERT INTO rejected SELECT j.file, j.line, j.ordinal, r.rule, r."column" '  # noqa: S608
                f"FROM {JUDGED} j JOIN broken b USING (place) JOIN rules r USING (broken)"
            )
            self.run(f"DELETE FROM {JUDGED} WHERE place IN (SELECT place FROM broken)")  # noqa: S608

    @cached_property
    def _validations(self) -> dict[tuple[Requirement, ...], Validation]:
        return {}

    def _validation(self, requirements: tuple[Requirement, ...]) -> Validation:
        """Its schema is made once, whatever the number of batches."""
        return self._validations.setdefault(requirements, Validation(requirements))

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


def _batch(gathered: Sequence[Gathered]) -> Any:
    """One Arrow table, each row with the index of its file."""
    tables = []
    for each in gathered:
        file = pa.repeat(pa.scalar(each.input.index, pa.int32()), each.batch.num_rows)
        tables.append(pa.Table.from_batches([each.batch.append_column(FILE_INDEX, file)]))
    return pa.concat_tables(tables)


def _cells(columns: Mapping[str, str], missing: Sequence[str]) -> str:
    """The trimmed cells of a batch, null where missing, and where they stand; blank lines left out. Each cell
    is trimmed once."""
    places = ", ".join(quoted(name) for name in (FILE_INDEX, LINE, RECORD))
    trimmed = ", ".join(f"trim({quoted(column)}) AS {quoted(column)}" for column in columns)
    words = texts(("", *missing))
    cells = ", ".join(
        f"CASE WHEN {quoted(column)} NOT IN ({words}) THEN {quoted(column)} END AS {quoted(column)}"
        for column in columns
    )
    filled = " OR ".join(f"{quoted(column)} <> ''" for column in columns)
    return f"SELECT {cells}, {places} FROM (SELECT {trimmed}, {places} FROM batch) WHERE {filled}"  # noqa: S608


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
