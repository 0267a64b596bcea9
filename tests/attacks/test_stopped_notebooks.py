"""Have a notebook accepted, or run, in a project that is suspended, closed or expired: the physician reads
the code and not the project, the operator knows the notebook as one that stands. Each attack succeeds with
its defence out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub_config.airlock.actions.tending import tend
from hub_config.airlock.pool import notebooks as reminders
from hub_config.airlock.rules import registering
from hub_config.governance import actions as governance
from hub_config.governance.models import Grant
from hub_config.governance.notebooks import actions, reading
from hub_config.governance.notebooks.actions import Wanted
from hub_config.governance.notebooks.facts import NotebookState, NotebookStep, Registration
from hub_config.reports import registered
from hub_config.reports.opening import NotOpen
from hub_config.reports.registered import read_registered, registered_now
from tests.services.airlock_pages.little_airlock import LittleAirlock

from .test_registered_notebooks import FILE, NOON

SLUG = "these-ines"
WANTED = Wanted(SLUG, "these-hta", "Décrire les patients de ma thèse.", "t.csv : effectifs par âge")
LONG_AFTER = datetime(2026, 6, 1, 12, tzinfo=UTC)


def suspend(house: LittleAirlock) -> None:
    with house.desk.store.change() as session:
        governance.suspend(session, SLUG, audit=house.desk.store.recorder("dora"))


def close(house: LittleAirlock) -> None:
    with house.desk.store.change() as session:
        governance.close(session, SLUG, audit=house.desk.store.recorder("admin"))


def expire(house: LittleAirlock) -> None:
    with house.desk.store.change() as session:
        grant = session.get(Grant, SLUG)
        assert grant is not None
        grant.expires_on = date(2020, 1, 1)


ENDS: dict[str, tuple[Callable[[LittleAirlock], None], str]] = {
    "suspended": (suspend, "est suspendu"),
    "closed": (close, "est clos, pour de bon"),
    "expired": (expire, "est échu"),
}


def asked(house: LittleAirlock) -> Registration:
    store = house.desk.store
    with store.change() as session:
        made = actions.ask(session, WANTED, FILE, "ines", at=NOON, audit=store.recorder("ines"))
        reminders.tell_readers(session, made, NOON)
        return made


def state_of(house: LittleAirlock, number: str) -> NotebookState:
    with house.desk.store.session() as session:
        found = reading.find(session, number)
    assert found is not None
    return found.state


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "home")
    yield made
    made.desk.store.close()


@pytest.mark.parametrize("end", ENDS)
def test_no_notebook_of_a_stopped_project_is_accepted(
    airlock: LittleAirlock, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, diane = asked(airlock), airlock.visit("diane")
    stop, why = ENDS[end]
    stop(airlock)
    form = {"verdict": "approve", "sha256": made.sha256}
    refused = diane.post(f"/notebooks/{made.id}/avis", form)
    assert refused.status_code == 403
    assert why in refused.text
    assert state_of(airlock, made.id) is NotebookState.ASKED
    page = diane.get(f"/notebooks/{made.id}").text
    assert f"/notebooks/{made.id}/avis" not in page, "no button either"
    assert why in page, "and the page says why"
    assert made.id not in diane.get("/notebooks").text, "and it waits for nobody"
    monkeypatch.setattr(registering, "why_not_open", lambda *_: None)
    assert diane.post(f"/notebooks/{made.id}/avis", form).status_code == 303
    assert state_of(airlock, made.id) is NotebookState.APPROVED, "undefended, it is accepted"


@pytest.mark.parametrize("end", ENDS)
def test_no_notebook_of_a_stopped_project_runs(
    airlock: LittleAirlock, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, settings = asked(airlock), airlock.desk.settings
    with airlock.desk.store.change() as session:
        audit = airlock.desk.store.recorder("diane")
        actions.take(session, made.id, NotebookStep.APPROVE, "diane", at=NOON, audit=audit)
    monkeypatch.setattr(registered, "load_settings", lambda: settings)
    assert read_registered(settings, SLUG, made.name).sha256 == made.sha256
    ENDS[end][0](airlock)
    for which in (made.id, made.name, made.sha256):
        with pytest.raises(NotOpen):
            read_registered(settings, SLUG, which)
    with pytest.raises(NotOpen):
        registered_now(SLUG, made.id)
    monkeypatch.setattr(registered, "_require_open", lambda *_: None)
    assert read_registered(settings, SLUG, made.name).sha256 == made.sha256, "undefended, it runs"
    assert registered_now(SLUG, made.id).sha256 == made.sha256


@pytest.mark.parametrize("end", ENDS)
def test_nobody_is_reminded_of_what_they_cannot_accept(airlock: LittleAirlock, end: str) -> None:
    made, desk = asked(airlock), airlock.desk
    assert tend(desk.store, desk.shelf, desk.settings, LONG_AFTER).notebooks == (made.id,)
    ENDS[end][0](airlock)
    assert tend(desk.store, desk.shelf, desk.settings, datetime(2026, 9, 1, tzinfo=UTC)).notebooks == ()


def test_its_author_takes_it_back_all_the_same(airlock: LittleAirlock) -> None:
    made = asked(airlock)
    suspend(airlock)
    assert airlock.visit("ines").post(f"/notebooks/{made.id}/retirer", {}).status_code == 303
    assert state_of(airlock, made.id) is NotebookState.WITHDRAWN
