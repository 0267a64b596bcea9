"""Paul stands in for Denis at the airlock, leaves, and is taken back weeks before the delegation's end. He is
to come back with nothing that nobody gave him again; with the end of what he stood in for taken out, he
reviews at once, and until then requests wait for him who is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub_config.airlock.pool import actions as pool
from hub_config.governance.register import leaving
from hub_config.governance.releases.models import ReviewerDelegation
from hub_config.governance.releases.reading import pool_on
from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.services.airlock.domain.house import DENIS, House, furnished


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    yield furnished(House(store, settings))
    store.close()


def stands_in(house: House, begins_in: int) -> None:
    first = datetime.now(UTC).date() + timedelta(days=begins_in)
    with house.doing(DENIS) as (session, how):
        pool.delegate(session, DENIS, "paul", first, first + timedelta(days=60), **how)


def reviews_after_coming_back(house: House) -> bool:
    """Whether he may review in three weeks' time."""
    with house.store.change() as session:
        leaving.leave(session, "paul", reason="Mutation.", audit=house.store.recorder("dora"))
    with house.store.change() as session:
        leaving.take_back(session, "paul", audit=house.store.recorder("admin"))
    with house.store.session() as session:
        return "paul" in pool_on(session, datetime.now(UTC).date() + timedelta(days=21)).able


@pytest.mark.parametrize("begins_in", [-7, 7])
@pytest.mark.parametrize("defended", [False, True])
def test_who_is_taken_back_stands_in_for_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch, begins_in: int, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(leaving, "_stands_in_no_more", lambda *_: None)
    stands_in(house, begins_in)
    assert reviews_after_coming_back(house) is not defended


def test_whose_look_theirs_was_stays_on_record(house: House) -> None:
    """Else a leaver's look and that of whom they stood in for would count as two."""
    stands_in(house, -7)
    reviews_after_coming_back(house)
    with house.store.session() as session:
        (kept,) = session.query(ReviewerDelegation).filter_by(delegate="paul")
        assert (kept.reviewer, (kept.last - kept.first).days >= 7) == ("denis", True)
