"""Numbered, immutable snapshots: made whole or not at all, and never believed without their manifest.

`$P4DP_HOME/warehouse/<n>/` holds `warehouse.duckdb` (every catalogue table, by its physical column names,
person tables clustered by patient), `tables/*.parquet` (the same rows in the same order) and
`manifest.json`. A build works in `.building-…`, is fsynced, and is renamed to the next number under a lock:
a kill at any moment leaves at most a `.building-…`, which the next build removes once its process is dead. A
number is never given twice.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import duckdb

from hub_config.warehouse.budget import MAKING, Budget
from hub_config.warehouse.derived import (
    Observing,
    bound_observation,
    derive_body_mass,
    derive_observation,
    name_death_sources,
)
from hub_config.warehouse.manifest import Manifest, write_manifest
from hub_config.warehouse.merging import merge_small_centres
from hub_config.warehouse.privacy.scan import require_unidentifying
from hub_config.warehouse.problems import is_disk_full
from hub_config.warehouse.purging import Objector, keep_numbers, purge_objectors, rewrite
from hub_config.warehouse.quality import judge, profile
from hub_config.warehouse.schema import PATIENT, clustering, create_all, is_clustered, literal, quoted
from hub_config.warehouse.shelf import (
    DATABASE,
    MANIFEST,
    ProblemKind,
    Snapshot,
    SnapshotProblem,
    corrupt,
    list_snapshots,
    open_snapshot,
    unusable_snapshots,
)
from hub_config.warehouse.workplace import (
    LOCK,
    locked,
    move_into_place,
    next_number,
    snapshot_numbers,
    sync,
    sync_tree,
    workplace,
)
from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue, Table

SPILL: Final = "tmp"

__all__ = [
    "DATABASE",
    "MANIFEST",
    "Building",
    "Manifest",
    "ProblemKind",
    "Snapshot",
    "SnapshotProblem",
    "build_snapshot",
    "check_snapshot",
    "list_snapshots",
    "open_snapshot",
    "snapshot_numbers",
    "unusable_snapshots",
]

Report = Callable[[str], None]


def check_snapshot(snapshot: Snapshot, report: Report = lambda _: None) -> None:
    """The thorough check: every hash, and the row counts of database and Parquet. Reads all bytes.

    Raises SnapshotProblem (CORRUPT) naming every file or table at fault.
    """
    wrong = [
        name
        for name, expected in snapshot.manifest.sha256.items()
        if _differs(snapshot, name, expected, report)
    ]
    if wrong:
        raise corrupt(snapshot.number, f"changed since it was built: {', '.join(sorted(wrong))}")
    if miscounted := _miscounted(snapshot):
        raise corrupt(snapshot.number, f"other row counts than in its manifest: {', '.join(miscounted)}")


def _differs(snapshot: Snapshot, name: str, expected: str, report: Report) -> bool:
    report(name)
    return _sha256(snapshot.directory / name) != expected


def _miscounted(snapshot: Snapshot) -> list[str]:
    with closing(duckdb.connect(str(snapshot.database), read_only=True)) as connection:
        return [
            table
            for table, rows in snapshot.manifest.rows.items()
            if not _counts(connection, snapshot, table, rows)
        ]


def _counts(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, table: str, rows: int) -> bool:
    parquet = literal(str(snapshot.directory / "tables" / f"{table}.parquet"))
    return rows == _count(connection, quoted(table)) == _count(connection, f"read_parquet({parquet})")


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Building:
    """A snapshot being made. Fill the tables through `connection` (they exist, empty; those that are derived
    stay so), then call `finish` once.

    Other files put in `directory` become part of the snapshot and of its manifest.
    """

    warehouse_dir: Path
    directory: Path
    connection: duckdb.DuckDBPyConnection
    source: str
    synthetic: bool
    public: bool
    catalogue: Catalogue = field(repr=False)
    observing: Observing = field(default_factory=Observing)
    population: str = ""
    sources: tuple[str, ...] = ()
    objectors: tuple[Objector, ...] = field(default=(), repr=False)
    invented: bool = False
    exported: bool = False
    snapshot: Snapshot | None = None
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _purged: bool = False

    def finish(
        self, reference_date: date, first_date: date, last_date: date, report: Report = lambda _: None
    ) -> Snapshot:
        """Judge, observe, derive, cluster, export, hash, fsync, and give it the next number. Until then
        nobody can see it.

        Raises ValueError when a row of a person table has no patient: such a row would escape every
        threshold; Identifying when a text out of an export may identify somebody; CentreClash.
        """
        with _disk_full_explained():
            tables = self.catalogue.tables
            self._purge()
            if self.exported:
                self.merged = merge_small_centres(self.connection, self.catalogue, first_date, last_date)
            judge(self.connection, last_date)
            derive_observation(self.connection, last_date, self.observing)
            name_death_sources(self.connection)
            bound_observation(self.connection, tables["observation_periods"], last_date)
            derive_body_mass(self.connection, tables["body_mass"])
            self._purge()  # what was derived, too
            keep_numbers(self.connection, self.objectors)
            if self.exported:
                require_unidentifying(self.connection, self.catalogue)
            rows = {table.name: self._settle(table, report) for table in self.catalogue.tables.values()}
            quality = _quality(self.connection, self.catalogue)
            profile(self.connection, self.catalogue, last_date, self.directory)
            self._close()
            draft = self._draft(rows, quality, reference_date, first_date, last_date)
            self.snapshot = _publish(self.warehouse_dir, self.directory, draft)
        return self.snapshot

    def _purge(self) -> None:
        gone = purge_objectors(self.connection, self.catalogue, self.objectors)
        self._purged = self._purged or bool(gone)

    def _settle(self, table: Table, report: Report) -> int:
        report(table.name)
        if is_clustered(table):
            _require_patients(self.connection, table)
            _cluster(self.connection, table)
        path = literal(str(self.directory / "tables" / f"{table.name}.parquet"))
        self.connection.execute(f"COPY {quoted(table.name)} TO {path} (FORMAT parquet, COMPRESSION zstd)")
        return _count(self.connection, quoted(table.name))

    def _close(self) -> None:
        self.connection.execute("CHECKPOINT")
        self.connection.close()
        if self._purged or self.merged:
            rewrite(self.directory / DATABASE)
        shutil.rmtree(self.directory / SPILL, ignore_errors=True)

    def _draft(
        self, rows: Mapping[str, int], quality: Mapping[str, int], reference: date, first: date, last: date
    ) -> Manifest:
        files = self._sealed_files()
        return Manifest(
            number=0,  # given at the last moment, under the warehouse's lock
            source=self.source,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            reference_date=reference,
            first_date=first,
            last_date=last,
            synthetic=self.synthetic,
            public=self.public,
            patients=rows["patients"],
            physicians=rows["physicians"],
            rows=rows,
            sha256={name: _sha256(path) for name, path in files.items()},
            bytes={name: path.stat().st_size for name, path in files.items()},
            columns={name: _stored(table) for name, table in self.catalogue.tables.items()},
            population=self.population,
            sources=self.sources,
            quality=quality,
            invented=self.invented,
            merged=self.merged,
        )

    def _sealed_files(self) -> dict[str, Path]:
        """Every file of the snapshot by its relative name, from now on read-only."""
        files = [path for path in sorted(self.directory.rglob("*")) if path.is_file() and path.name != LOCK]
        for path in files:
            path.chmod(0o400)
        return {str(path.relative_to(self.directory)): path for path in files}


def _quality(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> dict[str, int]:
    """How many rows each quality rule marked, in all tables."""
    judged = [table.name for table in catalogue.tables.values() if table.has("dq_code")]
    every = " UNION ALL ".join(f"SELECT dq_code FROM {quoted(name)}" for name in judged)  # noqa: S608
    found = connection.execute(
        f"SELECT dq_code, count(*) FROM ({every}) WHERE dq_code != 'ok' GROUP BY 1 ORDER BY 1"  # noqa: S608
    ).fetchall()
    return {rule: int(rows) for rule, rows in found}


def _stored(table: Table) -> tuple[str, ...]:
    return tuple(column.stored_as for column in table.columns)


@contextmanager
def build_snapshot(
    warehouse_dir: Path,
    *,
    source: str,
    synthetic: bool,
    public: bool,
    population: str | None = None,
    sources: Iterable[str] = (),
    observing: Observing | None = None,
    objectors: Iterable[Objector] = (),
    invented: bool = False,
    exported: bool = False,
    budget: Budget = MAKING,
) -> Iterator[Building]:
    """A new snapshot, kept only if `finish` was reached. Several may be built at once, by any number of
    processes. `population` is what a rolling project follows, by default its `source`; `sources` are what
    was loaded into it, `invented` that its GPs were, `exported` that practices exported it: its texts are
    looked through, and small centres merged. Of `objectors` it holds nothing but their numbers.

    Raises SnapshotProblem (DISK_FULL) when space runs out, RuntimeError when the block ends without `finish`.
    """
    with _disk_full_explained(), workplace(warehouse_dir) as directory:
        catalogue = load_catalogue()
        building = Building(
            warehouse_dir,
            directory,
            _open_database(directory, catalogue, budget),
            source,
            synthetic,
            public,
            catalogue,
            observing or Observing(),
            population or source,
            tuple(sources) or (source,),
            tuple(objectors),
            invented,
            exported,
        )
        try:
            yield building
        finally:
            building.connection.close()
        if building.snapshot is None:
            raise RuntimeError(f"The build of {source} ended without finish(): nothing was kept.")


def _open_database(directory: Path, catalogue: Catalogue, budget: Budget) -> duckdb.DuckDBPyConnection:
    (directory / "tables").mkdir()
    connection = duckdb.connect(str(directory / DATABASE), config=budget.config(directory / SPILL))
    for statement in create_all(catalogue):
        connection.execute(statement)
    return connection


def _require_patients(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    orphans = _count(connection, f"{quoted(table.name)} WHERE {PATIENT} IS NULL")
    if orphans:
        raise ValueError(
            f"Table {table.name!r}: {orphans} rows have no patient. Every row of a person table needs one."
        )


def _cluster(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Sort the table by patient unless it lies so already: bounded memory and fast bitstrings rest on it."""
    name = quoted(table.name)
    steps = f"(SELECT {PATIENT} < lag({PATIENT}) OVER () AS back FROM {name})"  # noqa: S608
    if _count(connection, f"{steps} WHERE back") == 0:
        return
    sorted_copy = quoted(f"{table.name} sorted")
    connection.execute(f"CREATE TABLE {sorted_copy} AS SELECT * FROM {name} ORDER BY {clustering(table)}")  # noqa: S608
    connection.execute(f"DROP TABLE {name}")
    connection.execute(f"ALTER TABLE {sorted_copy} RENAME TO {name}")


def _publish(warehouse_dir: Path, directory: Path, draft: Manifest) -> Snapshot:
    sync_tree(directory)
    with locked(warehouse_dir) as lock:
        manifest = replace(draft, number=next_number(warehouse_dir, lock))
        (directory / MANIFEST).write_text(write_manifest(manifest), encoding="utf-8")
        (directory / MANIFEST).chmod(0o400)
        sync(directory / MANIFEST)
        final = warehouse_dir / str(manifest.number)
        move_into_place(directory, final)
    return Snapshot(final, manifest)


@contextmanager
def _disk_full_explained() -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if not is_disk_full(error):
            raise
        why = "The disk is full: no snapshot was made, the others are untouched. Free some space and retry."
        raise SnapshotProblem(ProblemKind.DISK_FULL, why) from None
