"""What commands that are typed in a terminal stand on: the settings, the store, who types and from where.

Heavy modules are imported when a command runs.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from hub_config.governance.recorder import Recorder
    from hub_config.settings import Settings

DAY: Final = click.DateTime(["%Y-%m-%d"])


def settings_here() -> Settings:
    from hub_config.settings import load_settings

    settings = load_settings()
    place_commands()
    return settings


def place_commands() -> None:
    """Events of this command say from which terminal it was typed, to its end."""
    from hub_config.governance.audit.place import acting_from, terminal

    click.get_current_context().with_resource(acting_from(terminal()))


@contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    from hub_config.governance.store import open_store

    with closing(open_store(settings)) as store, store.session() as session:
        yield session


@contextmanager
def changing(settings: Settings) -> Iterator[tuple[Session, Recorder]]:
    from hub_config.governance.store import open_store

    with closing(open_store(settings)) as store, store.change() as session:
        yield session, store.recorder(operator())


def operator() -> str:
    """Who types: the operating system's word, not the environment's."""
    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"operator:uid-{os.getuid()}"


def today() -> date:
    return datetime.now(UTC).date()


def day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
