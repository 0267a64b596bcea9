"""An airlock without pages, on SQLite and PostgreSQL in turn: `house`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_config.governance.store import open_store
from hub_config.settings import Settings
from tests.services.airlock.domain.house import House, furnished
from tests.services.governance.conftest import settings  # noqa: F401  (a fixture)


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:  # noqa: F811
    house = furnished(House(open_store(settings), settings))
    yield house
    house.store.close()  # which may be another than at first
