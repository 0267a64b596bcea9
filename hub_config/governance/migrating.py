"""Brings a database to the newest schema. A database newer than this code is refused, not guessed at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from hub_config.governance.problems import StoreProblem

MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 0x7034_6470  # "p4dp": several machines may share one PostgreSQL


def migrate(engine: Engine) -> None:
    """Run the migrations this database lacks, in one transaction."""
    logging.getLogger("alembic.runtime").setLevel(logging.WARNING)  # else two lines a look, many an hour
    with (
        engine.connect().execution_options(p4dp_writes=True) as connection,
        _tables_made_anew(connection),
        connection.begin(),
    ):
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK})
        config = _config(connection)
        script = ScriptDirectory.from_config(config)
        current = MigrationContext.configure(connection).get_current_revision()
        if current == script.get_current_head():
            return
        _refuse_unknown(current, script)
        command.upgrade(config, "head")
        _check_references(connection)


@contextmanager
def _tables_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew and dropping the old one: with references enforced, that
    deletes every row below it (a project's grant and members), or fails. They are checked at the end instead.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()  # no transaction is begun: within one it would do nothing
    try:
        cursor.execute("PRAGMA foreign_keys = OFF")
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _check_references(connection: Connection) -> None:
    """Raises StoreProblem, and with it nothing is migrated."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise StoreProblem(
            "The governance database could not be migrated: rows would refer to what is not there. Nothing "
            "was changed. Keep the file, and ask who maintains the enclave."
        )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_unknown(current: str | None, script: ScriptDirectory) -> None:
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise StoreProblem(
            f"The governance database is at revision {current}, which this version does not know: "
            "a newer one wrote it. Install that version again, or restore the backup made before."
        )
