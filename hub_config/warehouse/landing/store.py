"""The landing of one source on disk: its directory, its lock, its database. One process changes it at a time.

The database is only ever opened under the lock: exclusively to change it, shared to read it. A kill at any
moment leaves what the last transaction committed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from hub_config.warehouse.budget import LANDING
from hub_config.warehouse.landing.layout import complete
from hub_config.warehouse.problems import WarehouseProblem
from hub_config.warehouse.schema import literal
from p4dp_sdk.catalogue.model import Catalogue

DATABASE: Final = "landing.duckdb"
_LOCK: Final = ".lock"
_POPULATION: Final = "population"
_SPILL: Final = "tmp"


class LandingProblem(WarehouseProblem):
    """What was loaded so far can't be used as asked; the message says why and what to do."""


class Busy(LandingProblem):
    """Another process holds the source."""


@dataclass(frozen=True)
class Landing:
    directory: Path

    @classmethod
    def of(cls, root: Path, source: str) -> Landing:
        return cls(root / source)

    @property
    def source(self) -> str:
        return self.directory.name

    @property
    def database(self) -> Path:
        return self.directory / DATABASE

    @property
    def loads(self) -> Path:
        return self.directory / "loads"

    @property
    def population(self) -> str | None:
        """Which it is of, as last noted: known without its lock, so that loads of others are not in the
        way."""
        path = self.directory / _POPULATION
        return path.read_text(encoding="ascii") if path.exists() else None

    def note_population(self, population: str) -> None:
        part = self.directory / f"{_POPULATION}.part"
        part.write_text(population, encoding="ascii")
        part.replace(self.directory / _POPULATION)

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """The source to oneself. Raises Busy, which says who holds it: nobody waits for hours unawares."""
        for place in (self.directory.parent, self.directory, self.loads):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self.directory / _LOCK, fcntl.LOCK_EX, self.source) as descriptor:
            _sign(descriptor, what)
            yield

    @contextmanager
    def changing(self, catalogue: Catalogue) -> Iterator[duckdb.DuckDBPyConnection]:
        """Its database, with every table the catalogue has today. Under `held` only."""
        with closing(connected(self.database, self.directory / _SPILL)) as connection:
            self.database.chmod(0o600)
            complete(connection, catalogue)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Its database, read-only. Raises LandingProblem when nothing was landed, Busy during a load."""
        self.require()
        with (
            _locked(self.directory / _LOCK, fcntl.LOCK_SH, self.source),
            closing(
                duckdb.connect(str(self.database), read_only=True, config=LANDING.config())
            ) as connection,
        ):
            yield connection

    @contextmanager
    def attached(self, connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[None]:
        """Its database as `name` of another connection, read-only."""
        self.require()
        shared = _locked(self.directory / _LOCK, fcntl.LOCK_SH, self.source)
        with shared, attached(connection, self.database, name):
            yield

    def require(self) -> None:
        if not self.database.exists():
            raise LandingProblem(
                f"Nothing of source {self.source} was loaded yet. Load it: p4dp-enclave warehouse load."
            )


def landings(root: Path) -> list[Landing]:
    """Every source that was ever landed, by name."""
    found = (Landing(path) for path in sorted(root.iterdir())) if root.is_dir() else ()
    return [landing for landing in found if landing.database.exists()]


def connected(database: Path, spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection of bounded memory, alone with its directory: what a killed one spilled is removed.

    What is spilled lies as open as the database itself, so it may hold no more than that: DuckDB's wheel
    can't encrypt it (it reads encrypted files only, and stops at the first block it should write).
    """
    shutil.rmtree(spill, ignore_errors=True)
    return duckdb.connect(str(database), config=LANDING.config(spill))


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, database: Path, name: str) -> Iterator[None]:
    connection.execute(f"ATTACH {literal(str(database))} AS {name} (READ_ONLY)")
    try:
        yield
    finally:
        connection.execute(f"DETACH {name}")


@contextmanager
def _locked(path: Path, mode: int, source: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(_busy(source, _holder(descriptor))) from None
        yield descriptor
    finally:
        os.close(descriptor)


def _sign(descriptor: int, what: str) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "what": what}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> dict[str, Any]:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def _busy(source: str, holder: dict[str, Any]) -> str:
    known = all(key in holder for key in ("pid", "host", "since", "what"))
    who = (
        f"process {holder['pid']} on {holder['host']} ({holder['what']}, since {holder['since']})"
        if known
        else "another process"
    )
    return f"Source {source} is in use by {who}. Wait until it ends, or end it, and try again."
