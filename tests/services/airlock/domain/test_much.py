"""Much to do stays cheap: the queue of 200 requests with ten files each takes as many questions to the
database as one of two.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event, insert

from hub_config.airlock.actions.tending import clear
from hub_config.airlock.states import OPEN
from hub_config.governance.releases.facts import State
from hub_config.governance.releases.models import ReleaseFile, ReleaseRequest
from hub_config.governance.releases.reading import memberships, pool_on, requests_in, requests_of
from hub_config.governance.store import Store
from tests.services.airlock.domain.house import MONDAY, House

FINDING = {"rule": "small-count", "severity": "warning", "place": {"row": 2}, "params": {"n": 3}}


def fill(house: House, requests: int, files: int) -> None:
    said = {"purpose": "P", "context": "C", "controls": "D", "looks_needed": 2, "round": 1, "version": 1}
    with house.store.change() as session:
        session.execute(
            insert(ReleaseRequest),
            [
                {
                    **said,
                    "id": f"d-{requests:04}{n:04}",
                    "title": f"Demande {n}",
                    "project": "these-ines",
                    "requester": "ines",
                    "state": State.SUBMITTED.value,
                    "members_then": ["ines"],
                    "created_at": MONDAY,
                    "touched_at": MONDAY,
                    "submitted_at": MONDAY + timedelta(minutes=n),
                }
                for n in range(requests)
            ],
        )
        session.execute(
            insert(ReleaseFile),
            [
                {
                    "request": f"d-{requests:04}{n:04}",
                    "number": number,
                    "name": f"{number}.csv",
                    "sha256": f"{n:032x}{number:032x}",
                    "size": 100,
                    "kind": "csv",
                    "output_class": "unverified",
                    "checked": "checked",
                    "findings": [FINDING] * 5,
                    "proof": None,
                    "checker": "v1",
                }
                for n in range(requests)
                for number in range(1, files + 1)
            ],
        )


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine, "before_cursor_execute", note)


def look(house: House) -> int:
    with house.store.session() as session:
        found = requests_in(session, OPEN)
        memberships(session, [request.project for request in found])
        pool_on(session, MONDAY.date())
        requests_of(session, "ines")
    return len(found)


def test_the_queue_asks_no_more_for_two_hundred_than_for_two(house: House) -> None:
    fill(house, 2, 10)
    with counting(house.store) as few:
        assert look(house) == 2
    fill(house, 200, 10)
    with counting(house.store) as many:
        assert look(house) == 202
    assert len(many) <= len(few) + 4  # the files of the 202 come in a few portions
    assert len(few) < 20


def test_what_nothing_names_is_cleared_after_a_day(house: House) -> None:
    kept = house.facts(house.draft()).files[0].sha256
    shelved = house.shelf.put(b"named by nothing", limit=100)
    assert clear(house.store, house.shelf) == 0  # it may be about to be named
    assert clear(house.store, house.shelf, now=time.time() + 2 * 24 * 3600) == 1
    assert list(house.shelf.held()) == [kept] != [shelved.sha256]
