"""Seals of who is landed, in `landing/<source>/landing.duckdb`: made from the files of a load, taken by
practice.

A pass of its own over the persons' identifiers after a load, and only where a practice of the source has a
key: so a key that is recorded later is served by the next load, though it brings nothing else, and a load
without keys costs nothing. Who is not landed under a GP with a key is not sealed; who is sealed for a key
already is not again. Seals go with their patient when an objector is purged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from hub_config.warehouse.landing.layout import SEALS
from hub_config.warehouse.landing.store import Landing
from hub_config.warehouse.loader.mapping import NamedPhysicians, VendorMapping
from hub_config.warehouse.loader.readers import matching, open_rows
from hub_config.warehouse.pseudonyms import Kind, Pseudonyms
from hub_config.warehouse.sealing.envelope import LONGEST, public_key, sealed
from p4dp_sdk.catalogue.model import Catalogue

_SPACES: Final = " "
_COLUMNS: Final = pa.schema(
    [("patient_no", pa.int64()), ("physician_no", pa.int32()), ("key", pa.string()), ("sealed", pa.binary())]
)


@dataclass(frozen=True)
class SealingKey:
    """The public key of the practice whose GP has this number."""

    physician_no: int = field(repr=False)
    fingerprint: str
    public_key: str = field(repr=False)


@dataclass(frozen=True)
class Sealed:
    """How many identifiers a pass sealed, and how many it could not: too long."""

    fresh: int = 0
    too_long: int = 0


def seal_landed(
    mapping: VendorMapping,
    files: Path,
    landing: Landing,
    pseudonyms: Pseudonyms,
    keys: Iterable[SealingKey],
    catalogue: Catalogue,
) -> Sealed:
    """Seal the identifiers that `files` give of landed patients, each with the key of their own GP. Raises
    Busy, BadKey, SourceProblem."""
    named = isinstance(mapping.physicians, NamedPhysicians)
    by_gp = {key.physician_no: key for key in keys if named}
    if not by_gp and not _any_kept(landing):
        return Sealed()
    with landing.held("sealing"), landing.changing(catalogue) as connection:
        waiting = _waiting(connection, by_gp)
        if not waiting:
            return Sealed()
        sealing = _Sealing(connection, by_gp, waiting)
        for identifiers in _identifiers(mapping, files):
            numbers = pseudonyms.known(Kind.PATIENT, mapping.source.name, identifiers)
            sealing.take(dict(zip(identifiers, numbers, strict=True)))
        return Sealed(sealing.fresh, sealing.too_long)


def seals_of(root: Path, source: str, key: SealingKey, patients: Collection[int]) -> dict[int, bytes]:
    """The seals of those of `patients` who are landed with this GP, by number. Raises Busy,
    LandingProblem."""
    with _reading(root, source) as connection:
        if not _kept(connection):
            return {}
        connection.register("asked", pa.table({"patient_no": pa.array(sorted(patients), pa.int64())}))
        rows = connection.execute(
            f"SELECT patient_no, any_value(sealed) FROM {SEALS} SEMI JOIN asked USING (patient_no) "  # noqa: S608
            "WHERE physician_no = ? AND key = ? GROUP BY patient_no",
            [key.physician_no, key.fingerprint],
        ).fetchall()
    return {int(number): bytes(content) for number, content in rows}


def has_seals(root: Path, source: str, key: SealingKey) -> bool:
    """Whether a load has sealed anything with this key yet."""
    with _reading(root, source) as connection:
        query = f"SELECT 1 FROM {SEALS} WHERE key = ? LIMIT 1"  # noqa: S608
        return _kept(connection) and connection.execute(query, [key.fingerprint]).fetchone() is not None


def _any_kept(landing: Landing) -> bool:
    """Whether there are seals of keys that ended meanwhile."""
    if not landing.database.exists():
        return False
    with landing.reading() as connection:
        query = f"SELECT 1 FROM {SEALS} LIMIT 1"  # noqa: S608
        return _kept(connection) and connection.execute(query).fetchone() is not None


def _kept(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is a place for seals: not in what was landed before they were thought of."""
    query = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
    return connection.execute(query, [SEALS]).fetchone() is not None


@dataclass
class _Sealing:
    connection: duckdb.DuckDBPyConnection
    keys: Mapping[int, SealingKey]
    waiting: dict[int, int]  # who is not sealed yet, and their GP
    fresh: int = 0
    too_long: int = 0

    def take(self, numbers: Mapping[str, int | None]) -> None:
        """Seal whoever of these waits, in one transaction."""
        rows = []
        for identifier, number in numbers.items():
            gp = None if number is None else self.waiting.pop(number, None)
            if gp is None:
                continue
            if len(identifier.encode()) > LONGEST:
                self.too_long += 1
                continue
            key = self.keys[gp]
            content = sealed(public_key(key.public_key), identifier)
            rows.append({"patient_no": number, "physician_no": gp, "key": key.fingerprint, "sealed": content})
        if rows:
            self._insert(pa.Table.from_pylist(rows, _COLUMNS))

    def _insert(self, rows: pa.Table) -> None:
        self.connection.register("fresh_seals", rows)
        self.connection.execute(f"INSERT INTO {SEALS} BY NAME SELECT * FROM fresh_seals")  # noqa: S608
        self.connection.unregister("fresh_seals")
        self.fresh += rows.num_rows


def _waiting(connection: duckdb.DuckDBPyConnection, keys: Mapping[int, SealingKey]) -> dict[int, int]:
    """Landed patients of these GPs without a seal of the GP's key. Seals of other keys, and of patients who
    went to another GP or are landed no more, are dropped: nobody may open them any more."""
    pairs = [{"physician_no": gp, "key": key.fingerprint} for gp, key in keys.items()]
    schema = pa.schema([("physician_no", pa.int32()), ("key", pa.string())])
    connection.register("keys_in_force", pa.Table.from_pylist(pairs, schema))
    connection.execute(
        f"DELETE FROM {SEALS} WHERE (patient_no, physician_no, key) NOT IN "  # noqa: S608
        "(SELECT (p.patient_no, p.physician_no, k.key)"
        " FROM patients p JOIN keys_in_force k USING (physician_no))"
    )
    rows = connection.execute(
        "SELECT p.patient_no, p.physician_no FROM patients p JOIN keys_in_force k USING (physician_no) "  # noqa: S608
        f"ANTI JOIN {SEALS} s ON s.patient_no = p.patient_no AND s.key = k.key"
    ).fetchall()
    connection.unregister("keys_in_force")
    return {int(number): int(gp) for number, gp in rows}


def _identifiers(mapping: VendorMapping, files: Path) -> Iterator[list[str]]:
    """What the persons' files call people, as the loader reads it: trimmed, missing ones left out."""
    people = mapping.patients
    for file in matching(files, mapping.files[people.file]):
        with open_rows(files, file, {people.id: "patients.id"}) as rows:
            for batch in rows.batches:
                yield _said(batch.column(people.id), {"", *file.missing})


def _said(column: Any, missing: Collection[str]) -> list[str]:
    trimmed = pc.utf8_trim(column.drop_null(), _SPACES).to_pylist()
    return [text for text in dict.fromkeys(trimmed) if text not in missing]


def _reading(root: Path, source: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return Landing.of(root, source.removeprefix("mapping ")).reading()
