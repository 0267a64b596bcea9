"""One preset A for all tests of the synthesis, read only; and tiny snapshots for what must be made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hub_config.warehouse.snapshot import Snapshot
from hub_config.warehouse.synthesis import Preset, synthesise

Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def preset_a(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return synthesise(tmp_path_factory.mktemp("preset-a"), preset=Preset.A)


@pytest.fixture(scope="session")
def ask(preset_a: Snapshot) -> Iterator[Ask]:
    """Answers to SQL on preset A."""
    with duckdb.connect(str(preset_a.database), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Snapshot]:
    """A new snapshot a hundredth of preset A's size, in a warehouse of its own unless one is named."""

    def make(warehouse: str = "warehouse", **arguments: Any) -> Snapshot:
        return synthesise(tmp_path / warehouse, **{"preset": Preset.A, "scale": 0.01, "seed": 5} | arguments)

    return make
