"""One load under way: source text in temporary tables, set-based judgement, rows set aside.

Temporary tables live in memory and in the build's own spill directory, never in the snapshot's database
file: what a source called a person does not even remain in its free blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb

from hub_config.warehouse.loader.expressions import Reading
from hub_config.warehouse.loader.mapping import VendorMapping
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.source import LINE, open_rows
from hub_config.warehouse.schema import literal, quoted
from p4dp_sdk.catalogue.model import Catalogue

SOURCE: Final = "source_rows"
_FIRST_BIRTH: Final = date(1850, 1, 1)


@dataclass(frozen=True)
class Staging:
    connection: duckdb.DuckDBPyConnection
    mapping: VendorMapping
    catalogue: Catalogue
    directory: Path

    def prepare(self) -> None:
        self.run('CREATE TEMP TABLE rejected (file VARCHAR, line BIGINT, rule VARCHAR, "column" VARCHAR)')

    def run(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        return self.connection.execute(statement, parameters)

    def reading(self, file: str) -> Reading:
        source = self.mapping.source
        return Reading(self.mapping.files[file], "s", source.day_zero, source.dates)

    def reading_births(self, file: str) -> Reading:
        """Births lie before the first event and never after the date of the ages."""
        return replace(self.reading(file), dates=(_FIRST_BIRTH, self.mapping.source.reference_date))

    @contextmanager
    def file(self, name: str) -> Iterator[None]:
        """The columns of a file the mapping reads, as text, in the temporary table `SOURCE`; blank lines
        left out."""
        columns = self.mapping.source_columns(name)
        declared = ", ".join(f"{quoted(column)} VARCHAR" for column in columns)
        self.run(f"CREATE TEMP TABLE {SOURCE} ({declared}, {quoted(LINE)} BIGINT)")
        try:
            self._fill(name, columns)
            yield
        finally:
            self.run(f"DROP TABLE {SOURCE}")

    def _fill(self, name: str, columns: Mapping[str, str]) -> None:
        something = " || ".join(f"trim({quoted(column)})" for column in columns)
        with open_rows(self.directory, self.mapping.files[name], columns) as rows:
            for batch in rows.batches:
                with registered(self.connection, "batch", batch):
                    self.run(f"INSERT INTO {SOURCE} SELECT * FROM batch WHERE {something} <> ''")  # noqa: S608
        if rows.ragged:
            values = [(self._path(name), line, Rule.FIELDS, None) for line in rows.ragged]
            self.connection.executemany("INSERT INTO rejected VALUES (?, ?, ?, ?)", values)

    def set_aside(self, file: str, table: str) -> None:
        """Note the rows of `table` (line, problem) whose problem is not null."""
        self.run(
            f"INSERT INTO rejected SELECT {literal(self._path(file))}, line, problem.rule, problem.column "  # noqa: S608
            f"FROM {table} WHERE problem IS NOT NULL"
        )

    def rejected(self) -> Mapping[Rule, int]:
        """How many source rows each rule set aside."""
        counted = self.run(
            "SELECT rule, count(DISTINCT (file, line)) FROM rejected GROUP BY rule ORDER BY rule"
        )
        return {Rule(rule): count for rule, count in counted.fetchall()}

    def write_rejected(self, path: Path) -> None:
        """File, line, rule and column of each; never the value, never the person."""
        listing = 'SELECT DISTINCT file, line, rule, "column" FROM rejected ORDER BY ALL'
        self.run(f"COPY ({listing}) TO {literal(str(path))} (FORMAT csv, HEADER)")

    def _path(self, file: str) -> str:
        return self.mapping.files[file].path


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, table: Any) -> Iterator[None]:
    """An Arrow table under a name, for a moment."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)
