"""The process is killed at every step of every transition, on both databases: nothing is lost, nothing leaves
twice or unapproved, and what was begun can be done again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from hub_config.airlock.actions import drafting, releasing
from hub_config.airlock.actions.tending import tend
from hub_config.airlock.texts import Denied
from hub_config.governance.audit import verify
from hub_config.governance.recorder import Recorder
from hub_config.governance.releases.facts import State, Verdict
from hub_config.governance.store import open_store
from tests.services.airlock.domain.house import DENIS, DIANE, DORA, INES, TABLE, House

MOMENTS = ("recorded", "before-commit", "after-commit")
"""After the audit event, and before and after the commit. (An earlier kill changes nothing anywhere.)"""


def killed(house: House, act: str, moment: str, request: str = "") -> None:
    """Do `act` in a process that kills itself at `moment`."""
    house.store.close()
    child = os.fork()
    if child == 0:
        try:
            _die_at(moment)
            house.store = open_store(house.settings)
            ACTS[act](house, request)
        finally:
            os._exit(1)  # it should have died before
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    house.store = open_store(house.settings)


def _die_at(moment: str) -> None:
    """In the child: kill -9 at that moment of the first transaction that recorded something."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def die_if_recorded(session: Session) -> None:
        if session.info.get("p4dp_recorded"):
            die()

    match moment:
        case "recorded":
            record = Recorder.record

            def recorded(self: Recorder, *args: Any, **details: Any) -> None:
                record(self, *args, **details)
                die()

            Recorder.record = recorded  # type: ignore[method-assign]
        case "before-commit" | "after-commit":
            event.listen(Session, moment.replace("-", "_"), die_if_recorded)


def _withdraw(house: House, request: str) -> None:
    with house.doing(INES) as (session, how):
        drafting.withdraw(session, INES, request, **how)


def _recall(house: House, request: str) -> None:
    with house.doing(DORA) as (session, how):
        releasing.recall(session, DORA, request, "Erreur", settings=house.settings, **how)


ACTS: dict[str, Callable[[House, str], object]] = {
    "draft": lambda house, _: house.draft(),
    "change": lambda house, request: house.add(request, content=b"new", replacing=True),
    "submit": lambda house, request: house.submit(request),
    "vote": lambda house, request: house.vote(request, DIANE),
    "approve": lambda house, request: house.vote(request, DENIS),
    "return": lambda house, request: house.vote(request, DENIS, Verdict.CHANGES),
    "release": lambda house, request: house.release(request),
    "download": lambda house, request: house.download(request),
    "withdraw": _withdraw,
    "recall": _recall,
}


def is_sound(house: House) -> None:
    assert verify(house.store.audit.directory, house.store.audit.keys).broken is None


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_whole_life_with_a_death_at_every_step(house: House, moment: str) -> None:
    """Each step is killed once, then done again where it was not done: the outcome is that of a life without
    deaths, and the bytes that leave are those that were approved, once."""
    committed = moment == "after-commit"

    request = house.draft()
    killed(house, "change", moment, request)
    expected = b"new" if committed else TABLE
    assert house.shelf.read(house.facts(request).files[0].sha256) == expected

    killed(house, "submit", moment, request)
    assert house.facts(request).state is (State.SUBMITTED if committed else State.DRAFT)
    if not committed:
        house.submit(request)

    killed(house, "vote", moment, request)
    assert len(house.facts(request).reviews) == committed
    house.vote(request, DIANE)

    killed(house, "approve", moment, request)
    assert house.facts(request).state is (State.APPROVED if committed else State.IN_REVIEW)
    if not committed:
        with pytest.raises(Denied):
            house.release(request)  # one approval is not two
        house.vote(request, DENIS)

    killed(house, "release", moment, request)
    assert house.facts(request).state is (State.RELEASED if committed else State.APPROVED)
    tend(house.store, house.shelf, house.settings, house.now)
    assert house.facts(request).state is State.RELEASED

    killed(house, "download", moment, request)
    handed = house.download(request)
    assert getattr(handed, "content", None) == expected

    killed(house, "recall", moment, request)
    assert (house.facts(request).recalled is not None) is committed
    committed_releases = {
        record.details["request"]
        for record in house.recorded("release.release")
        if record.hash not in {undone.details["event"] for undone in house.recorded("audit.undone")}
    }
    assert committed_releases == {request}
    is_sound(house)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_withdrawal_and_a_return(house: House, moment: str) -> None:
    committed = moment == "after-commit"
    request = house.submitted()
    house.vote(request, DIANE)
    killed(house, "return", moment, request)
    assert len(house.facts(request).reviews) == 1 + committed
    assert house.facts(request).state is State.IN_REVIEW
    killed(house, "withdraw", moment, request)
    assert house.facts(request).state is (State.WITHDRAWN if committed else State.IN_REVIEW)
    is_sound(house)


def test_bytes_are_on_disk_before_a_row_names_them(house: House) -> None:
    killed(house, "draft", "recorded")  # the draft's own event: no file yet
    assert list(house.shelf.held()) == []
    request = house.draft()
    killed(house, "change", "recorded", request)
    assert house.facts(request).files[0].sha256 in set(house.shelf.held())
    assert len(list(house.shelf.held())) == 2  # the new bytes, which no row names
