"""The snapshots there are, and what each says of itself. Opens no database: whoever must know of a snapshot
and may not read it (the airlock) stands on this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from hub_config.warehouse.manifest import Manifest, ManifestError, read_manifest
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.workplace import snapshot_numbers

DATABASE: Final = "warehouse.duckdb"
MANIFEST: Final = "manifest.json"


class ProblemKind(StrEnum):
    MISSING = "missing"
    CORRUPT = "corrupt"
    DISK_FULL = "disk-full"


class SnapshotProblem(WarehouseProblem):
    """A snapshot can't be used or made. The message is for operators: what, why, what to do; never a data
    value."""

    def __init__(self, kind: ProblemKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class Snapshot:
    directory: Path
    manifest: Manifest

    @property
    def number(self) -> int:
        return self.manifest.number

    @property
    def database(self) -> Path:
        return self.directory / DATABASE

    @property
    def columns(self) -> Mapping[str, frozenset[str]]:
        """The columns it stores, by table: by its manifest, or by its files where that is older."""
        noted = self.manifest.columns
        if noted:
            return {table: frozenset(columns) for table, columns in noted.items()}
        return _columns_of_files(self.directory, tuple(self.manifest.rows), self.manifest.created_at)


@lru_cache(maxsize=64)
def _columns_of_files(directory: Path, tables: tuple[str, ...], _made: str) -> Mapping[str, frozenset[str]]:
    """A snapshot never changes: once a process is often enough."""
    import pyarrow.parquet as pq

    files = {table: directory / "tables" / f"{table}.parquet" for table in tables}
    return {table: frozenset(pq.read_schema(file).names) for table, file in files.items()}


def list_snapshots(warehouse_dir: Path) -> list[Snapshot]:
    """The usable snapshots, in order. `snapshot_numbers` also names those that `open_snapshot` would
    refuse."""
    return [
        snapshot for number in snapshot_numbers(warehouse_dir) if (snapshot := _usable(warehouse_dir, number))
    ]


def unusable_snapshots(warehouse_dir: Path) -> list[SnapshotProblem]:
    """Why each of the others is refused, in order."""
    numbers = snapshot_numbers(warehouse_dir)
    return [problem for number in numbers if (problem := _problem(warehouse_dir, number))]


def open_snapshot(warehouse_dir: Path, number: int) -> Snapshot:
    """Snapshot `number`, after the cheap checks: sealed manifest, every file present at its recorded size.

    Raises SnapshotProblem: MISSING when there is no such snapshot, CORRUPT when it is not what was built.
    """
    directory = warehouse_dir / str(number)
    if not directory.is_dir():
        raise SnapshotProblem(ProblemKind.MISSING, _missing(warehouse_dir, number))
    manifest = _manifest(directory, number)
    wrong = [name for name, size in manifest.bytes.items() if _size(directory / name) != size]
    if wrong:
        raise corrupt(number, f"missing or of another size: {', '.join(sorted(wrong))}")
    return Snapshot(directory, manifest)


def _usable(warehouse_dir: Path, number: int) -> Snapshot | None:
    try:
        return open_snapshot(warehouse_dir, number)
    except SnapshotProblem:
        return None


def _problem(warehouse_dir: Path, number: int) -> SnapshotProblem | None:
    try:
        open_snapshot(warehouse_dir, number)
    except SnapshotProblem as problem:
        return problem
    return None


def _missing(warehouse_dir: Path, number: int) -> str:
    known = ", ".join(str(n) for n in snapshot_numbers(warehouse_dir)) or "none"
    return (
        f"There is no snapshot {number} (there are: {known}). Pin the project to one of these, or make one "
        "with `p4dp-enclave warehouse synthesise` or `p4dp-enclave warehouse load`."
    )


def corrupt(number: int, why: str) -> SnapshotProblem:
    """That snapshot `number` can't be believed, and what to do."""
    remedy = "Restore its directory from a backup, or make a new snapshot and pin the projects to that one."
    return SnapshotProblem(ProblemKind.CORRUPT, f"Snapshot {number} can't be used: {why}. {remedy}")


def _manifest(directory: Path, number: int) -> Manifest:
    try:
        manifest = read_manifest((directory / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise corrupt(number, "it has no manifest") from None
    except (ManifestError, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, ManifestError) else "its manifest is not text"
        raise corrupt(number, why) from None
    if manifest.number != number:
        raise corrupt(number, f"its manifest is that of snapshot {manifest.number}")
    return manifest


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
