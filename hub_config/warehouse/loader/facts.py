"""Events of persons: each block of the mapping takes its rows of a batch, judges them, and keeps the good
ones, under the keys by which a later export's rows are known to be the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Final

from hub_config.warehouse.budget import LANDING
from hub_config.warehouse.landing.layout import CONTESTED, JOURNAL, NUMBER, create, fact_columns
from hub_config.warehouse.landing.memory import give_back
from hub_config.warehouse.loader.agreement import known_codes
from hub_config.warehouse.loader.apart import physician_numbers, take_exports
from hub_config.warehouse.loader.claims import settle_with_landed
from hub_config.warehouse.loader.expressions import Parsed, Reading
from hub_config.warehouse.loader.mapping import Rows
from hub_config.warehouse.loader.measurements import IN_UNIT, harmonised
from hub_config.warehouse.loader.people import EVERYBODY, staged_columns
from hub_config.warehouse.loader.plan import passes_of
from hub_config.warehouse.loader.requirements import Holds, Needed, Readable, Requirement, text_of
from hub_config.warehouse.loader.rules import Rule
from hub_config.warehouse.loader.staging import JUDGED, PLACES, SOURCE, Staging, registered
from hub_config.warehouse.loader.succession import keep_newest, standing
from hub_config.warehouse.privacy.text import keeps_text, kept
from hub_config.warehouse.pseudonyms import Kind
from hub_config.warehouse.schema import duckdb_type, literal, quoted
from p4dp_sdk.catalogue.model import Column, Role, Table

PLACE: Final = {"file": "INTEGER", "line": "BIGINT", "ordinal": "BIGINT", "keyed": "BOOLEAN"}
_OWN: Final = ("patient_no", "physician_no", "centre_id")
# Staged conditions and texts, beside the catalogue's columns.
_PERSON, _KNOWN, _BORN, _ALIVE = "person", "person known", "after birth", "before death"
_TAKEN, _KEY, _GP = "taken", "record", "gp"
_RECORD: Final = "record"


def load_facts(staging: Staging) -> None:
    """Every file that blocks read. A row that no block takes is set aside."""
    for table in dict.fromkeys(rows.table for rows in staging.mapping.rows):
        columns = {**PLACE, **fact_columns(staging.catalogue.tables[table])}
        staging.run(create(table, columns))
    staging.run(create(CONTESTED, JOURNAL[CONTESTED]))
    blocks = {
        file: [Block.of(staging, rows) for rows in staging.mapping.rows if rows.file == file]
        for file in dict.fromkeys(rows.file for rows in staging.mapping.rows)
    }
    staging.read("facts", passes_of(staging.mapping)["facts"], partial(_take_batch, staging, blocks))
    for table, column in _keyed(staging).items():
        with staging.step(f"first records of {table}") as todo, standing(staging):
            if todo:
                keep_newest(staging, table, column)
                settle_with_landed(staging, table, column)
        give_back(staging.connection, LANDING)


@dataclass(frozen=True)
class Block:
    """One block of the mapping, ready to take its rows of any batch of its file."""

    staging: Staging
    rows: Rows
    table: Table
    read: Reading
    parsed: Mapping[str, Parsed]

    @classmethod
    def of(cls, staging: Staging, rows: Rows) -> Block:
        table, read = staging.catalogue.tables[rows.table], staging.reading(rows.file)
        parsed = {}
        for name, value in rows.columns.items():
            column = table.column(name)
            known = known_codes(column, staging.mapping, staging.catalogue)
            if value.precision_of:
                parsed[column.stored_as] = Parsed(read.precision(rows.columns[value.precision_of]))
            else:
                given = read.value(column.stored_as, value, known, column.bounds)
                parsed[column.stored_as] = _without_free_text(column, given)
        return cls(staging, rows, table, read, parsed)

    def take(self) -> None:
        """The good rows of the batch, under the keys they are known by."""
        self.staging.judge(self._judged, self._requirements)
        with self._physician_numbers() as join:
            self.staging.run(
                f"INSERT INTO {quoted(self.table.name)} BY NAME SELECT file, line, ordinal, "  # noqa: S608
                f"{self.rows.key != ()} AS keyed, {', '.join(self._kept)}, {self._record_key} AS record_key, "
                f"{self._content_key} AS content_key FROM ({self._harmonised(join)})",
                self._secrets,
            )

    @property
    def taken(self) -> str:
        """Never null: which rows are this block's."""
        matches = self.read.holds(self.rows.where) if self.rows.where else "true"
        return (
            f"{matches} AND {self.read.cell(self.rows.present)} IS NOT NULL" if self.rows.present else matches
        )

    @cached_property
    def _events(self) -> tuple[str, ...]:
        """Its columns of identifiers of events: numbers made of the keyed hash of what the source calls
        them."""
        columns = ((self.table.column(name), name) for name in self.rows.columns)
        return tuple(column.stored_as for column, _ in columns if column.role is Role.EVENT)

    @cached_property
    def _judged(self) -> str:
        """The block's rows as typed columns beside their person and the text they were read from."""
        person = self.read.cell(self.rows.person)
        columns = [PLACES, f"{person} AS {quoted(text_of(_PERSON))}"]
        columns += [f"p.{name}" for name in _OWN] + [f"p.patient_no IS NOT NULL AS {quoted(_KNOWN)}"]
        for name, value in self.parsed.items():
            columns += staged_columns(name, value, self._staged_type(name))
        columns += [*self._dated(), *self._measured(), *self._named()]
        return (
            f"SELECT {', '.join(columns)} FROM {SOURCE} s "  # noqa: S608
            f"LEFT JOIN people_here p ON p.text = {person} WHERE {self.taken}"
        )

    def _staged_type(self, stored: str) -> str:
        if stored in self._events:
            return "VARCHAR"
        return next(duckdb_type(column) for column in self.table.columns if column.stored_as == stored)

    def _dated(self) -> Iterator[str]:
        if date := self._date:
            yield f"({self.parsed[date].sql}) >= p.born AS {quoted(_BORN)}"
            yield f"({self.parsed[date].sql}) <= p.death AS {quoted(_ALIVE)}"

    @property
    def _date(self) -> str | None:
        return self.table.column(self.table.date).stored_as if self.table.date else None

    def _measured(self) -> Iterator[str]:
        if measurement := self.rows.measurement:
            cell = self.read.cell(measurement.column)
            yield f"{self.read.number(measurement.column)} AS {NUMBER}"
            yield f"{cell} AS {quoted(text_of(NUMBER))}"
            if measurement.unit:
                yield f"{self.read.cell(measurement.unit)} AS {quoted(IN_UNIT)}"

    def _named(self) -> Iterator[str]:
        """What the source calls the record and its GP."""
        if key := self.rows.key:
            cells = [self.read.cell(column) for column in key]
            given = " AND ".join(f"{cell} IS NOT NULL" for cell in cells)
            named = f"concat_ws(chr(31), {', '.join(cells)})"
            yield f"CASE WHEN {given} THEN {named} END AS {quoted(text_of(_KEY))}"
        if self.rows.physician:
            yield f"{self.read.cell(self.rows.physician)} AS {_GP}"

    @cached_property
    def _requirements(self) -> tuple[Requirement, ...]:
        rows = self.rows
        return (
            Needed(_PERSON, rows.person, Rule.MISSING),
            Holds(_KNOWN, rows.person, Rule.NO_PERSON),
            *([Needed(_KEY, rows.key[0], Rule.MISSING)] if rows.key else []),
            *(requirement for value in self.parsed.values() for requirement in value.requirements),
            *self._lifetime(),
            *self._measurable(),
        )

    def _lifetime(self) -> Iterator[Requirement]:
        if self.table.date:
            column = self.rows.columns[self.table.date].column or ""
            yield Holds(_BORN, column, Rule.BEFORE_BIRTH)
            yield Holds(_ALIVE, column, Rule.AFTER_DEATH)

    def _measurable(self) -> Iterator[Requirement]:
        if measurement := self.rows.measurement:
            yield Needed(NUMBER, measurement.column, Rule.MISSING)
            yield Readable(NUMBER, measurement.column, Rule.BAD_NUMBER)

    @property
    def _kept(self) -> list[str]:
        columns = [*_OWN, *self.parsed]
        if self.rows.measurement:
            columns += [NUMBER, "value", "unit", "value_raw", "unit_raw", "dq_code"]
        return [quoted(name) for name in columns]

    @contextmanager
    def _physician_numbers(self) -> Iterator[str]:
        """A join of the rows' own GPs, where they name them."""
        if not self.rows.physician:
            yield ""
            return
        with registered(self.staging.connection, "row_gps", physician_numbers(self.staging, _GP)):
            yield (
                f"LEFT JOIN row_gps ON row_gps.text = j.{_GP} "
                "LEFT JOIN practices ON practices.physician_no = row_gps.gp_no"
            )

    def _harmonised(self, join: str) -> str:
        replaced = [f"{_hashed_event(name)} AS {quoted(name)}" for name in self._events]
        if self.rows.physician:
            replaced += [
                "coalesce(row_gps.gp_no, j.physician_no) AS physician_no",
                (
                    "CASE WHEN row_gps.gp_no IS NULL THEN j.centre_id "
                    "ELSE coalesce(practices.centre_id, j.centre_id) END AS centre_id"
                ),
            ]
        columns = f"j.* REPLACE ({', '.join(replaced)})" if replaced else "j.*"
        rows = f"SELECT {columns} FROM {JUDGED} j {join}"  # noqa: S608
        return harmonised(rows, self.rows.measurement) if self.rows.measurement else rows

    @cached_property
    def _secrets(self) -> dict[str, str]:
        """What the names of records are hashed with: of one table, one key names one record, whatever the
        batch. Blocks that fill one table from one line differ in their constants."""
        constants = sorted(
            f"{name}={value.constant}"
            for name, value in self.rows.columns.items()
            if value.constant is not None
        )
        secrets = {name: self.staging.secret(name) for name in self._events}
        if self.rows.key:
            secrets[_RECORD] = self.staging.secret("\0".join([self.table.name, *constants]))
        return secrets

    @property
    def _record_key(self) -> str:
        if self.rows.key:
            return f"md5_number(sha256(concat(${_RECORD}, {quoted(text_of(_KEY))})))"
        return self._content_key

    @property
    def _content_key(self) -> str:
        """Of everything the row says; of a row without key, which it names, but for its GP and centre,
        which may change while the row is the same."""
        if self.rows.key:
            return f"CAST(hash({', '.join(self._kept)}) AS UHUGEINT)"
        said = [name for name in self._kept if name not in ('"physician_no"', '"centre_id"')]
        parts = (f"{literal(name)} || CAST({name} AS VARCHAR)" for name in said)
        return f"md5_number(concat_ws(chr(31), {', '.join(parts)}))"


def _without_free_text(column: Column, given: Parsed) -> Parsed:
    """Of a text that no code system closes, what the grammar of its column accepts."""
    return replace(given, sql=kept(column.name, given.sql)) if keeps_text(column) else given


def _hashed_event(name: str) -> str:
    """A positive number made of the keyed hash of what the source calls the event."""
    hashed = f"md5_number_upper(sha256(concat(${name}, j.{quoted(name)}))) >> 1"
    return f"CASE WHEN j.{quoted(name)} IS NOT NULL THEN CAST({hashed} AS BIGINT) END"


def _take_batch(staging: Staging, blocks: Mapping[str, Sequence[Block]], name: str) -> None:
    export = staging.mapping.export
    if export and export.file == name:
        take_exports(staging, export, name)
    if name in blocks:
        _take_rows(staging, blocks[name])


def _take_rows(staging: Staging, blocks: Sequence[Block]) -> None:
    _set_unmapped_aside(staging, blocks)
    for person in dict.fromkeys(block.rows.person for block in blocks):
        with staging.digests("people", Kind.PATIENT, quoted(person), SOURCE):
            staging.run(
                f"CREATE OR REPLACE TEMP TABLE people_here AS SELECT text, e.* EXCLUDE (digest) "  # noqa: S608
                f"FROM people JOIN {EVERYBODY} e ON e.digest = people.digest"
            )
        for block in blocks:
            if block.rows.person == person:
                block.take()


def _set_unmapped_aside(staging: Staging, blocks: Sequence[Block]) -> None:
    """A row that no block's `where` takes: an unknown test or event."""
    if any(block.rows.where is None for block in blocks):
        return
    taken = " OR ".join(block.read.holds(block.rows.where) for block in blocks if block.rows.where)
    column = next(name for block in blocks for name in block.rows.where or ())
    rows = f"SELECT {PLACES}, {taken} AS {_TAKEN} FROM {SOURCE} s"  # noqa: S608
    staging.judge(rows, (Holds(_TAKEN, column, Rule.NOT_MAPPED),))


def _keyed(staging: Staging) -> dict[str, str]:
    """The tables whose records have keys, each with a source column of one."""
    return {rows.table: rows.key[0] for rows in staging.mapping.rows if rows.key}
