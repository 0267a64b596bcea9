"""What differs between two snapshots: rows, people, quality, centres, schema. Counts only, out of their
manifests; patients by centre out of a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hub_config.warehouse.schema import literal
from hub_config.warehouse.shelf import Snapshot


@dataclass(frozen=True)
class Change:
    """A count before and after: None where there was, or is, no such thing."""

    name: str
    before: int | None
    after: int | None

    @property
    def by(self) -> int:
        return (self.after or 0) - (self.before or 0)

    @property
    def share(self) -> float | None:
        """By how much of what it was; None where it was nothing."""
        return self.by / self.before if self.before else None


@dataclass(frozen=True)
class Comparison:
    """`schema` names tables and columns that came (`+`) and went (`-`)."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    people: tuple[Change, ...]
    tables: tuple[Change, ...]
    quality: tuple[Change, ...]
    centres: tuple[Change, ...]
    schema: tuple[str, ...]

    @property
    def same_people(self) -> bool:
        """Whether their numbers are of one numbering: else patients can't be compared one by one."""
        return bool(self.before["numbering"] == self.after["numbering"])

    def document(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def compare(before: Snapshot, after: Snapshot) -> Comparison:
    one, other = before.manifest, after.manifest
    people = (
        Change("patients", one.patients, other.patients),
        Change("physicians", one.physicians, other.physicians),
    )
    return Comparison(
        before=_described(before),
        after=_described(after),
        people=people,
        tables=_changes(one.rows, other.rows),
        quality=_changes(one.quality, other.quality),
        centres=_changes(patients_by_centre(before), patients_by_centre(after)),
        schema=tuple(_schema(before, after)),
    )


def patients_by_centre(snapshot: Snapshot) -> dict[str, int]:
    import duckdb

    parquet = literal(str(snapshot.directory / "tables" / "patients.parquet"))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT coalesce(centre_id, '–'), count(*) FROM read_parquet({parquet}) GROUP BY 1 ORDER BY 1"  # noqa: S608
        ).fetchall()
    return {str(centre): int(patients) for centre, patients in found}


def _described(snapshot: Snapshot) -> dict[str, Any]:
    manifest = snapshot.manifest
    return {
        "number": manifest.number,
        "source": manifest.source,
        "sources": list(manifest.sources),
        "population": manifest.followed,
        "numbering": manifest.numbering,
        "made": manifest.created_at,
        "first_date": manifest.first_date.isoformat(),
        "last_date": manifest.last_date.isoformat(),
        "reference_date": manifest.reference_date.isoformat(),
        "bytes": sum(manifest.bytes.values()),
    }


def _changes(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Change, ...]:
    names = sorted(before.keys() | after.keys())
    return tuple(Change(name, before.get(name), after.get(name)) for name in names)


def _schema(before: Snapshot, after: Snapshot) -> Iterator[str]:
    one, other = ({(table, c) for table, cs in each.columns.items() for c in cs} for each in (before, after))
    for sign, found in (("+", other - one), ("-", one - other)):
        yield from (f"{sign} {table}.{column}" for table, column in sorted(found))
