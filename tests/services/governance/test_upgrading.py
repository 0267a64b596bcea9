"""An enclave that has projects and reports on record takes the newest schema: nothing of them is lost, or in
the way, though SQLite makes a table anew to change it.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from hub_config.governance import migrating
from hub_config.governance.problems import StoreProblem
from hub_config.governance.store import WRITES, make_engine

RUN = "0123456789ab"
THESIS = ("projects", {"slug": "these", "status": "approved"})


def before(engine: Engine, revision: str, *made: tuple[str, dict[str, object]]) -> None:
    """As an earlier version left it: rows of these tables, with what else they need."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        command.upgrade(migrating._config(connection), revision)
        for table, known in made:
            columns = connection.execute(text(f"PRAGMA table_info({table})")).all()
            needed = {row[1]: _some(row[2]) for row in columns if row[3] and row[4] is None} | known
            names, filled = ", ".join(needed), ", ".join(f":{name}" for name in needed)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({filled})"), needed)


def _some(kind: str) -> object:
    if "DATE" in kind:
        return "2026-01-01"
    return "{}" if kind == "JSON" else "x" if "CHAR" in kind or "TEXT" in kind else 11


def test_reports_on_record_are_kept(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'governance.db'}")
    run = {"id": RUN, "project": "these", "sha256": "a" * 64, "access": "aggregate", "outcome": "done"}
    before(
        engine, "0015", THESIS, ("report_runs", run),
        ("report_files", {"run": RUN, "name": "essai.html", "sha256": "b" * 64}),
    )  # fmt: skip
    migrating.migrate(engine)
    with engine.connect() as connection:
        runs = connection.execute(text("SELECT id, registration, undeclared FROM report_runs")).all()
        files = connection.execute(text("SELECT run, name FROM report_files")).all()
    engine.dispose()
    assert runs == [(RUN, None, 0)] and files == [(RUN, "essai.html")]


@pytest.mark.parametrize("defended", [False, True])
def test_a_project_keeps_its_grant_and_members(
    tmp_path: Path, defended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migration 0012 makes the table of projects anew, and what is below a project goes with it."""
    engine = make_engine(f"sqlite:///{tmp_path / 'governance.db'}")
    grant = ("grants", {"project": "these", "access": "aggregate"})
    before(engine, "0011", THESIS, grant, ("members", {"project": "these", "role": "interne"}))
    if not defended:
        monkeypatch.setattr(migrating, "_tables_made_anew", lambda _: nullcontext())
    migrating.migrate(engine)
    with engine.connect() as connection:
        left = [connection.execute(text(f"SELECT count(*) FROM {t}")).scalar() for t in ("grants", "members")]
        enforced = connection.execute(text("PRAGMA foreign_keys")).scalar()
    engine.dispose()
    assert left == ([1, 1] if defended else [0, 0]) and enforced == 1


def test_a_row_that_refers_to_nothing_stops_the_upgrade(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'governance.db'}")
    before(engine, "0015", THESIS)
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("DELETE FROM projects")
        cursor.execute("INSERT INTO members VALUES ('nowhere', 'ines', 'interne', '2026-01-01')")
        cursor.close()
    with pytest.raises(StoreProblem, match="could not be migrated"):
        migrating.migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0015"
    engine.dispose()
