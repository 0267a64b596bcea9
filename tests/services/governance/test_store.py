"""The database itself: its constraints, migrations and file, and what is said when it can't be opened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import alembic.op
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub_config.governance import models
from hub_config.governance.problems import StoreProblem
from hub_config.governance.store import Store, make_engine, open_store
from hub_config.settings import Settings

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def project(**changes: object) -> models.Project:
    said = {
        "slug": "these-lea",
        "title": "t",
        "purpose": "p",
        "status": "draft",
        "snapshot": 1,
        "open_to_all": False,
        "created_at": NOW,
        "grant": grant(),
    }
    return models.Project(**{**said, **changes})


def grant(**changes: object) -> models.Grant:
    said = {"access": "aggregate", "tables": {"patients": None}, "legal_basis": "MR-004", "snds": False}
    return models.Grant(**{**said, **changes})


def member(**changes: object) -> models.Member:
    return models.Member(**{"username": "lea", "role": "interne", "added_at": NOW, **changes})


def objection(**changes: object) -> models.Objection:
    said = {"recorded_on": NOW.date(), "numbering": "preset A", "scope": "all"}
    return models.Objection(**{**said, **changes})


FORBIDDEN: dict[str, Callable[[], list[models.Base]]] = {
    "an unknown status": lambda: [project(status="open")],
    "a capital in a name": lambda: [project(slug="These")],
    "a name too short": lambda: [project(slug="ab")],
    "no title": lambda: [project(title="")],
    "no purpose": lambda: [project(purpose="")],
    "no snapshot": lambda: [project(snapshot=0)],
    "under 11 patients": lambda: [project(min_patients=10)],
    "under 3 GPs": lambda: [project(min_physicians=2)],
    "an unknown access": lambda: [project(grant=grant(access="all"))],
    "no legal basis": lambda: [project(grant=grant(legal_basis=""))],
    "dates that turn back": lambda: [
        project(grant=grant(date_from=date(2020, 1, 2), date_to=date(2020, 1, 1)))
    ],
    "an unknown role": lambda: [project(members=[member(role="boss")])],
    "a capital in a user's name": lambda: [project(members=[member(username="Lea")])],
    "a member of nothing": lambda: [member(project="nowhere")],
    "a grant of nothing": lambda: [grant(project="nowhere")],
    "two projects of a name": lambda: [project(), project()],
    "an objection of nobody": lambda: [objection()],
    "an objection of two": lambda: [objection(patient_no=1, physician_no=1)],
    "a negative number": lambda: [objection(patient_no=-1)],
    "an objection twice": lambda: [objection(patient_no=1), objection(patient_no=1)],
    "an objection of two scopes": lambda: [
        objection(patient_no=1),
        objection(patient_no=1, scope="future"),
    ],
    "an unknown scope": lambda: [objection(patient_no=1, scope="past")],
    "a number of no numbering": lambda: [objection(patient_no=1, numbering="")],
    "an objection lifted without a reason": lambda: [objection(patient_no=1, lifted_on=NOW.date())],
}


@pytest.mark.parametrize("rows", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.filterwarnings("ignore:New instance:sqlalchemy.exc.SAWarning")
def test_the_database_itself_refuses(store: Store, rows: Callable[[], list[models.Base]]) -> None:
    with Session(store.engine) as session:
        session.add_all(
            [project(slug="good", members=[member()], min_patients=11), objection(physician_no=0)]
        )
        session.commit()
        session.add_all(rows())
        with pytest.raises(IntegrityError):
            session.commit()


def test_a_project_goes_with_its_grant_and_members(store: Store) -> None:
    with store.change() as session:
        session.add(project(members=[member()]))
    with store.change() as session:
        session.execute(text("DELETE FROM projects"))
    with store.session() as session:
        left = session.execute(text("SELECT (SELECT count(*) FROM grants) + (SELECT count(*) FROM members)"))
        assert left.scalar() == 0


@pytest.mark.usefixtures("stores_by_migrations")
def test_migrations_lead_to_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), models.Base.metadata) == []


@pytest.mark.usefixtures("stores_by_migrations")
def test_migrations_lead_to_the_models_constraints(store: Store) -> None:
    """Autogenerate does not compare CHECK constraints: they are read back from both."""

    def checks(engine: Engine) -> dict[str, list[tuple[str | None, str]]]:
        found = inspect(engine)
        names = set(found.get_table_names()) - {"alembic_version"}
        return {
            t: sorted((c["name"], c["sqltext"]) for c in found.get_check_constraints(t))
            for t in sorted(names)
        }

    migrated = checks(store.engine)
    with store.engine.begin() as connection:
        models.Base.metadata.drop_all(connection)
        models.Base.metadata.create_all(connection)
    assert migrated == checks(store.engine)
    assert sum(map(len, migrated.values())) > 10


@pytest.mark.usefixtures("stores_by_migrations")
def test_a_migration_that_fails_leaves_nothing_behind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(alembic.op, "create_index", no_space)  # after the tables were made
        with pytest.raises(StoreProblem, match="No space left"):
            open_store(settings)
    engine = make_engine(settings.governance_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    open_store(settings).close()


def test_opening_again_keeps_what_is_there(store: Store, settings: Settings) -> None:
    with store.change() as session:
        session.add(project())
    again = open_store(settings)
    with again.session() as session:
        assert session.get(models.Project, "these-lea") is not None
    again.close()


def test_a_database_of_a_newer_version_is_refused(store: Store, settings: Settings) -> None:
    with store.change() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreProblem, match="revision 9999, which this version does not know"):
        open_store(settings)


@pytest.mark.usefixtures("stores_by_migrations")
def test_the_local_database_is_private_and_set_up_for_sharing(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path / "home"))
    with store.change() as session:
        session.add(project())
        files = {
            path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "home").glob("governance.db*")
        }
        assert files == {"governance.db": 0o600, "governance.db-wal": 0o600, "governance.db-shm": 0o600}
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    store.close()


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path / "home"))
    with store.change() as writing:
        writing.add(project())
        writing.flush()
        with store.session() as reading:
            assert reading.get(models.Project, "these-lea") is None
    store.close()


@pytest.mark.usefixtures("stores_by_migrations")
def test_several_machines_and_processes_open_a_new_store_at_once(settings: Settings, tmp_path: Path) -> None:
    """With PostgreSQL each process plays a machine of its own; SQLite's share a home."""
    opening = (
        "import sys; from pathlib import Path; from hub_config.settings import Settings; "
        "from hub_config.governance.store import open_store; "
        "open_store(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2])).close()"
    )
    homes = [tmp_path / str(number) if settings.database_url else settings.home for number in range(3)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", opening, str(home), settings.governance_url], cwd=Path(__file__).parents[3]
        )
        for home in homes
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]


UNUSABLE = [
    ("not a url", "not a database URL"),
    ("mysql://host/p4dp", "'mysql' is not supported"),
    ("sqlite://", "needs a file"),
    ("sqlite:///:memory:", "needs a file"),
]


@pytest.mark.parametrize(("url", "said"), UNUSABLE)
def test_a_url_that_can_not_be_used_is_said(url: str, said: str) -> None:
    with pytest.raises(StoreProblem, match=said):
        make_engine(url)


def test_a_database_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://p4dp:secret-word@127.0.0.1:1/p4dp"
    with pytest.raises(StoreProblem, match="can't be opened") as refused:
        open_store(Settings(home=tmp_path, database_url=url))
    assert "secret-word" not in str(refused.value)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "governance.db").write_bytes(b"this is not a database, but a letter" * 200)
    with pytest.raises(StoreProblem, match="not a database"):
        open_store(Settings(home=tmp_path))
