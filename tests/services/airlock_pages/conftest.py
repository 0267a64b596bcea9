"""An airlock of its own for each test, with a few people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .little_airlock import LittleAirlock


@pytest.fixture
def airlock(tmp_path: Path) -> Iterator[LittleAirlock]:
    made = LittleAirlock(tmp_path / "home")
    yield made
    made.desk.store.close()
