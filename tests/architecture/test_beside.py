"""Tests of one file, and of one group, run in one process, in their order, and each run tries the same."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.conftest import group

CONFTEST = Path(__file__).parents[1] / "conftest.py"
NOTE = """
import os
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(6))
def test_note(number):
    with (Path({folder!r}) / os.environ["PYTEST_XDIST_WORKER"]).open("a") as notes:
        notes.write(f"{{Path(__file__).stem}} {{number}}\\n")
"""
DRAWS = """
import sys
from hypothesis import given, strategies as st
import {beside}

@given(st.lists(st.integers(), min_size=30), st.text())
def test_draws(numbers, text):
    with open({notes!r}, "a") as notes:
        print(ascii(numbers), ascii(text), file=notes)
"""
FILES = ("unit/test_a.py", "unit/test_b.py", "services/hub/test_c.py", "journeys/test_d.py")


def test_no_file_is_dealt_out_to_two_processes(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST.read_text())
    for name in FILES:
        file = tmp_path / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(NOTE.format(folder=str(notes)))
    command = ["-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran_by, order = defaultdict(set), defaultdict(list)
    for worker in notes.iterdir():
        for line in worker.read_text().splitlines():
            file, number = line.split()
            ran_by[file].add(worker.name)
            order[file].append(number)
    assert len(list(notes.iterdir())) == 2, "the power of it: both processes worked"
    assert {file: len(workers) for file, workers in ran_by.items()} == dict.fromkeys(order, 1)
    assert ran_by["test_c"] == ran_by["test_d"], "what starts an enclave runs apart from its like"
    assert set(map(tuple, order.values())) == {tuple("012345")}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("tests/services/spawner/test_runs.py", "enclaves"),
        ("tests/attacks/test_sandbox_files.py", "enclaves"),
        ("tests/conformance/test_on_spark.py", "spark"),
        ("tests/unit/wire/test_codec.py", "tests/unit/wire/test_codec.py"),
    ],
)
def test_groups(file: str, expected: str) -> None:
    assert group(file) == expected


def _drawn(folder: Path, beside: str, *options: str) -> str:
    """What a property was tried on, in a process that also imports `beside`."""
    notes = folder / "notes"
    notes.unlink(missing_ok=True)
    (folder / "tests" / "test_draws.py").write_text(DRAWS.format(beside=beside, notes=str(notes)))
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "tests"]
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return notes.read_text()


def test_each_run_tries_the_same_examples(tmp_path: Path) -> None:
    """Whatever the machine's luck, and whatever else was dealt to the process."""
    folder = tmp_path / "house"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (folder / "neighbour.py").write_text("MANY = " + repr(list(range(98765, 99765))))
    first = _drawn(folder, "json")
    assert _drawn(folder, "neighbour") == first
    assert _drawn(folder, "json", "--hypothesis-profile=explore") != first, "the power of it"
    patched = "providers._get_local_constants ="
    (folder / "tests" / "conftest.py").write_text(CONFTEST.read_text().replace(patched, "_ ="))
    assert _drawn(folder, "neighbour") != _drawn(folder, "json"), "the power of it"
