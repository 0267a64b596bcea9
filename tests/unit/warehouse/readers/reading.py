"""Reads a file as the loader does, and holds what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from hub_config.warehouse.loader.mapping import SourceFile
from hub_config.warehouse.loader.readers import open_rows


@dataclass(frozen=True)
class Read:
    """The rows, their lines, and the lines left out."""

    table: pa.Table
    ragged: list[int]

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values())[:-2] for row in self.table.to_pylist()]

    @property
    def records(self) -> list[int]:
        return self.table["#record"].to_pylist()  # type: ignore[no-any-return]

    @property
    def lines(self) -> list[int]:
        return self.table["#line"].to_pylist()  # type: ignore[no-any-return]


def read(path: Path, *columns: str, **said: Any) -> Read:
    """`columns` of the file; `said` is what a mapping's [files] says of it."""
    file = SourceFile(path=path.name, **said)
    with open_rows(path.parent, file, dict.fromkeys(columns, "rows.0.columns")) as rows:
        return Read(pa.Table.from_batches(list(rows.batches), schema=rows.schema), rows.ragged)
