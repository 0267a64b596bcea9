"""How fast exports are read on one core, and that memory doesn't grow with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.exports import READ, measured, write
from tests.benchmarks.page import section, table

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
MB = 1_000_000
SIZES = {
    "CSV": (100 * MB, 2000 * MB),
    "XML": (100 * MB, 2000 * MB),
    "JSON in one line": (100 * MB, 1000 * MB),
}


def test_reading_exports(tmp_path: Path) -> None:
    rows = []
    for name, sizes in SIZES.items():
        path = tmp_path / READ[name][0]["path"]
        for size in sizes:
            write(path, size)
            records, seconds, peak = measured(tmp_path, name)
            path.unlink()
            rows.append(
                [
                    name,
                    f"{size // MB:,} MB",
                    f"{records:,}",
                    f"{records / seconds:,.0f}",
                    f"{peak // MB:,} MB",
                ]
            )
    with section("Reading exports, one core") as page:
        page += table(["Format", "Size", "Records", "Records a second", "Peak of memory"], rows)
