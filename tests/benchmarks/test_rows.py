"""Large questions for rows on DuckDB: what they take now, and where whole tables are sorted first.

`P4DP_BENCH_PATIENTS` has so many patients, with twenty diagnoses each.
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
from tests.benchmarks.rows_asked import ASKED
from tests.benchmarks.scale import Size, build

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]
PATIENTS = int(os.environ.get("P4DP_BENCH_PATIENTS", "500000"))
MEMORY = (1024, 4096)  # megabytes of the engine
MB = 1024**2


def asked(warehouse: Path, question: str, megabytes: int, how: str) -> dict[str, Any]:
    """In a process of its own, for its memory."""
    code = f"from rows_asked import main; main({str(warehouse)!r}, {question!r}, {megabytes}, {how!r})"
    prepare = _PREPARE.format(root=str(Path(__file__).parents[2]))
    done = subprocess.run(
        [sys.executable, "-c", f"{prepare}\n{code}"], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def shown(found: dict[str, Any]) -> str:
    grown = (found["peak"] - found["before"]) / MB
    if found["status"] != 200:
        return f"refused after {found['processor']:.0f} s"
    return f"{found['processor']:.0f} s, first after {found['first']:.1f} s, {grown:,.0f} MB"


def test_rows_in_a_projects_order(tmp_path: Path) -> None:
    build(tmp_path, Size(patients=PATIENTS, consultations=1, lab_results=1))
    rows = []
    for megabytes in MEMORY:
        for question in ASKED:
            both = [shown(asked(tmp_path, question, megabytes, how)) for how in ("before", "now")]
            rows.append((question, f"{megabytes:,} MB", *both))
            print(" | ".join(rows[-1]), flush=True)
    with section("Rows of patients in a project's order") as page:
        page += [
            f"{PATIENTS * 20:,} diagnoses of {PATIENTS:,} patients: processor seconds of a gateway, seconds",
            "until the answer begins, and what its memory grew by.",
            "",
        ]
        page += table(("question", "engine's memory", "whole tables sorted first", "now"), rows)
