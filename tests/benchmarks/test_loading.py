"""How fast rows are landed, pseudonymised and validated, and whether memory grows with the file.

Recorded, never asserted but for the shape: twenty times the rows must not take twice the memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.exports import _PREPARE
from tests.benchmarks.page import section, table

pytestmark = pytest.mark.bench

SMALL, LARGE = 500_000, 2_000_000


def loaded(rows: int) -> dict[str, Any]:
    script, root = Path(__file__).with_name("loading.py"), Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, str(script), str(rows)],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    figures: dict[str, Any] = json.loads(run.stdout)
    return figures


# kind, files, megabytes together
VENDORS = {
    "CSV, ten files with units": ("csv", 10, 350),
    "CSV, ten files of 1 GB": ("csv", 10, 1000),
    "XML, 24 files": ("xml", 24, 100),
    "XML, one file": ("xml", 1, 100),
    "XML, one file of 500 MB": ("xml", 1, 500),
    "XML, one file of 1 GB": ("xml", 1, 1000),
    "XML, one file of 2 GB": ("xml", 1, 2000),
}


PHASES = ("landing", "freezing")


def loaded_vendor(kind: str, files: int, megabytes: int) -> dict[str, Any]:
    code = f"from vendor_loads import main; main({kind!r}, {files}, {megabytes})"
    prepare = _PREPARE.format(root=str(Path(__file__).parents[2]))
    run = subprocess.run(
        [sys.executable, "-c", f"{prepare}\n{code}"], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return figures


@pytest.mark.timeout(7200)
def test_rate_and_memory_of_vendors_exports() -> None:
    figures = {name: loaded_vendor(*said) for name, said in VENDORS.items()}
    with section("Loading exports, one core") as page:
        page += table(
            [
                "Export",
                "Rows",
                "Rows a second of processor",
                "Landing: peak, anonymous",
                "Freezing: the same",
            ],
            [
                [
                    name,
                    f"{each['rows']:,}",
                    f"{each['per_cpu_second']:,.0f}",
                    *(told(each[f"mb_{phase}"]) for phase in PHASES),
                ]
                for name, each in figures.items()
            ],
        )
    for phase in PHASES:
        one_file = [figures[name][f"mb_{phase}"] for name in figures if name.startswith("XML, one file")]
        assert max(each["anonymous"] for each in one_file) < 1.5 * min(each["anonymous"] for each in one_file)


def told(peak: dict[str, float]) -> str:
    return f"{peak['resident']:,.0f}, {peak['anonymous']:,.0f} MB"


def test_rate_and_memory_of_a_load() -> None:
    small, large = loaded(SMALL), loaded(LARGE)
    for each in (small, large):
        print(
            f"\n{each['rows']:>10,} rows: {each['per_cpu_second']:>9,.0f} a CPU second, "
            f"{each['per_second']:>9,.0f} a second, peak {each['mb_peak']:,.0f} MB"
        )
    marginal = (LARGE - SMALL) / (
        large["rows"] / large["per_cpu_second"] - small["rows"] / small["per_cpu_second"]
    )
    print(
        f"without the start: {marginal:,.0f} rows a CPU second; memory "
        f"{large['mb_peak'] / small['mb_peak']:.2f}x"
    )
    assert large["mb_peak"] < 2 * small["mb_peak"]
