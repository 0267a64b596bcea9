"""Reads the files of a linkage, batch by batch: judged by the same validation as any export, under dense
numbers. A pseudonym that is nobody's here is set aside by its line; none is ever kept or said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from hub_config.warehouse.linkage.files import FIRST_DAY, PSEUDONYM, LinkedFile
from hub_config.warehouse.linkage.store import stored
from hub_config.warehouse.loader.expressions import Parsed, Reading
from hub_config.warehouse.loader.people import staged_columns
from hub_config.warehouse.loader.readers import LINE, open_rows
from hub_config.warehouse.loader.requirements import Holds, Needed, Requirement, text_of
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import registered
from hub_config.warehouse.loader.validation import Validation
from hub_config.warehouse.schema import duckdb_type, literal, quoted
from p4dp_sdk.catalogue.model import Catalogue, Table

NAMES: Final = "names"  # pseudonym and patient_no of everybody who may be meant
REJECTED: Final = "linkage_rejected"
_BATCH: Final = "linked_batch"
_JUDGED: Final = "linked_judged"
_KNOWN: Final = "pseudonym known"
_ORDERED: Final = "left after entry"


@dataclass(frozen=True)
class LinkedRows:
    """One file on its way into its table. `last`: the last possible day."""

    connection: duckdb.DuckDBPyConnection
    directory: Path
    given: LinkedFile
    catalogue: Catalogue
    last: date

    def read(self) -> int:
        """How many rows there were, good or bad. Raises SourceProblem."""
        count = 0
        with open_rows(self.directory, self.given.file, self.given.columns) as rows:
            for batch in rows.batches:
                count += batch.num_rows
                with registered(self.connection, _BATCH, batch):
                    self._take()
        ragged = pa.table({"line": pa.array(rows.ragged, pa.int64())})
        with registered(self.connection, "ragged", ragged):
            self._set_aside(f"SELECT line, {literal(Rule.FIELDS)}, NULL FROM ragged")  # noqa: S608
        return count + len(rows.ragged)

    def _take(self) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {_JUDGED} AS {self._typed()}")
        requirements = tuple(self._requirements())
        broken = Validation(requirements).broken(self.connection, _JUDGED)
        rules = pa.table(
            {
                "broken": pa.array(range(len(requirements)), pa.int32()),
                "rule": [str(each.rule) for each in requirements],
                "column": [each.column for each in requirements],
            }
        )
        with registered(self.connection, "broken", broken), registered(self.connection, "rules", rules):
            found = f"{_JUDGED} j JOIN broken b USING (place) JOIN rules r USING (broken)"
            self._set_aside(f'SELECT j.line, r.rule, r."column" FROM {found}')  # noqa: S608
            self.connection.execute(f"DELETE FROM {_JUDGED} WHERE place IN (SELECT place FROM broken)")  # noqa: S608
        columns = ", ".join(self._kept())
        self.connection.execute(
            f"INSERT INTO {quoted(self.table.name)} BY NAME SELECT {columns} FROM {_JUDGED}"  # noqa: S608
        )

    def _set_aside(self, lines: str) -> None:
        file = literal(self.given.file.path)
        self.connection.execute(
            f"INSERT INTO {REJECTED} SELECT {file}, * FROM ({lines})"  # noqa: S608
        )

    @property
    def table(self) -> Table:
        return self.catalogue.tables[self.given.table]

    def _typed(self) -> str:
        cells = ", ".join(
            f"nullif(trim({quoted(name)}), '') AS {quoted(name)}" for name in self.given.columns
        )
        columns = [
            f"s.{quoted(LINE)} AS line",
            "n.patient_no",
            f"n.patient_no IS NOT NULL AS {quoted(_KNOWN)}",
        ]
        columns.append(f"s.{PSEUDONYM} AS {quoted(text_of(PSEUDONYM))}")
        for name, parsed in self._parsed().items():
            columns += staged_columns(name, parsed, duckdb_type(self.table.column(name)))
        stays = f", exit_date >= date AS {quoted(_ORDERED)}" if self._has_length else ""
        return (
            f"SELECT *{stays}, row_number() OVER () - 1 AS place FROM (SELECT {', '.join(columns)} FROM "  # noqa: S608
            f"(SELECT {cells}, {quoted(LINE)} FROM {_BATCH}) s "
            f"LEFT JOIN {NAMES} n ON n.pseudonym = try_cast(s.{PSEUDONYM} AS BIGINT))"
        )

    def _parsed(self) -> Mapping[str, Parsed]:
        reading = Reading(self.given.file, "s", None, (FIRST_DAY, self.last))
        return {
            name: reading.value(name, value, self._codes(name), self.table.column(name).bounds)
            for name, value in self.given.values.items()
        }

    def _codes(self, name: str) -> frozenset[str] | None:
        system = self.table.column(name).codes
        return frozenset(code.code for code in self.catalogue.code_systems[system].codes) if system else None

    def _requirements(self) -> Iterator[Requirement]:
        yield Needed(PSEUDONYM, PSEUDONYM, Rule.MISSING)
        yield Holds(_KNOWN, PSEUDONYM, Rule.UNKNOWN_PSEUDONYM)
        for parsed in self._parsed().values():
            yield from parsed.requirements
        if self._has_length:
            yield Holds(_ORDERED, "exit_date", Rule.IMPOSSIBLE_DATE)

    @property
    def _has_length(self) -> bool:
        return "length_days" in stored(self.table)

    def _kept(self) -> Iterator[str]:
        yield "patient_no"
        for name in self.given.values:
            if name == "death_month":
                yield "CAST(date_trunc('month', death_month) AS DATE) AS death_month"
                yield "CASE WHEN death_month IS NOT NULL THEN 'snds' END AS death_source"
            else:
                yield quoted(name)
        if self._has_length:
            yield "CAST(exit_date - date AS INTEGER) AS length_days"
