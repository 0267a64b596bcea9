"""Opens the governance database: SQLite by default, PostgreSQL by URL; migrated to the newest schema, or a
clear error.

SQLite runs in WAL mode with foreign keys on, in a file of mode 600. `session()` reads and may write;
`change()` takes the write lock at once, for the actions. Leaving either normally commits; leaving by an
exception rolls back, and an event that an action already recorded is then followed by one that says it was
undone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hub_config.governance.audit import AuditChain
from hub_config.governance.migrating import migrate
from hub_config.governance.problems import StoreProblem
from hub_config.governance.recorder import Recorder, undo_recorded
from hub_config.settings import Settings

WRITES = "p4dp_writes"


@dataclass(frozen=True)
class Store:
    """The governance database and the audit chain of one enclave. Safe to share between threads."""

    engine: Engine
    audit: AuditChain

    def recorder(self, who: str) -> Recorder:
        """What every action asks for: the chain, and in whose name the event is written."""
        return Recorder(self.audit, who)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction; commits when left normally."""
        with Session(self.engine, expire_on_commit=False) as session, _whole(session):
            yield session

    @contextmanager
    def change(self) -> Iterator[Session]:
        """A transaction that means to write: waits for other writers now rather than failing later."""
        with self.session() as session:
            session.connection(execution_options={WRITES: True})
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_store(settings: Settings) -> Store:
    """The store of this enclave, at the newest schema. Raises StoreProblem with the remedy."""
    engine = make_engine(settings.governance_url)
    try:
        with _one_at_a_time(settings.home):
            migrate(engine)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise StoreProblem(_explain(error, engine)) from error
    except StoreProblem:
        engine.dispose()
        raise
    return Store(engine, AuditChain(settings.audit_dir, settings.keys_dir))


def make_engine(url: str) -> Engine:
    """An engine with the settings this store relies on. Raises StoreProblem for a URL it can't use."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        raise StoreProblem(
            "database_url is not a database URL, such as postgresql+psycopg://host/p4dp."
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(url, parsed.database)
        case "postgresql":
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
            )
        case other:
            raise StoreProblem(f"database_url: {other!r} is not supported; use SQLite or PostgreSQL.")


def _sqlite(url: str, database: str | None) -> Engine:
    if not database or database == ":memory:":
        raise StoreProblem("database_url: SQLite needs a file, since several services share it.")
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # its -wal and -shm files take its mode
    engine = create_engine(url, connect_args={"timeout": 15}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Hub, gateway and commands open the store at the same moment: one makes the file, the others wait."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(home / ".governance.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _whole(session: Session) -> Iterator[None]:
    try:
        yield
        session.commit()
    except BaseException as error:
        session.rollback()
        undo_recorded(session)
        raise _translated(error) from error


def _translated(error: BaseException) -> BaseException:
    """A database's refusal in words, without the values it was about; anything else as it is."""
    match error:
        case StaleDataError() | IntegrityError():
            return StoreProblem(
                "Someone else changed this at the same moment, or a rule forbids it. Look again, then retry."
            )
        case DBAPIError():
            return StoreProblem(
                f"The governance database can't be used now: {_one_line(error)}. Nothing was changed: retry."
            )
        case _:
            return error


def _explain(error: Exception, engine: Engine) -> str:
    where = engine.url.render_as_string(hide_password=True)
    return f"The governance database {where} can't be opened: {_one_line(error)}."


def _one_line(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())
