"""What a published snapshot says of itself on its engine: which snapshot it is a copy of, its tables, their
rows and types. Nothing in it is a data value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hub_config.warehouse.schema import duckdb_type
from hub_config.warehouse.snapshot import MANIFEST, Snapshot
from p4dp_sdk.catalogue.model import Catalogue

PUBLISHED: Final = "p4dp_published"  # the table, or file, that holds it


@dataclass(frozen=True)
class Stored:
    """One table. `columns` are DuckDB's names of types, by physical name; `bytes` is the length of its
    Parquet file, None where that is not said."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    rows: int
    columns: Mapping[str, str]
    bytes: int | None = None


@dataclass(frozen=True)
class Description:
    """`manifest` is the SHA-256 of the snapshot's manifest: a copy of another snapshot is never used for
    it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    manifest: str
    tables: Mapping[str, Stored]

    def to_json(self) -> str:
        return _DESCRIPTION.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Description:
        """Raises ValueError where it is none."""
        try:
            return _DESCRIPTION.validate_json(text)
        except ValidationError:
            raise ValueError("The published snapshot does not describe itself.") from None


_DESCRIPTION: Final = TypeAdapter(Description)


def parquet(table: str) -> str:
    """Its file, within a snapshot."""
    return f"tables/{table}.parquet"


def manifest_hash(directory: Path) -> str:
    return hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest()


def describe(snapshot: Snapshot, catalogue: Catalogue) -> Description:
    """What a copy of `snapshot` has to be: the columns that it holds, in the catalogue's order."""
    held = snapshot.columns
    tables = {
        name: Stored(
            snapshot.manifest.rows[name],
            {c.stored_as: duckdb_type(c) for c in table.columns if c.stored_as in held.get(name, ())},
            snapshot.manifest.bytes.get(parquet(name)),
        )
        for name, table in catalogue.tables.items()
        if name in snapshot.manifest.rows
    }
    return Description(manifest_hash(snapshot.directory), tables)
